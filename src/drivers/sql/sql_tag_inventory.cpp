#include "drivers/sql/sql_tag_inventory.hpp"

#include "drivers/sql/list_statement.hpp"
#include "drivers/sql/repository_rows.hpp"
#include "drivers/sql/tag_candidates.hpp"

namespace entrepot {

namespace {

constexpr SqlStatement select_repositories{
    "SELECT id, name FROM repositories WHERE project_id = $1 AND name > $2 ORDER BY name LIMIT $3"
};
constexpr SqlStatement find_expiry{"SELECT t.expires_at FROM repositories r JOIN tags t ON t.repository_id = r.id "
                                   "WHERE r.name = $1 AND t.name = $2"};
constexpr SqlStatement update_expiry{"UPDATE tags SET expires_at = $3 WHERE name = $2 AND repository_id = "
                                     "(SELECT r.id FROM repositories r WHERE r.name = $1) RETURNING name"};
constexpr SqlStatement select_expired{
    "SELECT r.name, t.name, t.manifest_id, t.pushed_at FROM tags t JOIN repositories r ON r.id = t.repository_id "
    "WHERE t.expires_at > 0 AND t.expires_at <= $1 ORDER BY t.expires_at LIMIT $2"
};
constexpr SqlStatement postpone{
    "UPDATE tags SET expires_at = $4 WHERE name = $2 AND pushed_at = $3 AND expires_at > 0 AND repository_id = "
    "(SELECT r.id FROM repositories r WHERE r.name = $1)"
};

constexpr SqlStatement forget_source{"DELETE FROM images_in_use WHERE project_id = $1 AND source = $2"};
constexpr SqlStatement insert_image{
    "INSERT INTO images_in_use (project_id, source, repository, reference, until) VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT (project_id, source, repository, reference) DO NOTHING"
};
constexpr SqlStatement forget_ended{"DELETE FROM images_in_use WHERE until <= $1"};
constexpr SqlStatement find_project_name{"SELECT name FROM projects WHERE id = $1", "FOR KEY SHARE"};

constexpr ListColumn image_fields[] = {
    {"source", "u.source"},
    {"repository", "u.repository"},
    {"reference", "u.reference"},
};

std::unexpected<Error> no_such_tag(const RepositoryName& repository, const Tag& tag)
{
    return fail(Errc::manifest_unknown, "there is no tag " + tag.text() + " in repository " + repository.text());
}

std::string_view below_project(const RepositoryName& name)
{
    return std::string_view{name.text()}.substr(name.project().size() + 1);
}

Result<std::vector<TagInventory::Place>>
list_places(SqlSession& session, std::int64_t project_id, const std::string& after, std::int64_t limit)
{
    TRY(const auto rows, session.run(select_repositories, {project_id, after, limit}));
    std::vector<TagInventory::Place> places;
    for (const SqlRow& row : rows) {
        TRY(auto name, RepositoryName::parse(row.text(1)));
        places.push_back({row.integer(0), project_id, std::move(name)});
    }
    return places;
}

Result<std::vector<ExpiredTag>> list_expired(SqlSession& session, Micros now, std::int64_t limit)
{
    TRY(auto rows, session.run(select_expired, {now, limit}));
    std::vector<ExpiredTag> tags;
    for (SqlRow& row : rows) {
        TRY(auto repository, RepositoryName::parse(row.text(0)));
        tags.push_back({
            std::move(repository),
            {.name = row.take_text(1), .manifest_id = row.integer(2), .pushed_at = row.integer(3)},
        });
    }
    return tags;
}

Result<> replace_images(
    SqlSession& session, std::int64_t project_id, const std::string& source, const std::vector<ImageInUse>& images
)
{
    TRY(const auto project, session.run(find_project_name, {project_id}));
    if (project.empty()) return fail(Errc::not_found, "there is no such project");
    CHECK(session.run(forget_source, {project_id, source}));
    for (const auto& image : images) {
        CHECK(session.run(
            insert_image, {project_id, source, below_project(image.repository), image.reference.text(), image.until}
        ));
    }
    return {};
}

Result<ListPage<ImageInUse>>
list_images(SqlSession& session, std::int64_t project_id, Micros now, const ListQuery& query)
{
    ListStatement statement{
        "u.source, p.name, u.repository, u.reference, u.until",
        "images_in_use u JOIN projects p ON p.id = u.project_id",
        image_fields
    };
    statement.where("u.project_id = ? AND u.until > ?", {project_id, now});
    CHECK(statement.apply(query));
    statement.order_by("u.source, u.repository, u.reference");
    ListPage<ImageInUse> page;
    TRY(page.total, statement.count(session));
    TRY(auto rows, statement.page(session));
    for (SqlRow& row : rows) {
        TRY(auto repository, RepositoryName::parse(row.text(1) + "/" + row.text(2)));
        TRY(auto reference, Reference::parse(row.text(3)));
        page.items.push_back({row.take_text(0), std::move(repository), std::move(reference), row.integer(4)});
    }
    return page;
}

}  // namespace

Task<std::vector<TagInventory::Place>>
SqlTagInventory::repositories(std::int64_t project_id, std::string after, std::int64_t limit)
{
    const auto work = [project_id, after, limit](SqlSession& session) {
        return list_places(session, project_id, after, limit);
    };
    co_return co_await engine_.read(work);
}

Task<std::vector<RetentionCandidate>>
SqlTagInventory::tags(Place place, std::string after, std::int64_t limit, Micros now)
{
    const auto work = [place, after, limit, now](SqlSession& session) {
        return read_tag_candidates(session, place, after, limit, now);
    };
    co_return co_await engine_.read(work);
}

Task<std::vector<RetentionCandidate>>
SqlTagInventory::untagged(Place place, std::int64_t after, std::int64_t limit, Micros now)
{
    const auto work = [place, after, limit, now](SqlSession& session) {
        return read_untagged_candidates(session, place, after, limit, now);
    };
    co_return co_await engine_.read(work);
}

Task<TagInventory::Removed>
SqlTagInventory::remove(RepositoryName repository, std::vector<RetentionCandidate> doomed, Actor actor)
{
    const auto work = [repository, doomed = std::move(doomed), actor](SqlSession& session) {
        return remove_candidates(session, repository, doomed, actor);
    };
    const auto settled = [cache = cache_, repository] {
        if (cache) cache->contents_removed(repository.text());
    };
    co_return co_await engine_.write(Durability::durable, work, settled);
}

Task<Micros> SqlTagInventory::expiry(RepositoryName repository, Tag tag)
{
    const auto work = [repository, tag](SqlSession& session) -> Result<Micros> {
        TRY(const auto rows, session.run(find_expiry, {repository.text(), tag.text()}));
        if (rows.empty()) return no_such_tag(repository, tag);
        return rows.front().integer(0);
    };
    co_return co_await engine_.read(work);
}

Task<> SqlTagInventory::set_expiry(RepositoryName repository, Tag tag, Micros at)
{
    const auto work = [repository, tag, at](SqlSession& session) -> Result<> {
        TRY(const auto rows, session.run(update_expiry, {repository.text(), tag.text(), at}));
        if (rows.empty()) return no_such_tag(repository, tag);
        return {};
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<std::vector<ExpiredTag>> SqlTagInventory::expired(Micros now, std::int64_t limit)
{
    const auto work = [now, limit](SqlSession& session) { return list_expired(session, now, limit); };
    co_return co_await engine_.read(work);
}

Task<> SqlTagInventory::postpone_expiry(ExpiredTag tag, Micros until)
{
    const auto work = [tag, until](SqlSession& session) -> Result<> {
        CHECK(session.run(postpone, {tag.repository.text(), tag.tag.name, tag.tag.pushed_at, until}));
        return {};
    };
    co_return co_await engine_.write(Durability::process, work);
}

Task<> SqlTagInventory::use(std::int64_t project_id, std::string source, std::vector<ImageInUse> images)
{
    const auto work = [project_id, source, images = std::move(images)](SqlSession& session) {
        return replace_images(session, project_id, source, images);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<ListPage<ImageInUse>> SqlTagInventory::in_use(std::int64_t project_id, Micros now, ListQuery query)
{
    const auto work = [project_id, now, query](SqlSession& session) {
        return list_images(session, project_id, now, query);
    };
    co_return co_await engine_.read(work);
}

Task<> SqlTagInventory::forget_unused(Micros now)
{
    const auto work = [now](SqlSession& session) -> Result<> {
        CHECK(session.run(forget_ended, {now}));
        return {};
    };
    co_return co_await engine_.write(Durability::process, work);
}

}  // namespace entrepot
