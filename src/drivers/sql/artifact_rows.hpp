#pragma once

#include "drivers/sql/repository_rows.hpp"
#include "drivers/sql/sql_session.hpp"
#include "drivers/sql/tag_guard.hpp"
#include "drivers/sql/trash_rows.hpp"
#include "oci/artifact_view.hpp"
#include "ports/manifest_catalog.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// Keeps the rows that lists show, and every count in them, in step with manifests and tags, within the transaction
// that changes those. An artifact is *listed* when it belongs to no other one (as a signature does) and is tagged or
// in no index. Sizes of an index are its own bytes and, of the children that are there, their sizes (of an index
// among them its own bytes only). What nothing keeps (no tag, no index, no subject that is here) is *dead* since then.
// Each change of a tag goes into its history; what an immutable tag forbids is refused (precondition_failed). The
// repository is locked.
class ArtifactRows {
public:
    ArtifactRows(SqlSession& session, const RepositoryRow& place, const Actor& actor)
        : session_{session}, place_{place}, actor_{actor}, guard_{session, place}, trash_{session, place, actor}
    {
    }

    // A manifest that was just inserted, with its children. Its tags are moved here too.
    Result<> add(std::int64_t id, const NewManifest& pushed);
    // Moves the tags to a manifest that was here. `expires_at`: when they go by themselves; 0: never.
    Result<> tag(std::int64_t id, std::span<const Tag> tags, Micros expires_at = 0);
    // The manifest is about to be taken for another type: what depended on it lets go. add() follows.
    Result<> forget(std::int64_t id);
    Result<bool> untag(std::string_view name);  // false when there is no such tag
    // Removes the manifest with its row and its tags, to where it can be brought back from; what one ArtifactRows
    // removes comes back together. This and the next are the only ways by which a manifest leaves.
    Result<> remove(std::int64_t id);
    // That nothing has kept for long enough: it can be brought back only with what it belonged to.
    Result<> remove_garbage(std::int64_t id);
    TrashBin& trash() noexcept { return trash_; }

    // What the tags that were moved here pointed at before, in their order; empty: they are new.
    struct MovedTag {
        std::string name;
        std::string previous;  // a digest
    };
    const std::vector<MovedTag>& moved_tags() const noexcept { return moved_; }

    // Writes the counts that all this adds up to, and charges `bytes` to the project.
    Result<> finish(std::int64_t bytes);

private:
    struct Row;
    Result<> take_out(std::int64_t id);
    Result<std::optional<Row>> find(std::string_view digest);
    Result<std::optional<Row>> load(std::int64_t id);
    Result<std::vector<std::int64_t>> move_tags(std::int64_t id, std::span<const Tag> tags, Micros expires_at);
    Result<> insert(std::int64_t id, const NewManifest& pushed, const ArtifactView& view);
    Result<> adopt_children(std::int64_t id, const NewManifest& pushed);
    Result<> release_children(std::int64_t id);
    Result<> forget(const Row& row);
    Result<> relate(std::string_view subject, std::int64_t by);
    Result<> appear_in_parents(const Row& row, bool here);
    Result<> refresh_tags(std::int64_t id);
    Result<> update(const Row& before, const Row& after);
    Result<> settle_death(Row& row);
    void list(std::int64_t id, std::int64_t by);

    SqlSession& session_;
    RepositoryRow place_;
    Actor actor_;
    TagGuard guard_;
    TrashBin trash_;
    std::int64_t listed_ = 0;
    std::map<std::int64_t, std::int64_t> chunks_;
    std::vector<MovedTag> moved_;
};

// All tags of a manifest as the API shows them: where its row keeps none because they are too many.
inline constexpr std::int64_t most_kept_tags = 64;
Result<std::string> read_tags(SqlSession& session, std::int64_t repository_id, std::int64_t manifest_id);

// One entry more or less in a list of repositories: those of the project, and all.
Result<> count_repository(SqlSession& session, const RepositoryRow& repository, std::int64_t by);

inline constexpr std::int64_t ids_in_chunk = 4096;

}  // namespace entrepot
