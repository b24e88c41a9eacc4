#include "drivers/sql/artifact_changes.hpp"
#include "drivers/sql/artifact_list.hpp"
#include "drivers/sql/manifest_rows.hpp"
#include "drivers/sql/repository_rows.hpp"

#include <set>

namespace entrepot {

namespace {

constexpr SqlStatement find_digest{"SELECT m.id FROM repositories r JOIN manifests m ON m.repository_id = r.id "
                                   "WHERE r.name = $1 AND m.digest = $2"};

// It stays, and so do the links of its blobs, until the copy is committed.
constexpr SqlStatement lock_source{
    "SELECT m.id FROM repositories r JOIN manifests m ON m.repository_id = r.id WHERE r.name = $1 AND m.digest = $2",
    "FOR KEY SHARE OF m"
};

constexpr SqlStatement select_children{
    "SELECT m.id, m.digest FROM manifest_children c JOIN manifests m ON m.digest = c.digest AND m.repository_id = $2 "
    "WHERE c.manifest_id = $1 ORDER BY m.id"
};

constexpr SqlStatement select_accessories{
    "SELECT manifest_id, digest FROM artifacts WHERE repository_id = $1 AND subject_digest = $2 ORDER BY manifest_id"
};

constexpr SqlStatement load_source{
    "SELECT m.id, m.media_type, m.body, a.type, a.config_media_type, a.extra, a.icon FROM repositories r "
    "JOIN manifests m ON m.repository_id = r.id JOIN artifacts a ON a.manifest_id = m.id "
    "WHERE r.name = $1 AND m.digest = $2"
};

constexpr SqlStatement select_tags{"SELECT name FROM tags WHERE manifest_id = $1 ORDER BY name"};

// Only what the source repository really holds: a sparse manifest also refers to blobs of others.
constexpr SqlStatement select_blobs{
    "SELECT b.id, b.size, b.state FROM repositories r JOIN manifests m ON m.repository_id = r.id "
    "JOIN manifest_blobs u ON u.manifest_id = m.id JOIN repository_blobs l ON l.blob_id = u.blob_id "
    "AND l.repository_id = r.id JOIN blobs b ON b.id = u.blob_id WHERE r.name = $1 AND m.digest = $2 ORDER BY b.id",
    "FOR SHARE OF b"
};

constexpr std::size_t most_steps = 10'000;

// What a copy of one artifact takes along, found depth first; each manifest once.
class CopyPlan {
public:
    CopyPlan(SqlSession& session, std::int64_t repository_id) : session_{session}, repository_id_{repository_id} {}

    // Depth is bounded by the nesting of indexes and of signatures on signatures.
    Result<> add(std::int64_t id, const std::string& digest, bool root, int depth)
    {
        if (!seen_.insert(digest).second) return {};
        if (depth > 16 || seen_.size() > most_steps) {
            return fail(Errc::unprocessable, "too much belongs to this artifact to copy it at once");
        }
        TRY(const auto children, session_.run(select_children, {id, repository_id_}));
        for (const SqlRow& child : children) CHECK(add(child.integer(0), child.text(1), false, depth + 1));
        TRY(auto parsed, Digest::parse(digest));
        steps_.push_back({std::move(parsed), root});
        TRY(const auto accessories, session_.run(select_accessories, {repository_id_, digest}));
        for (const SqlRow& row : accessories) CHECK(add(row.integer(0), row.text(1), false, depth + 1));
        return {};
    }

    std::vector<CopyStep> take() && { return std::move(steps_); }

private:
    SqlSession& session_;
    std::int64_t repository_id_;
    std::set<std::string> seen_;
    std::vector<CopyStep> steps_;
};

}  // namespace

Result<std::vector<CopyStep>>
plan_copy(SqlSession& session, const RepositoryName& from, const Reference& reference, const RepositoryName& into)
{
    TRY(const auto source, resolve_artifact(session, from, reference));
    TRY(const auto there, session.run(find_digest, {into.text(), source.digest}));
    if (!there.empty())
        return fail(Errc::conflict, "the artifact " + source.digest + " is in " + into.text() + " already");
    return copy_steps(session, source.repository_id, source.id, source.digest);
}

Result<std::vector<CopyStep>>
copy_steps(SqlSession& session, std::int64_t repository_id, std::int64_t manifest_id, const std::string& digest)
{
    CopyPlan plan{session, repository_id};
    CHECK(plan.add(manifest_id, digest, true, 0));
    auto steps = std::move(plan).take();
    for (auto& step : steps) step.with = step.root ? std::string{} : digest;
    return steps;
}

Result<NewManifest> read_for_copy(
    SqlSession& session,
    const RepositoryName& from,
    const CopyStep& step,
    const RepositoryName& into,
    const Actor& actor
)
{
    TRY(auto rows, session.run(load_source, {from.text(), step.digest.text()}));
    if (rows.empty()) {
        return fail(Errc::manifest_unknown, "artifact " + step.digest.text() + " is no longer in " + from.text());
    }
    SqlRow& row = rows.front();
    TRY(const auto names, session.run(select_tags, {row.integer(0)}));
    std::vector<Tag> tags;
    for (const SqlRow& name : names) {
        TRY(auto tag, Tag::parse(name.text(0)));
        // Only the artifact that was asked for keeps its tags; but some signatures are found by theirs.
        if (step.root || accessory_of(tag)) tags.push_back(std::move(tag));
    }
    auto bytes = row.take_text(2);
    TRY(auto manifest, Manifest::parse(row.text(1), bytes));
    auto view = view_of(manifest, bytes, std::nullopt);
    view.type = row.take_text(3);
    view.config_media_type = row.take_text(4);
    view.extra = row.take_text(5);
    view.icon = row.take_text(6);
    return NewManifest{
        .repository = into,
        .digest = step.digest,
        .bytes = std::move(bytes),
        .manifest = std::move(manifest),
        .tags = std::move(tags),
        .actor = {actor.user_id, actor.at, Via::copy},
        .view = std::move(view),
        .may_lack_blobs = true,
        .copied_from = from.text(),
        .copied_with = step.with,
    };
}

Result<> write_copy(SqlSession& session, const RepositoryName& from, const NewManifest& manifest)
{
    TRY(const auto place, enter_repository(session, manifest.repository, manifest.actor.at));
    TRY(const auto source, session.run(lock_source, {from.text(), manifest.digest.text()}));
    if (source.empty()) {
        return fail(Errc::manifest_unknown, "artifact " + manifest.digest.text() + " is no longer in " + from.text());
    }
    TRY(const auto blobs, session.run(select_blobs, {from.text(), manifest.digest.text()}));
    for (const SqlRow& blob : blobs) {
        const BlobRow row{blob.integer(0), static_cast<std::uint64_t>(blob.integer(1)), BlobState{blob.integer(2)}, 0};
        CHECK(link_blob(session, place, row, manifest.actor.at));
    }
    CHECK(commit_manifest(session, manifest, {}));
    return {};
}

}  // namespace entrepot
