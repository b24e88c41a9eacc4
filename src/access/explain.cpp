#include "access/decision.hpp"
#include "access/policy.hpp"

#include <limits>

namespace entrepot {
namespace {

std::string_view word_for(SubjectKind kind) noexcept
{
    switch (kind) {
        case SubjectKind::principal: return "itself";
        case SubjectKind::team: return "a team";
        case SubjectKind::group: return "a group";
    }
    return "";
}

std::string named(Permission permission)
{
    const auto& row = permission.row();
    return std::string{row.resource} + ":" + std::string{row.action};
}

std::string role_name(const AccessTables& tables, std::int64_t id)
{
    if (const auto* builtin = builtin_role(id)) return builtin->name;
    const auto custom = tables.shared_role(id);
    return custom ? custom->name : std::string{};
}

Explanation denial(std::string reason)
{
    Explanation explanation;
    explanation.reason = std::move(reason);
    return explanation;
}

Explanation by_right(const AccessTables& tables, const Decision::Right& right)
{
    Explanation explanation;
    explanation.allowed = true;
    explanation.role_id = right.role_id;
    explanation.through = right.through;
    if (right.grant == nullptr) {
        explanation.reason = "every member of the tenant may";
        return explanation;
    }
    explanation.grant_id = right.grant->id;
    const auto name = role_name(tables, right.role_id);
    explanation.reason = "a grant on the " + std::string{name_of(right.grant->kind)} + " to " +
                         std::string{word_for(right.through.kind)} +
                         (name.empty() ? " names this permission" : " with the role " + name);
    return explanation;
}

}  // namespace

Explanation AccessPolicy::explain(Caller caller, Permission permission, const ObjectRef& object) const
{
    if (!permissions_within(object.kind).has(permission)) {
        return denial(named(permission) + " is nothing that can be done to a " + std::string{name_of(object.kind)});
    }
    const std::shared_lock lock{mutex_};
    // Any credential: the question is about the principal and, where they ask themselves, what theirs is limited to.
    caller.credential_version = std::numeric_limits<std::int64_t>::max();
    caller.access_token_id = 0;
    const auto asker = asker_of(tables_, caller, clock_);
    if (!asker.stands) return denial("there is no such principal, or it is disabled or has expired");
    const Decision decision{tables_, asker, object, clock_};
    if (!decision.exists()) return denial("there is no such " + std::string{name_of(object.kind)});

    std::optional<Explanation> found;
    decision.visit_rights([&](const Decision::Right& right) {
        if (right.permissions.has(permission)) found = by_right(tables_, right);
        return found.has_value();
    });
    if (!found && decision.open() && public_permissions().has(permission)) {
        found.emplace();
        found->allowed = true;
        found->reason = decision.open_to_all() ? "the project is public" : "the project is shared with every user";
    }
    if (!found) return denial("no grant gives " + named(permission) + " here");
    if (decision.frozen() && !frozen_permissions().has(permission) && !decision.is_platform_admin()) {
        found->allowed = false;
        found->reason = "the tenant or the project is frozen; otherwise " + found->reason;
    }
    if (!limit_leaves(caller, decision, permission, object)) {
        found->allowed = false;
        found->reason = "the access token's scopes don't include it; otherwise " + found->reason;
    }
    return *std::move(found);
}

}  // namespace entrepot
