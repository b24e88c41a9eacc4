#pragma once

#include "core/task.hpp"
#include "ports/actor.hpp"
#include "ports/list_query.hpp"
#include "ports/project_catalog.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace entrepot {

// The team of all members, which every tenant has. Its members are the tenant's.
inline constexpr const char* implicit_team = "everyone";

struct Tenant {
    std::int64_t id = 0;
    std::string name;
    std::string display_name;
    std::string description;
    bool frozen = false;            // nothing in it changes
    bool is_protected = false;      // it can't be deleted
    std::int64_t quota_bytes = -1;  // what its projects may be given together; -1: as much as they like
    std::int64_t quota_artifacts = -1;
    std::int64_t project_count = 0;
    std::int64_t member_count = 0;
    Micros created_at = 0;
    Micros updated_at = 0;
};

// A right that a new team starts with, on the tenant itself or on a kind of thing in it.
struct TeamRight {
    std::string object_kind;
    std::int64_t role_id = 0;
    std::string permissions;  // "resource:action …" where no role is named
};

struct NewTeam {
    std::string name;
    std::string description;
    std::vector<TeamRight> rights;
};

struct NewTenant {
    std::string name;
    std::string display_name;
    std::string description;
    std::int64_t quota_bytes = -1;
    std::int64_t quota_artifacts = -1;
    std::vector<NewTeam> teams;        // beside the implicit one
    std::vector<std::int64_t> admins;  // users who become members and tenant admins
};

// What is nullopt stays.
struct TenantChange {
    std::optional<std::string> display_name;
    std::optional<std::string> description;
    std::optional<bool> frozen;
    std::optional<bool> is_protected;
};

// What a tenant may use, has given to its projects and what these hold.
struct TenantQuota {
    std::int64_t quota_bytes = -1;
    std::int64_t quota_artifacts = -1;
    std::int64_t allocated_bytes = 0;
    std::int64_t allocated_artifacts = 0;
    std::int64_t used_bytes = 0;
    std::int64_t used_artifacts = 0;
};

struct TenantMember {
    std::int64_t user_id = 0;
    std::string name;
    std::string email;
    std::string realname;
    Micros joined_at = 0;
    std::vector<std::int64_t> roles;  // granted to this user on the tenant itself
};

// Tenants and who belongs to them. Every method is one transaction; changes are durable when acknowledged. unavailable,
// storage_full.
class TenantCatalog {
public:
    virtual ~TenantCatalog() = default;

    // Of the tenants `only`, or of all. bad_request for a query that names what a tenant hasn't.
    virtual Task<ListPage<Tenant>> list(std::optional<std::vector<std::int64_t>> only, ListQuery query) = 0;
    virtual Task<Tenant> find(std::int64_t id) = 0;                                      // not_found
    virtual Task<Tenant> create(NewTenant tenant, Actor actor) = 0;                      // conflict, not_found (user)
    virtual Task<Tenant> change(std::int64_t id, TenantChange change, Actor actor) = 0;  // not_found
    // not_found; precondition_failed while it is protected or has projects, and for the default tenant. Its teams,
    // robots and the grants in it go with it.
    virtual Task<> remove(std::int64_t id, Actor actor) = 0;

    virtual Task<TenantQuota> quota(std::int64_t id) = 0;  // not_found
    // not_found; unprocessable, naming projects, when its projects have been given more than that.
    virtual Task<> allocate(std::int64_t id, std::int64_t bytes, std::int64_t artifacts, Actor actor) = 0;

    virtual Task<ListPage<TenantMember>> members(std::int64_t id, ListQuery query) = 0;  // bad_request
    virtual Task<TenantMember> member(std::int64_t id, std::int64_t user_id) = 0;        // not_found
    // not_found: tenant or user; conflict: they are a member. `role_id` is granted on the tenant, 0: none.
    virtual Task<> add_member(std::int64_t id, std::int64_t user_id, std::int64_t role_id, Actor actor) = 0;
    // Also from the tenant's teams, and the user's grants on whatever is the tenant's end. not_found.
    virtual Task<> remove_member(std::int64_t id, std::int64_t user_id, Actor actor) = 0;
};

struct Team {
    std::int64_t id = 0;
    std::int64_t tenant_id = 0;
    std::string name;
    std::string description;
    bool implicit = false;
    std::int64_t member_count = 0;
    Micros created_at = 0;
    Micros updated_at = 0;
};

struct TeamMember {
    std::int64_t user_id = 0;
    std::string name;
    std::string realname;
    Micros added_at = 0;
};

// The teams of tenants. Teams of another tenant than the one that is named are not found. Otherwise as TenantCatalog.
class TeamCatalog {
public:
    virtual ~TeamCatalog() = default;

    virtual Task<ListPage<Team>> list(std::int64_t tenant_id, ListQuery query) = 0;  // bad_request
    virtual Task<Team> find(std::int64_t tenant_id, std::int64_t id) = 0;            // not_found
    virtual Task<Team> implicit(std::int64_t tenant_id) = 0;                         // not_found
    // conflict: the tenant has one of this name; not_found: the tenant.
    virtual Task<Team> create(std::int64_t tenant_id, NewTeam team, Actor actor) = 0;
    // not_found, conflict; precondition_failed for the implicit team's name.
    virtual Task<Team> change(
        std::int64_t tenant_id,
        std::int64_t id,
        std::optional<std::string> name,
        std::optional<std::string> description,
        Actor actor
    ) = 0;
    // With its grants. not_found; precondition_failed for the implicit team.
    virtual Task<> remove(std::int64_t tenant_id, std::int64_t id, Actor actor) = 0;

    virtual Task<ListPage<TeamMember>> members(std::int64_t tenant_id, std::int64_t id, ListQuery query) = 0;
    // not_found: the team, or no member of the tenant; conflict: they are in it; precondition_failed: implicit.
    virtual Task<> add_member(std::int64_t tenant_id, std::int64_t id, std::int64_t user_id, Actor actor) = 0;
    // not_found, precondition_failed.
    virtual Task<> remove_member(std::int64_t tenant_id, std::int64_t id, std::int64_t user_id, Actor actor) = 0;
};

}  // namespace entrepot
