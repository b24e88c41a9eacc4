#include "drivers/sql/manifest_rows.hpp"

#include "drivers/sql/artifact_rows.hpp"
#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/repository_rows.hpp"

namespace entrepot {

namespace {

constexpr SqlStatement load_by_tag{"SELECT m.digest, m.media_type, m.body, m.id, m.repository_id FROM repositories r "
                                   "JOIN tags t ON t.repository_id = r.id JOIN manifests m ON m.id = t.manifest_id "
                                   "WHERE r.name = $1 AND t.name = $2"};

constexpr SqlStatement load_by_digest{
    "SELECT m.digest, m.media_type, m.body, m.id, m.repository_id FROM repositories r "
    "JOIN manifests m ON m.repository_id = r.id WHERE r.name = $1 AND m.digest = $2"
};

constexpr SqlStatement find_manifest{"SELECT id, size FROM manifests WHERE repository_id = $1 AND digest = $2"};
constexpr SqlStatement find_tagged{"SELECT m.digest FROM tags t JOIN manifests m ON m.id = t.manifest_id "
                                   "WHERE t.repository_id = $1 AND t.name = $2"};

constexpr SqlStatement find_content{"SELECT r.id FROM repositories r WHERE r.name = $1 AND "
                                    "(EXISTS (SELECT 1 FROM manifests m WHERE m.repository_id = r.id) OR "
                                    "EXISTS (SELECT 1 FROM repository_blobs l WHERE l.repository_id = r.id))"};

constexpr SqlStatement select_tags{"SELECT name FROM tags WHERE repository_id = $1 AND name > $2 ORDER BY name LIMIT $3"
};

std::unexpected<Error> no_such_manifest(const RepositoryName& repository, const Reference& reference)
{
    return fail(
        Errc::manifest_unknown, "manifest " + reference.text() + " is not known in repository " + repository.text()
    );
}

// The first `limit` of at most limit + 1 rows.
NamePage page_of(SqlRows rows, std::int64_t limit)
{
    NamePage page;
    page.more = limit > 0 && static_cast<std::int64_t>(rows.size()) > limit;
    if (page.more) rows.pop_back();
    page.names.reserve(rows.size());
    for (SqlRow& row : rows) page.names.push_back(row.take_text(0));
    return page;
}

}  // namespace

Result<ManifestPtr> load_manifest(SqlSession& session, const RepositoryName& repository, const Reference& reference)
{
    const SqlStatement& statement = reference.digest() ? load_by_digest : load_by_tag;
    TRY(auto rows, session.run(statement, {repository.text(), reference.text()}));
    if (rows.empty()) {
        TRY(const auto known, find_repository(session, repository));
        if (!known) return no_such_repository(repository);
        return no_such_manifest(repository, reference);
    }
    SqlRow& row = rows.front();
    TRY(auto digest, Digest::parse(row.text(0)));
    return std::make_shared<const StoredManifest>(
        StoredManifest{std::move(digest), row.take_text(1), row.take_text(2), row.integer(3), row.integer(4)}
    );
}

Result<>
remove_manifest(SqlSession& session, const RepositoryName& repository, const Reference& reference, const Actor& actor)
{
    TRY(const auto place, lock_repository(session, repository));
    if (!place) return no_such_repository(repository);
    ArtifactRows rows{session, *place, actor};
    if (reference.tag()) {
        TRY(const auto tagged, session.run(find_tagged, {place->id, reference.text()}));
        if (tagged.empty()) return no_such_manifest(repository, reference);
        CHECK(rows.untag(reference.text()));
        const auto event = event_in_project(event_type::tag_deleted, actor, place->project_id);
        CHECK(record_tag(session, event, repository.text(), reference.text(), tagged.front().text(0)));
        return rows.finish(0);
    }
    TRY(const auto found, session.run(find_manifest, {place->id, reference.text()}));
    if (found.empty()) return no_such_manifest(repository, reference);
    const auto event = event_in_project(event_type::artifact_deleted, actor, place->project_id);
    CHECK(record_removal(session, event, repository.text(), found.front().integer(0)));
    CHECK(rows.remove(found.front().integer(0)));
    return rows.finish(-found.front().integer(1));
}

Result<NamePage> list_tags(SqlSession& session, const RepositoryName& repository, const PageRequest& page)
{
    TRY(const auto content, session.run(find_content, {repository.text()}));
    if (content.empty()) return no_such_repository(repository);
    if (page.limit <= 0) return NamePage{};
    TRY(auto rows, session.run(select_tags, {content.front().integer(0), page.last, page.limit + 1}));
    return page_of(std::move(rows), page.limit);
}

}  // namespace entrepot
