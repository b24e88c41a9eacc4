#include "drivers/sql/trash_restore.hpp"

#include "drivers/sql/artifact_labels.hpp"
#include "drivers/sql/artifact_rows.hpp"
#include "drivers/sql/manifest_rows.hpp"
#include "drivers/sql/tag_guard.hpp"
#include "drivers/sql/trash_rows.hpp"

namespace entrepot {

namespace {

constexpr SqlStatement lock_entry{"SELECT restored_at, description FROM trash WHERE id = $1", "FOR UPDATE"};
// What went last comes back first: children before their index, and what belongs to an artifact before it.
constexpr SqlStatement select_manifests{
    "SELECT id, digest, media_type, type, config_media_type, extra, icon, pushed_at, pushed_by, pull_count, pulled_at, "
    "complete, body FROM trash_manifests WHERE trash_id = $1 ORDER BY id DESC LIMIT $2"
};
constexpr SqlStatement select_tags{
    "SELECT x.name, x.expires_at, m.digest FROM trash_tags x LEFT JOIN tags t ON t.repository_id = $2 "
    "AND t.name = x.name LEFT JOIN manifests m ON m.id = t.manifest_id WHERE x.manifest_id = $1 ORDER BY x.name"
};
constexpr SqlStatement lock_blobs{
    "SELECT b.id, b.size, b.state, b.digest FROM trash_blobs x JOIN blobs b ON b.id = x.blob_id "
    "WHERE x.manifest_id = $1 ORDER BY b.id",
    "FOR SHARE OF b"
};
constexpr SqlStatement find_manifest{"SELECT id FROM manifests WHERE repository_id = $1 AND digest = $2"};
constexpr SqlStatement date_manifest{"UPDATE manifests SET pushed_at = $2, pushed_by = $3 WHERE id = $1"};
constexpr SqlStatement date_artifact{
    "UPDATE artifacts SET pushed_at = $2, pull_count = $3, pulled_at = $4 WHERE manifest_id = $1"
};
constexpr SqlStatement expire_tag{"UPDATE tags SET expires_at = $3 WHERE repository_id = $1 AND name = $2"};
constexpr SqlStatement restore_labels{
    "INSERT INTO artifact_labels (manifest_id, label_id) SELECT CAST($1 AS BIGINT), l.id FROM trash_labels x "
    "JOIN labels l ON l.id = x.label_id WHERE x.manifest_id = $2 ON CONFLICT (manifest_id, label_id) DO NOTHING "
    "RETURNING label_id"
};
constexpr SqlStatement count_restored{"UPDATE trash SET manifests = manifests - $2 WHERE id = $1"};
constexpr SqlStatement end_entry{"UPDATE trash SET manifests = 0, restored_at = $2 WHERE id = $1"};
constexpr SqlStatement describe{"UPDATE repositories SET description = $2 WHERE id = $1 AND description = ''"};

// One entry's way back, or a part of it.
class Restoring {
public:
    Restoring(
        SqlSession& session, const RepositoryRow& place, const TrashEntry& entry, TrashTags tags, const Actor& actor
    )
        : session_{session},
          place_{place},
          entry_{entry},
          tags_{tags},
          actor_{actor.user_id, actor.at, Via::restore},
          guard_{session, place}
    {
    }

    Result<> bring_back(SqlRow& row)
    {
        const auto id = row.integer(0);
        const bool complete = row.integer(11) != 0;
        CHECK(link_blobs(id));
        TRY(auto pushed, manifest_in(row));
        pushed.may_lack_blobs = !complete;
        TRY(const auto expiries, choose_tags(id, pushed));
        restored_.digests.push_back(pushed.digest.text());
        TRY(const auto change, commit_manifest(session_, pushed, {}));
        TRY(const auto found, session_.run(find_manifest, {place_.id, pushed.digest.text()}));
        const auto manifest_id = found.front().integer(0);
        if (*change == ManifestChange::added) {
            CHECK(session_.run(date_manifest, {manifest_id, row.integer(7), row.integer(8)}));
            CHECK(session_.run(date_artifact, {manifest_id, row.integer(7), row.integer(9), row.integer(10)}));
        }
        for (const auto& [name, at] : expiries) CHECK(session_.run(expire_tag, {place_.id, name, at}));
        TRY(const auto labels, session_.run(restore_labels, {manifest_id, id}));
        if (!labels.empty()) CHECK(refresh_artifact_labels(session_, manifest_id));
        return release_trash(session_, {&id, 1}, actor_.at);
    }

