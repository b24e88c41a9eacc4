#pragma once

#include "access/project_source.hpp"
#include "core/task.hpp"
#include "oci/names.hpp"
#include "ports/actor.hpp"
#include "ports/list_query.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace entrepot {

// What a project's metadata says, by Harbor's names, beside what has columns of its own (public, shared).
using ProjectMetadata = std::map<std::string, std::string, std::less<>>;

inline constexpr std::int64_t default_tenant_id = 1;
inline constexpr std::int64_t no_quota = -1;

// A project with the counts that are kept with its row.
struct Project {
    std::int64_t id = 0;
    std::string name;
    bool is_public = false;
    std::int64_t bytes = 0;  // sizes of the distinct blobs linked in it, and of its manifests
    std::int64_t owner_id = 0;
    Micros created_at = 0;
    Micros updated_at = 0;
    std::string owner_name;  // empty when the owner is gone
    std::int64_t tenant_id = default_tenant_id;
    std::string tenant_name;
    bool shared = false;
    bool frozen = false;
    bool is_protected = false;
    std::int64_t quota_bytes = no_quota;
    std::int64_t quota_artifacts = no_quota;
    std::int64_t repository_count = 0;
    std::int64_t artifact_count = 0;
    ProjectMetadata metadata;
    std::int64_t registry_id = 0;  // the endpoint that it caches; 0: it is no proxy cache
    std::string proxy_settings{};  // a JSON object with how it is one; empty: as by default
    std::vector<ProjectSource> sources{};
};

struct NewProject {
    ProjectName name;
    bool is_public = false;
    bool shared = false;
    std::int64_t tenant_id = default_tenant_id;
    std::int64_t quota_bytes = no_quota;
    std::int64_t quota_artifacts = no_quota;
    ProjectMetadata metadata{};
    std::int64_t registry_id = 0;
    std::string proxy_settings{};
    std::vector<ProjectSource> sources{};
};

// What is not set stays as it is.
struct ProjectChange {
    std::optional<bool> is_public{};
    std::optional<bool> shared{};
    std::optional<bool> frozen{};
    std::optional<bool> is_protected{};
    std::map<std::string, std::optional<std::string>, std::less<>> metadata{};  // nullopt: removed
    // false: conflict when one of the metadata is there already; true: not_found when one is not there.
    std::optional<bool> metadata_exists{};
    std::optional<std::string> proxy_settings{};
    std::optional<std::vector<ProjectSource>> sources{};  // the whole list
};

struct ProjectQuota {
    std::optional<std::int64_t> bytes{};  // no_quota, or from 0
    std::optional<std::int64_t> artifacts{};
};

// Projects. Durable when acknowledged; unavailable, storage_full.
class ProjectCatalog {
public:
    virtual ~ProjectCatalog() = default;

    // In the order of names where the query has none. `visible`: only these ids (ascending). Fields: name, project_id,
    // id, public, shared, frozen, protected, owner, owner_id, tenant, tenant_id, creation_time, update_time,
    // repo_count, artifact_count, and the quotas' hard.storage, used.storage, hard.artifacts, used.artifacts,
    // ref.name. Costs a fixed number of statements. bad_request.
    virtual Task<ListPage<Project>> list(ListQuery query, std::optional<std::vector<std::int64_t>> visible) = 0;
    virtual Task<Project> find(ProjectName name) = 0;  // name_unknown
    virtual Task<Project> find(std::int64_t id) = 0;   // name_unknown

    // The actor becomes its owner and gets its admin's grant. conflict when it exists, not_found without the tenant or
    // the endpoint, unprocessable when its limits don't fit into what the tenant was allocated.
    virtual Task<Project> create(NewProject project, Actor actor) = 0;

    virtual Task<Project> change(std::int64_t id, ProjectChange change, Actor actor) = 0;  // name_unknown
    // name_unknown; unprocessable when the limits of the tenant's projects would exceed the tenant's own.
    virtual Task<Project> set_quota(std::int64_t id, ProjectQuota quota, Actor actor) = 0;

    // Why the project can't be deleted; empty when it can. name_unknown.
    virtual Task<std::string> obstacle(std::int64_t id) = 0;
    // With its grants, labels and robots. name_unknown; precondition_failed with the obstacle.
    virtual Task<> remove(std::int64_t id, Actor actor) = 0;

    // How many grants on the whole project each role has at `now`.
    virtual Task<std::map<std::int64_t, std::int64_t>> grants_by_role(std::int64_t id, Micros now) = 0;
};

}  // namespace entrepot
