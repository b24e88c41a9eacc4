#include "tenancy/explain_access.hpp"

namespace entrepot {
namespace {

const Permission list_platform = need(ObjectKind::platform, "grant", "list");
const Permission list_tenant = need(ObjectKind::tenant, "grant", "list");
const Permission list_project = need(ObjectKind::project, "grant", "list");
const Permission read_tenant = need(ObjectKind::tenant, "tenant", "read");

PrincipalKind principal_kind(SubjectType type) noexcept
{
    switch (type) {
        case SubjectType::robot: return PrincipalKind::robot;
        case SubjectType::workload: return PrincipalKind::workload;
        default: return PrincipalKind::user;
    }
}

SubjectType type_of(const Identity& identity) noexcept
{
    switch (identity.kind) {
        case PrincipalKind::robot: return SubjectType::robot;
        case PrincipalKind::workload: return SubjectType::workload;
        case PrincipalKind::user: break;
    }
    return SubjectType::user;
}

}  // namespace

Result<> ExplainAccess::may_ask(const Caller& caller, const ObjectRef& object, bool about_others) const
{
    const auto& policy = granting_.policy();
    const auto at = administered_at(object.kind, object.id);
    if (at.kind == ObjectKind::platform) return about_others ? require(policy, caller, list_platform, at) : Result<>{};
    if (at.kind == ObjectKind::tenant) return require(policy, caller, about_others ? list_tenant : read_tenant, at);
    CHECK(require_project(policy, caller, policy.project(at.id)));
    return about_others ? require(policy, caller, list_project, at) : Result<>{};
}

// People, robots and workloads share one space of names.
Task<GrantSubject> ExplainAccess::principal(Caller caller, SubjectRef who)
{
    for (const auto type : {SubjectType::user, SubjectType::robot, SubjectType::workload}) {
        SubjectRef wanted{.type = type, .id = who.id, .name = who.name};
        auto found = co_await granting_.subject(caller, std::move(wanted), 0);
        if (found || found.error().code() != Errc::not_found) co_return found;
    }
    co_return fail(Errc::not_found, "there is no such user");
}

Task<AccessAnswer> ExplainAccess::explain(Caller caller, AccessQuestion question)
{
    const auto& self = *caller.identity;
    const bool about_others = question.who.id != 0 ? question.who.id != self.user_id
                                                   : !question.who.name.empty() && question.who.name != self.name;
    CO_CHECK(may_ask(caller, question.object, about_others));
    const auto permission = find_permission(question.object.kind, question.resource, question.action);
    if (!permission) {
        co_return fail(
            Errc::bad_request,
            "a " + std::string{name_of(question.object.kind)} + " has no permission " + question.resource + ":" +
                question.action
        );
    }
    GrantSubject subject{.type = type_of(self), .id = self.user_id, .name = self.name, .tenants = {}, .project_id = 0};
    if (about_others) {
        CO_TRY(subject, co_await principal(caller, std::move(question.who)));
    }
    Caller asked_about = caller;
    if (about_others) {
        const Identity identity{.user_id = subject.id, .name = subject.name, .kind = principal_kind(subject.type)};
        asked_about = Caller{.identity = std::make_shared<const Identity>(identity), .scopes = {}};
    }
    AccessAnswer answer;
    answer.explanation = granting_.policy().explain(std::move(asked_about), *permission, question.object);
    if (answer.explanation.grant_id != 0) {
        CO_TRY(answer.grant, co_await granting_.grants().find(answer.explanation.grant_id));
    }
    if (answer.explanation.role_id != 0) {
        RoleRef wanted{.id = answer.explanation.role_id, .name = {}};
        CO_TRY(answer.role, co_await granting_.role(std::move(wanted)));
    }
    if (const auto through = answer.explanation.through) {
        if (through->kind == SubjectKind::principal) {
            answer.through = std::move(subject);
        } else {
            const auto type = through->kind == SubjectKind::team ? SubjectType::team : SubjectType::group;
            CO_TRY(answer.through, co_await granting_.grants().find_subject(type, through->id));
        }
    }
    co_return answer;
}

}  // namespace entrepot
