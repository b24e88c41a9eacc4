#pragma once

#include "core/task.hpp"
#include "oci/digest.hpp"
#include "oci/names.hpp"
#include "ports/actor.hpp"
#include "ports/list_query.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace entrepot {

// What one deletion took: an artifact with its children and accessories, or a whole repository.
struct TrashEntry {
    std::int64_t id = 0;
    std::int64_t project_id = 0;
    RepositoryName repository;
    std::string digest;  // of the artifact that was asked to go; empty: the repository
    std::string media_type;
    std::string artifact_type;
    std::int64_t size = 0;          // of the artifact as lists showed it, or of all artifacts together
    std::int64_t manifests = 0;     // that come back with it; 0 once they have
    std::vector<std::string> tags;  // of that artifact, at most a hundred
    Micros deleted_at = 0;
    std::int64_t deleted_by = 0;
    std::string deleted_by_name;  // empty when the user is gone, or it was the system
    std::string how;              // text_of(Via)
    Micros expires_at = 0;
    Micros restored_at = 0;  // 0: it wasn't
};

struct RestoredTag {
    std::string tag;
    std::string digest;
    std::string reason;  // why it did not come back; empty: it did
};

struct RestoredTrash {
    std::vector<std::string> digests;  // that are in the repository again
    std::vector<RestoredTag> tags;     // those that did not come back among them
};

struct TrashTotals {
    std::int64_t entries = 0;
    std::int64_t bytes = 0;  // of their sizes: what they share counts with each
};

// One tag on the way to what it was.
struct TagReturn {
    enum class Step : std::uint8_t {
        stays,     // it is what it was
        moves,     // the artifact is in the repository
        returns,   // the artifact comes back from the trash
        leaves,    // it came later
        lost,      // the artifact is neither here nor in the trash
        immutable  // a rule holds it where it is
    };
    Step step = Step::stays;
    std::string tag;
    std::string digest;    // what it was; empty: nothing
    std::string previous;  // what it is now; empty: nothing
    std::int64_t trash_id = 0;
};

struct TagsAt {
    std::vector<TagReturn> tags;
    bool truncated = false;  // there are more tags than one plan may have
};

// What was deleted and can still be brought back. Whatever removes a manifest puts it there in the same transaction,
// unless the window is 0; garbage collection only what belongs to something that is there. An entry holds the blobs of
// its manifests as a repository does, and its project stays charged for them.
// Lists know the fields repository, digest, how, deleted_at, expires_at. not_found without the entry in that project;
// unavailable.
class TrashCatalog {
public:
    virtual ~TrashCatalog() = default;

    // How long what is deleted from now on can be brought back; 0: nothing is kept. For all instances.
    virtual Task<> keep_for(Micros window) = 0;

    virtual Task<ListPage<TrashEntry>> list(std::int64_t project_id, ListQuery query) = 0;  // the newest first
    virtual Task<TrashEntry> find(std::int64_t project_id, std::int64_t id) = 0;

    // Brings the entry's manifests back with their tags and labels, as pushes would: each transaction brings up to
    // `at_once` manifests, the last that went first. A tag that is elsewhere now stays there unless `force_tags`, and
    // what a rule holds always does. Success without effect where it was done before. manifest_blob_unknown when a blob
    // is gone, quota_exceeded, denied by a push policy: what came back before stays.
    virtual Task<RestoredTrash> restore(std::int64_t project_id, std::int64_t id, bool force_tags, Actor actor) = 0;

    // Lets go of it at once.
    virtual Task<> empty(std::int64_t project_id, std::int64_t id, Actor actor) = 0;
    // Of all that the project has. How many entries went. What has expired goes by GarbageCatalog::expire_trash().
    virtual Task<std::int64_t> empty_all(std::int64_t project_id, Actor actor) = 0;

    virtual Task<TrashTotals> totals() = 0;

    // What it takes to have the tags as they were at a time; with `exact` those that came later leave. name_unknown.
    virtual Task<TagsAt> plan(RepositoryName repository, Micros time, bool exact, std::int64_t limit) = 0;
    // Does it, in one transaction, and answers what was done: all is looked at again.
    virtual Task<TagsAt>
    go_back(RepositoryName repository, Micros time, bool exact, std::int64_t limit, Actor actor) = 0;
};

}  // namespace entrepot
