#include "drivers/sql/sql_artifacts.hpp"

#include "drivers/sql/artifact_changes.hpp"
#include "drivers/sql/artifact_list.hpp"

namespace entrepot {

Task<ListPage<ListedArtifact>> SqlArtifacts::of_repository(RepositoryName name, ListQuery query, ArtifactParts parts)
{
    const auto work = [name, query, parts](SqlSession& session) {
        return list_of_repository(session, name, query, parts);
    };
    co_return co_await engine_.read(work);
}

Task<ListPage<ListedArtifact>>
SqlArtifacts::of_project(std::int64_t project_id, ListQuery query, ArtifactParts parts, bool latest_only)
{
    const auto work = [project_id, query, parts, latest_only](SqlSession& session) {
        return list_of_project(session, project_id, query, parts, latest_only);
    };
    co_return co_await engine_.read(work);
}

Task<ListedArtifact> SqlArtifacts::find(RepositoryName name, Reference reference, ArtifactParts parts)
{
    const auto work = [name, reference, parts](SqlSession& session) {
        return find_artifact(session, name, reference, parts);
    };
    co_return co_await engine_.read(work);
}

Task<> SqlArtifacts::remove(RepositoryName name, Reference reference, Actor actor)
{
    const auto work = [name, reference, actor](SqlSession& session) {
        return remove_artifact(session, name, reference, actor);
    };
    const auto settled = [cache = cache_, name] {
        if (cache) cache->contents_removed(name.text());
    };
    co_return co_await engine_.write(Durability::durable, work, settled);
}

Task<Digest> SqlArtifacts::copy(RepositoryName from, Reference reference, RepositoryName into, Actor actor)
{
    const auto planning = [from, reference, into](SqlSession& session) {
        return plan_copy(session, from, reference, into);
    };
    CO_TRY(const auto steps, co_await engine_.read(planning));
    const auto settled = [cache = cache_, into] {
        if (cache) cache->tags_changed(into.text());
    };
    std::optional<Digest> root;
    for (const auto& step : steps) {
        if (step.root) root = step.digest;
        const auto reading = [from, step, into, actor](SqlSession& session) {
            return read_for_copy(session, from, step, into, actor);
        };
        CO_TRY(auto read, co_await engine_.read(reading));
        const auto manifest = std::make_shared<const NewManifest>(std::move(read));
        const auto writing = [from, manifest](SqlSession& session) { return write_copy(session, from, *manifest); };
        CO_CHECK(co_await engine_.write(Durability::durable, writing, settled));
    }
    co_return *std::move(root);
}

Task<ListPage<TagRecord>> SqlArtifacts::tags(RepositoryName name, Reference reference, ListQuery query)
{
    const auto work = [name, reference, query](SqlSession& session) {
        return list_artifact_tags(session, name, reference, query);
    };
    co_return co_await engine_.read(work);
}

Task<> SqlArtifacts::add_tag(RepositoryName name, Reference reference, Tag tag, Actor actor)
{
    const auto work = [name, reference, tag, actor](SqlSession& session) {
        return add_artifact_tag(session, name, reference, tag, actor);
    };
    const auto settled = [cache = cache_, name] {
        if (cache) cache->tags_changed(name.text());
    };
    co_return co_await engine_.write(Durability::durable, work, settled);
}

Task<> SqlArtifacts::remove_tag(RepositoryName name, Reference reference, Tag tag, Actor actor)
{
    const auto work = [name, reference, tag, actor](SqlSession& session) {
        return remove_artifact_tag(session, name, reference, tag, actor);
    };
    const auto settled = [cache = cache_, name] {
        if (cache) cache->tags_changed(name.text());
    };
    co_return co_await engine_.write(Durability::durable, work, settled);
}

Task<ListPage<AccessoryRecord>> SqlArtifacts::accessories(RepositoryName name, Reference reference, ListQuery query)
{
    const auto work = [name, reference, query](SqlSession& session) {
        return list_artifact_accessories(session, name, reference, query);
    };
    co_return co_await engine_.read(work);
}

Task<> SqlArtifacts::add_label(RepositoryName name, Reference reference, std::int64_t label_id, Actor actor)
{
    const auto work = [name, reference, label_id, actor](SqlSession& session) {
        return add_artifact_label(session, name, reference, label_id, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlArtifacts::remove_label(RepositoryName name, Reference reference, std::int64_t label_id, Actor actor)
{
    const auto work = [name, reference, label_id, actor](SqlSession& session) {
        return remove_artifact_label(session, name, reference, label_id, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

}  // namespace entrepot
