#include "tenancy/project_members.hpp"

namespace entrepot {
namespace {

const Permission list_members = need(ObjectKind::project, "member", "list");
const Permission read_members = need(ObjectKind::project, "member", "read");
const Permission create_members = need(ObjectKind::project, "member", "create");
const Permission update_members = need(ObjectKind::project, "member", "update");
const Permission delete_members = need(ObjectKind::project, "member", "delete");

ObjectRef project_ref(std::int64_t id) noexcept
{
    return {.kind = ObjectKind::project, .id = id, .name = {}};
}

bool is_member(const Grant& grant, std::int64_t project_id, Micros now) noexcept
{
    const bool somebody = grant.subject_type == SubjectType::user || !is_principal(grant.subject_type);
    const bool harbors = grant.role_id >= role::project_admin && grant.role_id <= role::limited_guest;
    return grant.object_kind == ObjectKind::project && grant.object_id == project_id && grant.pattern.empty() &&
           somebody && harbors && (grant.expires_at == 0 || grant.expires_at > now);
}

}  // namespace

Task<ListPage<Grant>>
ProjectMembers::list(Caller caller, std::int64_t project_id, std::string name, std::int64_t offset, std::int64_t limit)
{
    CO_CHECK(require(granting_.policy(), caller, list_members, project_ref(project_id)));
    co_return co_await granting_.grants().project_members(project_id, std::move(name), granting_.now(), offset, limit);
}

Task<Grant> ProjectMembers::member(std::int64_t project_id, std::int64_t id)
{
    auto grant = co_await granting_.grants().find(id);
    const bool missing = !grant && grant.error().code() == Errc::not_found;
    if (missing || (grant && !is_member(*grant, project_id, granting_.now()))) {
        co_return fail(Errc::not_found, "the project has no such member");
    }
    co_return grant;
}

Task<Grant> ProjectMembers::find(Caller caller, std::int64_t project_id, std::int64_t id)
{
    CO_CHECK(require(granting_.policy(), caller, read_members, project_ref(project_id)));
    co_return co_await member(project_id, id);
}

Result<> ProjectMembers::may_give(const Caller& caller, std::int64_t project_id, std::int64_t role_id) const
{
    if (role_id < role::project_admin || role_id > role::limited_guest) {
        return fail(Errc::bad_request, "role_id is not one of a project's roles, 1 to 5");
    }
    return granting_.expect_holds(caller, *builtin_role(role_id), project_ref(project_id));
}

Task<Grant> ProjectMembers::add(Caller caller, std::int64_t project_id, GrantSubject subject, std::int64_t role_id)
{
    NewGrant grant{
        .object_kind = ObjectKind::project,
        .object_id = project_id,
        .pattern = {},
        .role_id = role_id,
        .origin = "harbor",
        .only_project_role = true,
    };
    co_return co_await granting_.give(std::move(caller), std::move(subject), std::move(grant));
}

Task<Grant> ProjectMembers::add_user(Caller caller, std::int64_t project_id, SubjectRef user, std::int64_t role_id)
{
    CO_CHECK(require(granting_.policy(), caller, create_members, project_ref(project_id)));
    CO_CHECK(may_give(caller, project_id, role_id));
    user.type = SubjectType::user;
    CO_TRY(auto subject, co_await granting_.subject(caller, std::move(user), 0));
    co_return co_await add(std::move(caller), project_id, std::move(subject), role_id);
}

Task<Grant> ProjectMembers::add_group(Caller caller, std::int64_t project_id, ExternalGroup group, std::int64_t role_id)
{
    CO_CHECK(require(granting_.policy(), caller, create_members, project_ref(project_id)));
    CO_CHECK(may_give(caller, project_id, role_id));
    if (group.id == 0) {
        CO_TRY(group, co_await groups_.find_or_create(std::move(group), granting_.actor(caller)));
    }
    SubjectRef wanted{.type = SubjectType::group, .id = group.id, .name = {}};
    CO_TRY(auto subject, co_await granting_.subject(caller, std::move(wanted), 0));
    co_return co_await add(std::move(caller), project_id, std::move(subject), role_id);
}

Task<Grant> ProjectMembers::set_role(Caller caller, std::int64_t project_id, std::int64_t id, std::int64_t role_id)
{
    CO_CHECK(require(granting_.policy(), caller, update_members, project_ref(project_id)));
    CO_TRY(auto before, co_await member(project_id, id));
    CO_CHECK(may_give(caller, project_id, role_id));
    CO_CHECK(co_await granting_.set_role(std::move(caller), id, role_id));
    co_return before;
}

Task<Grant> ProjectMembers::remove(Caller caller, std::int64_t project_id, std::int64_t id)
{
    CO_CHECK(require(granting_.policy(), caller, delete_members, project_ref(project_id)));
    CO_TRY(auto before, co_await member(project_id, id));
    CO_CHECK(co_await granting_.take(std::move(caller), id));
    co_return before;
}

}  // namespace entrepot
