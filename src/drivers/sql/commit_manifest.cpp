#include "drivers/sql/annotations_text.hpp"
#include "drivers/sql/artifact_labels.hpp"
#include "drivers/sql/artifact_rows.hpp"
#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/manifest_rows.hpp"
#include "drivers/sql/project_budget.hpp"
#include "drivers/sql/repository_rows.hpp"
#include "drivers/sql/site_guard.hpp"
#include "drivers/sql/sql_push_policies.hpp"

#include <boost/json/array.hpp>

#include <algorithm>

namespace entrepot {

namespace {

constexpr SqlStatement find_blob_here{
    "SELECT b.id, b.size, l.unused_since FROM blobs b JOIN repository_blobs l ON l.blob_id = b.id "
    "WHERE b.digest = $1 AND l.repository_id = $2 AND b.state <> 4"
};

// A blob that a sparse manifest needs and that nobody has pushed: a row that no repository is linked to.
constexpr SqlStatement expect_blob{"INSERT INTO blobs (digest, size, created_at, state) VALUES ($1, $2, $3, 1) "
                                   "ON CONFLICT (digest) DO UPDATE SET digest = excluded.digest RETURNING id"};

constexpr SqlStatement insert_manifest{
    "INSERT INTO manifests (repository_id, digest, media_type, artifact_type, size, body, subject_digest, annotations, "
    "pushed_at, pushed_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
    "ON CONFLICT (repository_id, digest) DO NOTHING RETURNING id"
};

constexpr SqlStatement find_pushed{"SELECT id, media_type FROM manifests WHERE repository_id = $1 AND digest = $2"};

constexpr SqlStatement retype_manifest{
    "UPDATE manifests SET media_type = $2, artifact_type = $3, subject_digest = $4, annotations = $5 WHERE id = $1"
};

constexpr SqlStatement delete_blob_uses{"DELETE FROM manifest_blobs WHERE manifest_id = $1"};
constexpr SqlStatement delete_children{"DELETE FROM manifest_children WHERE manifest_id = $1"};

constexpr SqlStatement insert_blob_use{
    "INSERT INTO manifest_blobs (manifest_id, blob_id, repository_id) VALUES ($1, $2, $3) "
    "ON CONFLICT (manifest_id, blob_id) DO NOTHING"
};

constexpr SqlStatement use_links{"UPDATE repository_blobs SET unused_since = 0 WHERE repository_id = $1 AND "
                                 "unused_since > 0 AND blob_id IN (SELECT blob_id FROM manifest_blobs "
                                 "WHERE manifest_id = $2)"};

constexpr SqlStatement insert_child{
    "INSERT INTO manifest_children (manifest_id, digest) VALUES ($1, $2) ON CONFLICT (manifest_id, digest) DO NOTHING"
};

SqlParameter subject_of(const Manifest& manifest)
{
    if (!manifest.subject) return std::monostate{};
    return std::string_view{manifest.subject->digest.text()};
}

struct RequiredBlobs {
    std::vector<std::int64_t> ids;
    bool some_unused = false;  // until now
};
Result<RequiredBlobs> find_required_blobs(SqlSession& session, const RepositoryRow& place, const NewManifest& pushed)
{
    RequiredBlobs required;
    for (const Descriptor& blob : pushed.manifest.required_blobs()) {
        const auto size = static_cast<std::int64_t>(blob.size);
        TRY(const auto here, session.run(find_blob_here, {blob.digest.text(), place.id}));
        if (!here.empty() && here.front().integer(1) != size) {
            return refuse_blob_size(blob.digest);
        }
        if (here.empty() && !pushed.may_lack_blobs) {
            return refuse_blob_unknown(pushed.repository, blob.digest);
        }
        if (here.empty()) {
            TRY(const auto expected, session.run(expect_blob, {blob.digest.text(), size, pushed.actor.at}));
            required.ids.push_back(expected.front().integer(0));
        } else {
            required.ids.push_back(here.front().integer(0));
            required.some_unused = required.some_unused || here.front().integer(2) > 0;
        }
    }
    std::ranges::sort(required.ids);
    return required;
}

Result<> write_references(
    SqlSession& session,
    const RepositoryRow& place,
    std::int64_t id,
    const RequiredBlobs& blobs,
    const Manifest& manifest
)
{
    for (const std::int64_t blob : blobs.ids) CHECK(session.run(insert_blob_use, {id, blob, place.id}));
    if (blobs.some_unused) CHECK(session.run(use_links, {place.id, id}));
    for (const Descriptor& child : manifest.children) CHECK(session.run(insert_child, {id, child.digest.text()}));
    return {};
}

struct Written {
    ManifestChange change = ManifestChange::added;
    std::int64_t bytes = 0;  // to be charged
};

// The bytes of a digest are what they were; what they are taken for may differ.
Result<Written> rewrite(
    SqlSession& session,
    ArtifactRows& rows,
    const RepositoryRow& place,
    const NewManifest& pushed,
    const RequiredBlobs& blobs,
    const std::string& annotations
)
{
    TRY(const auto found, session.run(find_pushed, {place.id, pushed.digest.text()}));
    if (found.empty()) return fail(Errc::unavailable, "the manifest changed meanwhile, try again");
    const std::int64_t id = found.front().integer(0);
    const Manifest& manifest = pushed.manifest;
    const auto& stored_type = found.front().text(1);
    if (stored_type == manifest.media_type) {
        CHECK(rows.tag(id, pushed.tags, pushed.tags_expire_at));
        return Written{ManifestChange::repeated, 0};
    }
    // As another type it would let go of its blobs, and answer whoever pulls it by digest with that type.
    if (Manifest::is_understood(stored_type)) {
        return fail(Errc::manifest_invalid, "this manifest is stored here as " + stored_type);
    }
    CHECK(rows.forget(id));
    CHECK(session.run(
        retype_manifest, {id, manifest.media_type, manifest.artifact_type, subject_of(manifest), annotations}
    ));
    CHECK(session.run(delete_blob_uses, {id}));
    CHECK(session.run(delete_children, {id}));
    CHECK(write_references(session, place, id, blobs, manifest));
    CHECK(rows.add(id, pushed));
    CHECK(refresh_artifact_labels(session, id));
    return Written{ManifestChange::retyped, 0};
}

Result<Written> write_manifest(
    SqlSession& session,
    ArtifactRows& rows,
    const RepositoryRow& place,
    const NewManifest& pushed,
    const RequiredBlobs& blobs
)
{
    const Manifest& manifest = pushed.manifest;
    const std::string annotations = annotations_to_text(manifest.annotations);
    const auto size = static_cast<std::int64_t>(pushed.bytes.size());
    TRY(const auto inserted,
        session.run(
            insert_manifest,
            {place.id,
             pushed.digest.text(),
             manifest.media_type,
             manifest.artifact_type,
             size,
             SqlBytes{pushed.bytes},
             subject_of(manifest),
             annotations,
             pushed.actor.at,
             pushed.actor.user_id}
        ));
    if (inserted.empty()) return rewrite(session, rows, place, pushed, blobs, annotations);
    const std::int64_t id = inserted.front().integer(0);
    CHECK(write_references(session, place, id, blobs, manifest));
    CHECK(rows.add(id, pushed));
    return Written{ManifestChange::added, size};
}

std::string_view name_of(ManifestChange change) noexcept
{
    switch (change) {
        case ManifestChange::added: return "added";
        case ManifestChange::repeated: return "repeated";
        case ManifestChange::retyped: return "retyped";
    }
    return "";
}

boost::json::array tags_json(const std::vector<ArtifactRows::MovedTag>& tags)
{
    boost::json::array list;
    for (const auto& tag : tags) {
        boost::json::object entry{{"name", tag.name}};
        if (!tag.previous.empty()) entry["previous"] = tag.previous;
        list.push_back(std::move(entry));
    }
    return list;
}

Result<> record_commit(
    SqlSession& session,
    const RepositoryRow& place,
    const NewManifest& pushed,
    ManifestChange change,
    const std::vector<ArtifactRows::MovedTag>& tags
)
{
    const bool copied = !pushed.copied_from.empty();
    const bool restored = pushed.restored_from > 0;
    const auto type = restored ? event_type::artifact_restored
                      : copied ? event_type::artifact_copied
                               : event_type::artifact_pushed;
    auto event = event_in_project(type, pushed.actor, place.project_id);
    event.repository = pushed.repository.text();
    event.digest = pushed.digest.text();
    if (!pushed.tags.empty()) event.tag = pushed.tags.front().text();
    event.media_type = pushed.manifest.media_type;
    event.size = static_cast<std::int64_t>(pushed.view.size);
    boost::json::object details{{"change", name_of(change)}, {"tags", tags_json(tags)}};
    if (!pushed.manifest.artifact_type.empty()) details["artifact_type"] = pushed.manifest.artifact_type;
    if (pushed.manifest.subject) details["subject"] = pushed.manifest.subject->digest.text();
    if (copied) details["from"] = pushed.copied_from;
    if (pushed.actor.via == Via::replication) details["replicated_from"] = pushed.actor.endpoint_id;
    if (pushed.actor.via == Via::promotion) details["via"] = text_of(Via::promotion);
    if (!pushed.copied_with.empty()) details["with"] = pushed.copied_with;
    if (restored) {
        details["trash_id"] = pushed.restored_from;
        details["deleted_at"] = rfc3339(pushed.deleted_at);
    }
    set_details(event, details);
    return record_event(session, event);
}

}  // namespace

Result<std::optional<ManifestChange>>
commit_manifest(SqlSession& session, const NewManifest& pushed, std::string_view claim)
{
    TRY(RepositoryRow place, enter_repository(session, pushed.repository, pushed.actor.at));
    CHECK(check_site(session, place, pushed.actor));
    if (pushed.waits_for_sites && place.site == SiteRole::home) {
        return fail(Errc::unavailable, "the project is held by several sites since a moment ago: push again");
    }
    CHECK(check_push(session, place, pushed.repository, pushed.tags));
    if (place.limited && session.has_rivals() && !claim.empty()) {
        const auto size = static_cast<std::int64_t>(pushed.bytes.size());
        TRY(place.claimed, take_claim(session, claim, size, pushed.actor.at));
        TRY(const auto here, session.run(find_pushed, {place.id, pushed.digest.text()}));
        if (!place.claimed && here.empty()) return std::nullopt;
    }
    TRY(const auto blobs, find_required_blobs(session, place, pushed));
    ArtifactRows rows{session, place, pushed.actor};
    TRY(const Written written, write_manifest(session, rows, place, pushed, blobs));
    CHECK(rows.finish(written.bytes));
    if (pushed.tags.empty())
        CHECK(note_lacking_sites(session, place, pushed.digest.text(), pushed.digest.text(), pushed.actor));
    CHECK(record_commit(session, place, pushed, written.change, rows.moved_tags()));
    return written.change;
}

}  // namespace entrepot
