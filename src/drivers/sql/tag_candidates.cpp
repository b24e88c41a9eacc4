#include "drivers/sql/tag_candidates.hpp"

#include "drivers/sql/artifact_changes.hpp"
#include "drivers/sql/artifact_rows.hpp"
#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/repository_rows.hpp"
#include "drivers/sql/tag_guard.hpp"

#include <map>
#include <set>

namespace entrepot {

namespace {

constexpr SqlStatement select_tags{
    "SELECT t.name, t.manifest_id, t.pushed_at, a.pushed_at, a.pulled_at FROM tags t "
    "JOIN artifacts a ON a.manifest_id = t.manifest_id "
    "WHERE t.repository_id = $1 AND t.name > $2 AND a.subject_digest IS NULL ORDER BY t.name LIMIT $3"
};
constexpr SqlStatement select_untagged{
    "SELECT a.digest, a.manifest_id, a.pushed_at, a.pushed_at, a.pulled_at FROM artifacts a "
    "WHERE a.repository_id = $1 AND a.manifest_id > $2 AND a.listed = 1 AND a.tag_count = 0 "
    "ORDER BY a.manifest_id LIMIT $3"
};

constexpr SqlStatement select_used_names{
    "SELECT reference FROM images_in_use WHERE project_id = $1 AND repository = $2 AND until > $3"
};
// What runs is often one platform's image: the indexes it is part of are in use with it.
constexpr SqlStatement select_used_manifests{
    "WITH RECURSIVE used(id, digest) AS (SELECT m.id, m.digest FROM images_in_use u JOIN manifests m "
    "ON m.repository_id = $4 AND m.digest = u.reference "
    "WHERE u.project_id = $1 AND u.repository = $2 AND u.until > $3 "
    "UNION SELECT p.id, p.digest FROM used x JOIN manifest_children c ON c.digest = x.digest "
    "JOIN manifests p ON p.id = c.manifest_id WHERE p.repository_id = $4) SELECT id FROM used"
};

constexpr SqlStatement find_tag{"SELECT t.manifest_id, t.pushed_at, m.digest FROM tags t "
                                "JOIN manifests m ON m.id = t.manifest_id WHERE t.repository_id = $1 AND t.name = $2"};
constexpr SqlStatement find_holders{
    "SELECT tag_count, parents, subject_digest FROM artifacts WHERE manifest_id = $1 AND repository_id = $2"
};

// Immutable tags and what is in use, of one repository.
class Protections {
public:
    static Result<Protections> read(SqlSession& session, const TagInventory::Place& place, Micros now)
    {
        Protections protections{place};
        TRY(protections.rules_, ImmutableRules::read(session, place.project_id));
        const std::string_view below_project =
            std::string_view{place.name.text()}.substr(place.name.project().size() + 1);
        TRY(auto names, session.run(select_used_names, {place.project_id, below_project, now}));
        for (SqlRow& row : names) protections.names_.insert(row.take_text(0));
        if (names.empty()) return protections;
        TRY(const auto used, session.run(select_used_manifests, {place.project_id, below_project, now, place.id}));
        for (const SqlRow& row : used) protections.manifests_.insert(row.integer(0));
        return protections;
    }

    bool immutable(std::string_view tag) const { return rules_.holding(place_.name.text(), tag) != nullptr; }
    bool in_use(const RetentionCandidate& candidate) const
    {
        return manifests_.contains(candidate.manifest_id) || names_.contains(candidate.name);
    }

private:
    explicit Protections(const TagInventory::Place& place) : place_{place} {}

    const TagInventory::Place& place_;
    ImmutableRules rules_;
    std::set<std::string, std::less<>> names_;
    std::set<std::int64_t> manifests_;
};

std::vector<RetentionCandidate> candidates_of(SqlRows rows, bool tagged, const Protections& protections)
{
    std::vector<RetentionCandidate> candidates;
    candidates.reserve(rows.size());
    for (SqlRow& row : rows) {
        auto& candidate = candidates.emplace_back(RetentionCandidate{
            .name = row.take_text(0),
            .manifest_id = row.integer(1),
            .pushed_at = row.integer(2),
            .created_at = row.integer(3),
            .pulled_at = row.integer(4),
            .tagged = tagged,
        });
        candidate.immutable = tagged && protections.immutable(candidate.name);
        candidate.in_use = protections.in_use(candidate);
    }
    return candidates;
}

}  // namespace

Result<std::vector<RetentionCandidate>> read_tag_candidates(
    SqlSession& session, const TagInventory::Place& place, const std::string& after, std::int64_t limit, Micros now
)
{
    TRY(const auto protections, Protections::read(session, place, now));
    TRY(auto rows, session.run(select_tags, {place.id, after, limit}));
    return candidates_of(std::move(rows), true, protections);
}

Result<std::vector<RetentionCandidate>> read_untagged_candidates(
    SqlSession& session, const TagInventory::Place& place, std::int64_t after, std::int64_t limit, Micros now
)
{
    TRY(const auto protections, Protections::read(session, place, now));
    TRY(auto rows, session.run(select_untagged, {place.id, after, limit}));
    return candidates_of(std::move(rows), false, protections);
}

Result<TagInventory::Removed> remove_candidates(
    SqlSession& session, const RepositoryName& name, const std::vector<RetentionCandidate>& doomed, const Actor& actor
)
{
    TagInventory::Removed removed;
    TRY(const auto place, lock_repository(session, name));
    if (!place) return removed;
    ArtifactRows rows{session, *place, actor};
    std::map<std::int64_t, std::vector<std::string>> left;  // and its tags until now
    for (const auto& candidate : doomed) {
        if (!candidate.tagged) {
            left[candidate.manifest_id];
            continue;
        }
        TRY(const auto now, session.run(find_tag, {place->id, candidate.name}));
        const bool same = !now.empty() && now.front().integer(0) == candidate.manifest_id &&
                          now.front().integer(1) == candidate.pushed_at;
        const auto untagged = same ? rows.untag(candidate.name) : Result<bool>{false};
        if (!untagged && untagged.error().code() != Errc::precondition_failed) {
            return std::unexpected{untagged.error()};
        }
        if (!untagged || !*untagged) {
            ++removed.spared;
            continue;
        }
        const auto event = event_in_project(event_type::tag_deleted, actor, place->project_id);
        CHECK(record_tag(session, event, name.text(), candidate.name, now.front().text(2)));
        ++removed.tags;
        left[candidate.manifest_id].push_back(candidate.name);
    }
    CHECK(rows.finish(0));
    for (auto& [id, tags] : left) {
        TRY(const auto holders, session.run(find_holders, {id, place->id}));
        const bool free = !holders.empty() && holders.front().integer(0) == 0 && holders.front().integer(1) == 0 &&
                          holders.front().is_null(2);
        if (free) {
            CHECK(remove_artifact_tree(session, *place, name, id, actor, std::move(tags)));
            ++removed.artifacts;
        } else if (tags.empty()) {
            ++removed.spared;
        }
    }
    return removed;
}

}  // namespace entrepot