    RestoredTrash take() && { return std::move(restored_); }

private:
    using Expiries = std::vector<std::pair<std::string, Micros>>;

    // The repository holds them before the entry lets go of them.
    Result<> link_blobs(std::int64_t id)
    {
        TRY(const auto blobs, session_.run(lock_blobs, {id}));
        for (const SqlRow& row : blobs) {
            const BlobRow blob{
                row.integer(0), static_cast<std::uint64_t>(row.integer(1)), BlobState{row.integer(2)}, 0
            };
            if (blob.state != BlobState::live) {
                return fail(Errc::manifest_blob_unknown, "blob " + row.text(3) + " is gone for good");
            }
            CHECK(link_blob(session_, place_, blob, actor_.at));
        }
        return {};
    }

    Result<NewManifest> manifest_in(SqlRow& row)
    {
        auto bytes = row.take_text(12);
        TRY(auto digest, Digest::parse(row.text(1)));
        TRY(auto manifest, Manifest::parse(row.text(2), bytes));
        auto view = view_of(manifest, bytes, std::nullopt);
        view.type = row.take_text(3);
        view.config_media_type = row.take_text(4);
        view.extra = row.take_text(5);
        view.icon = row.take_text(6);
        return NewManifest{
            .repository = entry_.repository,
            .digest = std::move(digest),
            .bytes = std::move(bytes),
            .manifest = std::move(manifest),
            .tags = {},
            .actor = actor_,
            .view = std::move(view),
            .restored_from = entry_.id,
            .deleted_at = entry_.deleted_at,
        };
    }

    // Those that come back, and when they go by themselves, where they do.
    Result<Expiries> choose_tags(std::int64_t id, NewManifest& pushed)
    {
        Expiries expiries;
        if (tags_ == TrashTags::none) return expiries;
        TRY(const auto rows, session_.run(select_tags, {id, place_.id}));
        for (const SqlRow& row : rows) {
            TRY(auto tag, Tag::parse(row.text(0)));
            RestoredTag told{row.text(0), pushed.digest.text(), {}};
            if (!row.is_null(2) && row.text(2) != told.digest) {
                TRY(told.reason, obstacle(told.tag));
            }
            if (told.reason.empty()) {
                pushed.tags.push_back(std::move(tag));
                if (row.integer(1) > 0) expiries.emplace_back(told.tag, row.integer(1));
            }
            restored_.tags.push_back(std::move(told));
        }
        return expiries;
    }

    // Why a tag stays that is elsewhere now.
    Result<std::string> obstacle(const std::string& tag)
    {
        if (tags_ != TrashTags::force) return "another artifact has it";
        const auto free = guard_.check_tag(tag);
        if (free) return std::string{};
        if (free.error().code() == Errc::precondition_failed) return std::string{free.error().message()};
        return std::unexpected{free.error()};
    }

    SqlSession& session_;
    RepositoryRow place_;
    const TrashEntry& entry_;
    TrashTags tags_;
    Actor actor_;
    TagGuard guard_;
    RestoredTrash restored_;
};

}  // namespace

Result<RestoredPart>
restore_trash(SqlSession& session, const TrashEntry& entry, TrashTags tags, std::int64_t limit, const Actor& actor)
{
    TRY(const auto place, enter_repository(session, entry.repository, actor.at));
    TRY(const auto locked, session.run(lock_entry, {entry.id}));
    if (locked.empty()) return fail(Errc::not_found, "what was deleted is gone for good");
    if (locked.front().integer(0) > 0) return RestoredPart{.restored = {}, .done = true};
    TRY(auto rows, session.run(select_manifests, {entry.id, limit + 1}));
    const bool done = std::ssize(rows) <= limit;
    if (!done) rows.pop_back();
    Restoring restoring{session, place, entry, tags, actor};
    for (SqlRow& row : rows) CHECK(restoring.bring_back(row));
    if (done) {
        CHECK(session.run(end_entry, {entry.id, actor.at}));
        const auto& description = locked.front().text(1);
        if (!description.empty()) CHECK(session.run(describe, {place.id, description}));
    } else {
        CHECK(session.run(count_restored, {entry.id, static_cast<std::int64_t>(rows.size())}));
    }
    return RestoredPart{std::move(restoring).take(), done};
}

}  // namespace entrepot
