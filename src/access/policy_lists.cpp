#include "access/decision.hpp"
#include "access/policy.hpp"
#include "access/require.hpp"

#include <algorithm>
#include <iterator>

namespace entrepot {
namespace {

ObjectRef project_ref(std::int64_t id) noexcept
{
    return {.kind = ObjectKind::project, .id = id, .name = {}};
}

// All subjects of the caller, with itself; nobody for anonymous.
std::vector<SubjectKey> subjects_of(const Asker& asker)
{
    if (asker.principal == nullptr) return {};
    auto subjects = asker.principal->subjects;
    subjects.push_back({.kind = SubjectKind::principal, .id = asker.principal->id});
    return subjects;
}

// Where the asker can have a right in at all; which one is for a decision to say.
AccessTables::IdSet projects_to_look_at(const AccessTables& tables, const Asker& asker, bool everywhere)
{
    if (everywhere) return tables.all_projects();
    auto ids = tables.open_projects();
    for (const auto& subject : subjects_of(asker)) {
        const auto& own = tables.projects_of(subject);
        ids.insert(own.begin(), own.end());
        for (const auto tenant : tables.tenants_of(subject)) {
            const auto& all = tables.projects_of_tenant(tenant);
            ids.insert(all.begin(), all.end());
        }
    }
    return ids;
}

AccessTables::IdSet tenants_to_look_at(const AccessTables& tables, const Asker& asker, bool everywhere)
{
    if (everywhere) return tables.all_tenants();
    AccessTables::IdSet ids;
    if (asker.principal) ids.insert(asker.principal->tenants.begin(), asker.principal->tenants.end());
    for (const auto& subject : subjects_of(asker)) {
        const auto& own = tables.tenants_of(subject);
        ids.insert(own.begin(), own.end());
    }
    return ids;
}

bool sees(const AccessTables& tables, const Asker& asker, const Caller& caller, std::int64_t id, const Clock& clock)
{
    const auto object = project_ref(id);
    const Decision decision{tables, asker, object, clock};
    if (!left_by_limit(caller, decision, decision.permissions(), object).empty()) return true;
    const bool limit_reaches = !caller.limit || !caller.limit->permissions_on(object, decision.tenant_id()).empty();
    return limit_reaches && decision.has_repository_grant();
}

// Whether a right on the platform counts in what is frozen too.
bool outlasts_freezing(const AccessTables& tables, const Asker& asker, Permission permission, const Clock& clock)
{
    return frozen_permissions().has(permission) || Decision{tables, asker, the_platform, clock}.is_platform_admin();
}

template <class Ids, class Wanted>
std::vector<std::int64_t> chosen(const Ids& ids, Wanted wanted)
{
    std::vector<std::int64_t> kept;
    std::ranges::copy_if(ids, std::back_inserter(kept), wanted);
    return kept;
}

}  // namespace

bool AccessPolicy::sees_project(const Caller& caller, std::int64_t id) const
{
    const std::shared_lock lock{mutex_};
    return sees(tables_, asker_of(tables_, caller, clock_), caller, id, clock_);
}

AccessPolicy::Ids AccessPolicy::visible_projects(const Caller& caller) const
{
    const std::shared_lock lock{mutex_};
    const auto asker = asker_of(tables_, caller, clock_);
    auto everywhere = Decision{tables_, asker, the_platform, clock_}.permissions();
    everywhere &= permissions_within(ObjectKind::project);
    // What a frozen project leaves of a right must count there too.
    auto lasting = everywhere;
    lasting &= frozen_permissions();
    if (!caller.limit && !lasting.empty()) return std::nullopt;
    return chosen(projects_to_look_at(tables_, asker, !everywhere.empty()), [&](std::int64_t id) {
        return sees(tables_, asker, caller, id, clock_);
    });
}

AccessPolicy::Ids AccessPolicy::projects_with(const Caller& caller, Permission permission) const
{
    const std::shared_lock lock{mutex_};
    const auto asker = asker_of(tables_, caller, clock_);
    const bool everywhere = Decision{tables_, asker, the_platform, clock_}.holds(permission);
    if (!caller.limit && everywhere && outlasts_freezing(tables_, asker, permission, clock_)) return std::nullopt;
    return chosen(projects_to_look_at(tables_, asker, everywhere), [&](std::int64_t id) {
        const auto object = project_ref(id);
        const Decision decision{tables_, asker, object, clock_};
        return decision.holds(permission) && limit_leaves(caller, decision, permission, object);
    });
}

AccessPolicy::Ids AccessPolicy::tenants_with(const Caller& caller, Permission permission) const
{
    const std::shared_lock lock{mutex_};
    const auto asker = asker_of(tables_, caller, clock_);
    const bool everywhere = Decision{tables_, asker, the_platform, clock_}.holds(permission);
    if (!caller.limit && everywhere && outlasts_freezing(tables_, asker, permission, clock_)) return std::nullopt;
    return chosen(tenants_to_look_at(tables_, asker, everywhere), [&](std::int64_t id) {
        const ObjectRef object{.kind = ObjectKind::tenant, .id = id, .name = {}};
        const Decision decision{tables_, asker, object, clock_};
        return decision.holds(permission) && limit_leaves(caller, decision, permission, object);
    });
}

std::vector<std::int64_t> AccessPolicy::projects_of_tenant(std::int64_t id) const
{
    const std::shared_lock lock{mutex_};
    const auto& ids = tables_.projects_of_tenant(id);
    return {ids.begin(), ids.end()};
}

}  // namespace entrepot
