#include "registry/artifacts.hpp"

#include "access/require.hpp"
#include "registry/repositories.hpp"

namespace entrepot {
namespace {

const Permission list_artifacts = need(ObjectKind::project, "artifact", "list");
const Permission read_artifact = need(ObjectKind::project, "artifact", "read");
const Permission create_artifact = need(ObjectKind::project, "artifact", "create");
const Permission delete_artifact = need(ObjectKind::project, "artifact", "delete");
const Permission pull_repository = need(ObjectKind::project, "repository", "pull");
const Permission push_repository = need(ObjectKind::project, "repository", "push");
const Permission list_tags = need(ObjectKind::project, "tag", "list");
const Permission create_tag = need(ObjectKind::project, "tag", "create");
const Permission delete_tag = need(ObjectKind::project, "tag", "delete");
const Permission list_accessories = need(ObjectKind::project, "accessory", "list");
const Permission create_artifact_label = need(ObjectKind::project, "artifact-label", "create");
const Permission delete_artifact_label = need(ObjectKind::project, "artifact-label", "delete");

}  // namespace

Task<ListPage<ListedArtifact>>
Artifacts::of_repository(Caller caller, RepositoryName name, ListQuery query, ArtifactParts parts)
{
    CO_CHECK(require_in_repository(policy_, caller, list_artifacts, name));
    co_return co_await catalog_.of_repository(std::move(name), std::move(query), parts);
}

Task<ListPage<ListedArtifact>>
Artifacts::of_project(Caller caller, std::int64_t project_id, ListQuery query, ArtifactParts parts, bool latest_only)
{
    CO_CHECK(require(policy_, caller, list_artifacts, {.kind = ObjectKind::project, .id = project_id, .name = {}}));
    co_return co_await catalog_.of_project(project_id, std::move(query), parts, latest_only);
}

Task<ListedArtifact> Artifacts::find(Caller caller, RepositoryName name, Reference reference, ArtifactParts parts)
{
    CO_CHECK(require_in_repository(policy_, caller, read_artifact, name));
    co_return co_await catalog_.find(std::move(name), std::move(reference), parts);
}

Task<> Artifacts::remove(Caller caller, RepositoryName name, Reference reference)
{
    CO_CHECK(require_in_repository(policy_, caller, delete_artifact, name));
    co_return co_await catalog_.remove(std::move(name), std::move(reference), actor(caller));
}

Task<Digest> Artifacts::copy(Caller caller, RepositoryName from, Reference reference, RepositoryName into)
{
    CO_CHECK(require_in_repository(policy_, caller, create_artifact, into));
    CO_CHECK(require_in_repository(policy_, caller, push_repository, into));
    CO_CHECK(require_in_repository(policy_, caller, pull_repository, from));
    co_return co_await catalog_.copy(std::move(from), std::move(reference), std::move(into), actor(caller));
}

Task<ListPage<TagRecord>> Artifacts::tags(Caller caller, RepositoryName name, Reference reference, ListQuery query)
{
    CO_CHECK(require_in_repository(policy_, caller, list_tags, name));
    co_return co_await catalog_.tags(std::move(name), std::move(reference), std::move(query));
}

Task<> Artifacts::add_tag(Caller caller, RepositoryName name, Reference reference, Tag tag)
{
    CO_CHECK(require_in_repository(policy_, caller, create_tag, name));
    co_return co_await catalog_.add_tag(std::move(name), std::move(reference), std::move(tag), actor(caller));
}

Task<> Artifacts::remove_tag(Caller caller, RepositoryName name, Reference reference, Tag tag)
{
    CO_CHECK(require_in_repository(policy_, caller, delete_tag, name));
    co_return co_await catalog_.remove_tag(std::move(name), std::move(reference), std::move(tag), actor(caller));
}

Task<ListPage<AccessoryRecord>>
Artifacts::accessories(Caller caller, RepositoryName name, Reference reference, ListQuery query)
{
    CO_CHECK(require_in_repository(policy_, caller, list_accessories, name));
    co_return co_await catalog_.accessories(std::move(name), std::move(reference), std::move(query));
}

Task<> Artifacts::add_label(Caller caller, RepositoryName name, Reference reference, std::int64_t label_id)
{
    CO_CHECK(require_in_repository(policy_, caller, create_artifact_label, name));
    co_return co_await catalog_.add_label(std::move(name), std::move(reference), label_id, actor(caller));
}

Task<> Artifacts::remove_label(Caller caller, RepositoryName name, Reference reference, std::int64_t label_id)
{
    CO_CHECK(require_in_repository(policy_, caller, delete_artifact_label, name));
    co_return co_await catalog_.remove_label(std::move(name), std::move(reference), label_id, actor(caller));
}

}  // namespace entrepot
