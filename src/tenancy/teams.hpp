#pragma once

#include "ports/tenant_catalog.hpp"
#include "tenancy/granting.hpp"
#include "tenancy/tenants.hpp"

#include <optional>
#include <string>

namespace entrepot {

// The teams of a tenant and who is in them. Whoever joins a team gets all that it was granted, so only somebody who
// holds all that adds people to it. The team of all members follows the tenant's members and can't be edited.
class Teams {
public:
    Teams(TeamCatalog& catalog, Granting& granting) : catalog_{catalog}, granting_{granting} {}

    Task<ListPage<Team>> list(Caller caller, std::int64_t tenant_id, ListQuery query);
    Task<Team> find(Caller caller, std::int64_t tenant_id, std::int64_t id);  // not_found
    Task<Team> create(Caller caller, std::int64_t tenant_id, std::string name, std::string description);
    struct Changed {
        Team before;
        Team after;
    };
    Task<Changed> change(
        Caller caller,
        std::int64_t tenant_id,
        std::int64_t id,
        std::optional<std::string> name,
        std::optional<std::string> description
    );
    Task<Team> remove(Caller caller, std::int64_t tenant_id, std::int64_t id);  // what it was

    Task<ListPage<TeamMember>> members(Caller caller, std::int64_t tenant_id, std::int64_t id, ListQuery query);
    // Who was added. not_found: also somebody who is no member of the tenant; conflict, denied, precondition_failed.
    Task<GrantSubject> add_member(Caller caller, std::int64_t tenant_id, std::int64_t id, SubjectRef user);
    Task<> remove_member(Caller caller, std::int64_t tenant_id, std::int64_t id, std::int64_t user_id);

private:
    TeamCatalog& catalog_;
    Granting& granting_;
};

}  // namespace entrepot
