#include "drivers/sql/trash_rows.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <vector>

namespace entrepot {

namespace {

// What a repository is called below its project.
#define BELOW_PROJECT "SUBSTR(r.name, LENGTH(p.name) + 2)"

constexpr SqlStatement insert_entry{
    "INSERT INTO trash (project_id, repository, digest, media_type, artifact_type, size, description, manifests, "
    "deleted_at, deleted_by, how, expires_at, restored_at) SELECT p.id, " BELOW_PROJECT
    ", a.digest, a.media_type, a.artifact_type, a.size, '', 0, $2, $3, $4, $5, 0 FROM artifacts a "
    "JOIN repositories r ON r.id = a.repository_id JOIN projects p ON p.id = r.project_id WHERE a.manifest_id = $1 "
    "RETURNING id"
};
constexpr SqlStatement insert_repository_entry{
    "INSERT INTO trash (project_id, repository, digest, media_type, artifact_type, size, description, manifests, "
    "deleted_at, deleted_by, how, expires_at, restored_at) SELECT p.id, " BELOW_PROJECT
    ", '', '', '', 0, r.description, 0, $2, $3, $4, $5, 0 FROM repositories r "
    "JOIN projects p ON p.id = r.project_id WHERE r.id = $1 RETURNING id"
};
constexpr SqlStatement count_manifest{"UPDATE trash SET manifests = manifests + 1 WHERE id = $1"};
constexpr SqlStatement count_in_repository_entry{
    "UPDATE trash SET manifests = manifests + 1, size = size + "
    "(SELECT CASE WHEN a.listed = 1 THEN a.size ELSE 0 END FROM artifacts a WHERE a.manifest_id = $1) WHERE id = $2"
};

// It is complete when the repository holds every blob that it names.
constexpr SqlStatement copy_manifest{
    "INSERT INTO trash_manifests (trash_id, project_id, repository, digest, media_type, subject_digest, type, "
    "config_media_type, extra, icon, pushed_at, pushed_by, pull_count, pulled_at, complete, body) "
    "SELECT t.id, t.project_id, t.repository, m.digest, m.media_type, a.subject_digest, a.type, a.config_media_type, "
    "a.extra, a.icon, m.pushed_at, m.pushed_by, a.pull_count, a.pulled_at, "
    "CASE WHEN EXISTS (SELECT 1 FROM manifest_blobs u WHERE u.manifest_id = m.id AND NOT EXISTS (SELECT 1 FROM "
    "repository_blobs l WHERE l.blob_id = u.blob_id AND l.repository_id = m.repository_id)) THEN 0 ELSE 1 END, m.body "
    "FROM trash t, manifests m JOIN artifacts a ON a.manifest_id = m.id WHERE m.id = $1 AND t.id = $2 RETURNING id"
};
constexpr SqlStatement copy_tags{"INSERT INTO trash_tags (manifest_id, name, expires_at) "
                                 "SELECT CAST($2 AS BIGINT), name, expires_at FROM tags WHERE manifest_id = $1"};
constexpr SqlStatement insert_tag{"INSERT INTO trash_tags (manifest_id, name, expires_at) VALUES ($1, $2, 0)"};
constexpr SqlStatement copy_labels{"INSERT INTO trash_labels (manifest_id, label_id) "
                                   "SELECT CAST($2 AS BIGINT), label_id FROM artifact_labels WHERE manifest_id = $1"};
constexpr SqlStatement copy_children{"INSERT INTO trash_children (manifest_id, digest) "
                                     "SELECT CAST($2 AS BIGINT), digest FROM manifest_children WHERE manifest_id = $1"};

constexpr SqlStatement select_held{
    "SELECT u.blob_id FROM manifest_blobs u JOIN repository_blobs l ON l.blob_id = u.blob_id "
    "AND l.repository_id = u.repository_id WHERE u.manifest_id = $1 ORDER BY u.blob_id"
};
constexpr SqlStatement hold_blob{"INSERT INTO trash_blobs (manifest_id, blob_id) VALUES ($1, $2)"};
// The repository's link has counted it before.
constexpr SqlStatement count_hold{"UPDATE project_blobs SET links = links + 1 WHERE project_id = $1 AND blob_id = $2"};

#define KIN_IS_HERE                                                                                \
    "JOIN trash t ON t.id = k.trash_id JOIN repositories r ON r.id = a.repository_id "             \
    "JOIN projects p ON p.id = r.project_id WHERE a.manifest_id = $1 AND k.project_id = p.id AND " \
    "k.repository = " BELOW_PROJECT " AND t.restored_at = 0 AND t.expires_at > $2 ORDER BY t.id DESC LIMIT 1"
constexpr SqlStatement find_subject{
    "SELECT t.id FROM artifacts a JOIN trash_manifests k ON k.digest = a.subject_digest " KIN_IS_HERE,
    "FOR KEY SHARE OF t"
};
constexpr SqlStatement find_parent{
    "SELECT t.id FROM artifacts a JOIN trash_children c ON c.digest = a.digest "
    "JOIN trash_manifests k ON k.id = c.manifest_id " KIN_IS_HERE,
    "FOR KEY SHARE OF t"
};

constexpr SqlStatement select_holds{
    "SELECT x.blob_id, b.size, k.project_id FROM trash_blobs x JOIN blobs b ON b.id = x.blob_id "
    "JOIN trash_manifests k ON k.id = x.manifest_id WHERE x.manifest_id = $1"
};
constexpr SqlStatement delete_hold{"DELETE FROM trash_blobs WHERE manifest_id = $1 AND blob_id = $2 RETURNING blob_id"};
// Tags, labels and children go with it (ON DELETE CASCADE).
constexpr SqlStatement delete_manifest{"DELETE FROM trash_manifests WHERE id = $1"};

constexpr SqlStatement lock_of_project{
    "SELECT id, restored_at FROM trash WHERE project_id = $1 ORDER BY id LIMIT $2", "FOR UPDATE"
};
constexpr SqlStatement select_manifests{"SELECT id FROM trash_manifests WHERE trash_id = $1 ORDER BY id LIMIT $2"};
constexpr SqlStatement delete_entry{"DELETE FROM trash WHERE id = $1"};

constexpr SqlStatement select_expired{
    "SELECT k.id, t.id FROM trash t JOIN trash_manifests k ON k.trash_id = t.id WHERE t.expires_at <= $1 "
    "ORDER BY t.expires_at, t.id, k.id LIMIT $2",
    "FOR UPDATE OF t"
};
constexpr SqlStatement delete_expired{
    "DELETE FROM trash WHERE id IN (SELECT t.id FROM trash t WHERE t.expires_at <= $1 AND NOT EXISTS "
    "(SELECT 1 FROM trash_manifests k WHERE k.trash_id = t.id) ORDER BY t.expires_at LIMIT $2)"
};
constexpr SqlStatement count_released{"UPDATE trash SET manifests = manifests - $2 WHERE id = $1"};

}  // namespace

void TrashBin::untagged(std::int64_t manifest_id, std::vector<std::string> tags)
{
    untagged_id_ = manifest_id;
    taken_tags_ = std::move(tags);
}

Result<> TrashBin::put(std::int64_t manifest_id)
{
    if (place_.trash_keep <= 0) return {};
    if (entry_id_ == 0) {
        const auto expires_at = actor_.at + place_.trash_keep;
        TRY(const auto made,
            session_.run(insert_entry, {manifest_id, actor_.at, actor_.user_id, text_of(actor_.via), expires_at}));
        entry_id_ = made.front().integer(0);
    }
    return copy(manifest_id, entry_id_);
}

Result<> TrashBin::put_with_kin(std::int64_t manifest_id)
{
    if (place_.trash_keep <= 0) return {};
    for (const auto* statement : {&find_subject, &find_parent}) {
        TRY(const auto found, session_.run(*statement, {manifest_id, actor_.at}));
        if (!found.empty()) return copy(manifest_id, found.front().integer(0));
    }
    return {};
}

Result<std::int64_t> TrashBin::put_repository(std::int64_t entry_id)
{
    if (place_.trash_keep <= 0) return 0;
    whole_ = true;
    entry_id_ = entry_id;
    if (entry_id_ != 0) return entry_id_;
    const auto expires_at = actor_.at + place_.trash_keep;
    TRY(const auto made,
        session_.run(insert_repository_entry, {place_.id, actor_.at, actor_.user_id, text_of(actor_.via), expires_at}));
    entry_id_ = made.front().integer(0);
    return entry_id_;
}

Result<> TrashBin::copy(std::int64_t manifest_id, std::int64_t entry_id)
{
    TRY(const auto copied, session_.run(copy_manifest, {manifest_id, entry_id}));
    const auto id = copied.front().integer(0);
    if (whole_) {
        CHECK(session_.run(count_in_repository_entry, {manifest_id, entry_id}));
    } else {
        CHECK(session_.run(count_manifest, {entry_id}));
    }
    for (const auto* statement : {&copy_tags, &copy_labels, &copy_children}) {
        CHECK(session_.run(*statement, {manifest_id, id}));
    }
    if (manifest_id == untagged_id_) {
        for (const auto& tag : taken_tags_) CHECK(session_.run(insert_tag, {id, tag}));
    }
    TRY(const auto blobs, session_.run(select_held, {manifest_id}));
    for (const SqlRow& blob : blobs) {
        CHECK(session_.run(hold_blob, {id, blob.integer(0)}));
        CHECK(session_.run(count_hold, {place_.project_id, blob.integer(0)}));
    }
    return {};
}

Result<> release_trash(SqlSession& session, std::span<const std::int64_t> manifest_ids, Micros now)
{
    struct Hold {
        std::int64_t blob_id = 0;
        std::int64_t manifest_id = 0;
        std::int64_t project_id = 0;
        std::uint64_t size = 0;
    };
    std::vector<Hold> holds;
    for (const std::int64_t id : manifest_ids) {
        TRY(const auto rows, session.run(select_holds, {id}));
        for (const SqlRow& row : rows) {
            holds.push_back({row.integer(0), id, row.integer(2), static_cast<std::uint64_t>(row.integer(1))});
        }
    }
    // By blob: in this order its rows are locked, as by whoever sweeps links.
    std::ranges::sort(holds, {}, [](const Hold& hold) { return std::tuple{hold.blob_id, hold.manifest_id}; });
    for (const Hold& hold : holds) {
        TRY(const auto deleted, session.run(delete_hold, {hold.manifest_id, hold.blob_id}));
        if (deleted.empty()) continue;
        CHECK(release_link(session, hold.project_id, {hold.blob_id, hold.size, BlobState::live, 0}, now));
    }
    for (const std::int64_t id : manifest_ids) CHECK(session.run(delete_manifest, {id}));
    return {};
}

Result<EmptiedTrash> empty_project_trash(SqlSession& session, std::int64_t project_id, std::int64_t limit, Micros now)
{
    EmptiedTrash emptied;
    TRY(const auto entries, session.run(lock_of_project, {project_id, limit}));
    for (const SqlRow& entry : entries) {
        const auto id = entry.integer(0);
        std::vector<std::int64_t> manifests;
        TRY(const auto rows, session.run(select_manifests, {id, limit - emptied.manifests + 1}));
        for (const SqlRow& row : rows) manifests.push_back(row.integer(0));
        const bool all = std::ssize(manifests) <= limit - emptied.manifests;
        if (!all) manifests.pop_back();
        CHECK(release_trash(session, manifests, now));
        emptied.manifests += std::ssize(manifests);
        if (!all) {
            CHECK(session.run(count_released, {id, std::ssize(manifests)}));
            return emptied;
        }
        CHECK(session.run(delete_entry, {id}));
        emptied.entries += entry.integer(1) == 0 ? 1 : 0;
    }
    emptied.all = std::ssize(entries) < limit;
    return emptied;
}

Result<std::int64_t> release_expired_trash(SqlSession& session, Micros now, std::int64_t limit)
{
    TRY(const auto rows, session.run(select_expired, {now, limit}));
    std::vector<std::int64_t> manifests;
    std::map<std::int64_t, std::int64_t> of_entry;
    for (const SqlRow& row : rows) {
        manifests.push_back(row.integer(0));
        ++of_entry[row.integer(1)];
    }
    CHECK(release_trash(session, manifests, now));
    for (const auto& [id, released] : of_entry) CHECK(session.run(count_released, {id, released}));
    CHECK(session.run(delete_expired, {now, limit}));
    return static_cast<std::int64_t>(rows.size());
}

}  // namespace entrepot
