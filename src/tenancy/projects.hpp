#pragma once

#include "access/policy.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "oci/names.hpp"
#include "ports/endpoint_catalog.hpp"
#include "ports/project_catalog.hpp"
#include "tenancy/access_directory.hpp"
#include "tenancy/settings.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace entrepot {

// A project that somebody asks for.
struct ProjectOrder {
    ProjectName name;
    std::string tenant;  // name or id; empty: the default one
    bool is_public = false;
    bool shared = false;
    std::optional<std::int64_t> storage_limit{};  // of who may set limits; others get the installation's
    ProjectMetadata metadata{};
    std::int64_t registry_id = 0;  // the endpoint that it is to cache; 0: none
    std::string proxy_settings{};  // how it is to cache it, checked
    std::vector<ProjectSource> sources{};
};

// Projects and their quotas as people manage them. Every change is in the policy's memory before it is acknowledged
// here. What the caller may not see is not_found; what it may only see is denied.
class Projects {
public:
    struct Needs {
        ProjectCatalog& catalog;
        EndpointCatalog& endpoints;
        const AccessPolicy& policy;
        AccessDirectory& directory;
        const Settings& settings;
        const Clock& clock;
    };
    explicit Projects(const Needs& needs) : needs_{needs} {}

    // Those that the caller has any right in: a robot that may only pull finds its projects here, as in Harbor.
    Task<ListPage<Project>> list(Caller caller, ListQuery query);
    Task<Project> find(Caller caller, std::int64_t id);
    // conflict when the name is taken, also by what the caller can't see: names are one space across tenants. denied,
    // bad_request for an endpoint that is not the caller's to use, or there is none, and for sources they don't see.
    Task<Project> create(Caller caller, ProjectOrder order);
    // frozen and is_protected are the tenant's admin's to change, all else the project's.
    Task<Project> change(Caller caller, std::int64_t id, ProjectChange change);
    // For its metadata, which not everybody who may read it may ask for by name.
    Task<Project> metadata(Caller caller, std::int64_t id);
    // One entry of the metadata; nullopt removes it. `exists`: as ProjectChange::metadata_exists.
    Task<Project> change_metadata(
        Caller caller, std::int64_t id, std::string name, std::optional<std::string> value, std::optional<bool> exists
    );
    Task<std::string> obstacle(Caller caller, std::int64_t id);  // to its deletion; empty: none
    Task<> remove(Caller caller, std::int64_t id);               // precondition_failed

    struct Summary {
        Project project;
        std::optional<std::map<std::int64_t, std::int64_t>> members;  // by role; for who may list them
        bool shows_quota = false;
    };
    Task<Summary> summary(Caller caller, std::int64_t id);

    // Quotas of the projects whose tenants' quotas the caller may read; denied for others.
    Task<ListPage<Project>> list_quotas(Caller caller, ListQuery query);
    Task<Project> quota(Caller caller, std::int64_t id);
    Task<Project> set_quota(Caller caller, std::int64_t id, ProjectQuota quota);

    // The strongest of Harbor's five project roles whose rights the caller all has; 0: none of them.
    std::int64_t role_of(const Caller& caller, std::int64_t id) const;
    bool may_change(const Caller& caller, std::int64_t id) const;

private:
    Result<std::shared_ptr<const ProjectAccess>> visible(const Caller& caller, std::int64_t id) const;
    Result<std::shared_ptr<const TenantAccess>> tenant_of(const Caller& caller, const std::string& text) const;
    bool is_member(const Caller& caller, std::int64_t tenant_id) const;
    Task<> check_endpoint(Caller caller, std::int64_t id, std::int64_t tenant_id) const;
    Result<> check_sources(
        const Caller& caller, const std::vector<ProjectSource>& sources, const std::vector<ProjectSource>& before
    ) const;
    bool may_create_in(const Caller& caller, const TenantAccess& tenant) const;
    Result<> may_set_quota(const Caller& caller, std::int64_t project_id) const;
    Actor actor(const Caller& caller) const { return {caller.identity->user_id, needs_.clock.now()}; }

    Needs needs_;
};

}  // namespace entrepot
