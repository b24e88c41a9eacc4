#include "api/management/grants_api.hpp"

#include "api/management/api_values.hpp"
#include "api/management/permission_json.hpp"
#include "api/management/project_of.hpp"
#include "api/management/tenancy_json.hpp"
#include "api/management/tenant_of.hpp"
#include "core/clock.hpp"

#include <algorithm>

namespace entrepot {
namespace {

namespace json = boost::json;

std::unexpected<Error> missing(std::string_view name)
{
    return fail(Errc::bad_request, "\"" + std::string{name} + "\" is missing");
}

Result<SubjectRef> subject_of(const JsonBody& body)
{
    TRY(const auto object, body.optional_object("subject"));
    if (!object) return missing("subject");
    TRY(const auto kind, object->text("kind"));
    const auto type = subject_type_named(kind);
    if (!type) {
        return fail(Errc::bad_request, "a subject's kind is one of user, robot, workload, team, group");
    }
    SubjectRef subject{.type = *type, .id = 0, .name = {}};
    TRY(subject.id, id_of(*object, "id"));
    TRY(auto name, object->optional_text("name"));
    subject.name = std::move(name).value_or("");
    return subject;
}

Result<GrantWish> wish_of(const JsonBody& body)
{
    GrantWish wish;
    TRY(wish.subject, subject_of(body));
    TRY(const auto object, body.optional_object("object"));
    if (!object) return missing("object");
    TRY(const auto kind_name, object->text("kind"));
    const auto kind = object_kind_named(kind_name);
    if (!kind) return fail(Errc::bad_request, "there is no kind of object \"" + kind_name + "\"");
    wish.object_kind = *kind;
    TRY(wish.object_id, id_of(*object, "id"));
    TRY(auto name, object->optional_text("name"));
    wish.object_name = std::move(name).value_or("");
    TRY(auto pattern, object->optional_text("pattern"));
    wish.pattern = std::move(pattern).value_or("");
    TRY(wish.role, role_of(body));
    TRY(const auto expires, body.optional_text("expires_at"));
    if (expires) {
        const auto at = parse_time(*expires);
        if (!at || *at <= 0) return fail(Errc::bad_request, "\"expires_at\" is not a time");
        wish.expires_at = *at;
    }
    return wish;
}

AuditedChange told(const Grant& grant, std::string& name)
{
    name = std::string{name_of(grant.object_kind)};
    if (!grant.object_name.empty()) name += "/" + grant.object_name;
    const bool in_project = permission_kind(grant.object_kind) == ObjectKind::project;
    return {
        .type = "grant",
        .name = name,
        .tenant_id = grant.tenant_id,
        .project_id = in_project ? grant.object_id : 0,
    };
}

// The basic roles (guest, user, owner) that give something on a kind.
json::array basic_roles(ObjectKind kind)
{
    json::array roles;
    for (const auto id : {role::basic_guest, role::basic_user, role::basic_owner}) {
        const auto rows = all_permissions();
        const auto& builtin = *builtin_role(id);
        bool gives = false;
        for (std::uint16_t index = 0; index < rows.size(); ++index) {
            gives = gives || (rows[index].kind == permission_kind(kind) && builtin.permissions.has(Permission{index}));
        }
        if (gives) roles.push_back(short_json(builtin));
    }
    return roles;
}

struct NamedObject {
    ObjectRef object;
    std::string name;  // what the reference borrows
};

// "team-a" or 5 for a project or tenant, "team-a/app" for a repository, "acme/cluster/partition" for the rest, whose
// tenant comes first.
Result<NamedObject>
object_asked_for(const ApiCall& call, const AccessPolicy& policy, ObjectKind kind, std::string_view text)
{
    NamedObject named;
    named.object.kind = kind;
    if (kind == ObjectKind::platform) return named;
    if (text.empty()) return missing("object");
    const bool whole = kind == ObjectKind::project || kind == ObjectKind::tenant;
    const auto slash = whole ? std::string_view::npos : text.find('/');
    const auto first = text.substr(0, slash);
    if (permission_kind(kind) == ObjectKind::project) {
        TRY(const auto project, project_of(call, policy, first));
        named.object.id = project->id;
        if (kind == ObjectKind::repository) {
            if (slash == std::string_view::npos) return fail(Errc::bad_request, "a repository is project/name");
            named.name = project->name + std::string{text.substr(slash)};
        }
    } else {
        TRY(const auto tenant, tenant_of(call, policy, first));
        named.object.id = tenant->id;
        if (slash != std::string_view::npos) named.name = text.substr(slash + 1);
    }
    return named;
}

}  // namespace

void GrantsApi::add_to(ApiRouter& router)
{
    router.get("grants", [this](ApiCall call) { return list(std::move(call)); });
    router.post("grants", [this](ApiCall call) { return create(std::move(call)); });
    router.get("grants/{grant_id}", [this](ApiCall call) { return one(std::move(call)); });
    router.del("grants/{grant_id}", [this](ApiCall call) { return remove(std::move(call)); });
    router.get("permissions/explain", [this](ApiCall call) { return explain(std::move(call)); });
    router.get("object-kinds", [this](ApiCall call) { return kinds(std::move(call)); });
}

Task<Response> GrantsApi::list(ApiCall call)
{
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(const auto page, co_await grants_.list(call.caller, query));
    json::array items;
    for (const auto& grant : page.items) items.push_back(as_json(grant));
    co_return list_response(call.request, std::move(items), query, page.total);
}

Task<Response> GrantsApi::create(ApiCall call)
{
    call.audit->resource_type = "grant";
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto wish, wish_of(body));
    CO_TRY(const auto grant, co_await grants_.create(call.caller, std::move(wish)));
    const auto after = as_json(grant);
    std::string name;
    tell(call.audit.get(), told(grant, name), nullptr, &after);
    co_return created_response("/api/v2.0/grants/" + std::to_string(grant.id));
}

Task<Response> GrantsApi::one(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(const auto grant, co_await grants_.find(call.caller, id));
    co_return json_response(as_json(grant));
}

Task<Response> GrantsApi::remove(ApiCall call)
{
    call.audit->resource_type = "grant";
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(const auto grant, co_await grants_.remove(call.caller, id));
    const auto before = as_json(grant);
    std::string name;
    tell(call.audit.get(), told(grant, name), &before, nullptr);
    co_return Response{};
}

Task<Response> GrantsApi::explain(ApiCall call)
{
    CO_TRY(const auto kind_name, call.query.plain("kind"));
    const auto kind = object_kind_named(kind_name);
    if (!kind) co_return fail(Errc::bad_request, "\"kind\" names no kind of object");
    CO_TRY(const auto object_name, call.query.plain("object"));
    AccessQuestion question;
    CO_TRY(question.who.name, call.query.plain("user"));
    CO_TRY(question.resource, call.query.plain("resource"));
    CO_TRY(question.action, call.query.plain("action"));
    CO_TRY(const auto named, object_asked_for(call, policy_, *kind, object_name));
    question.object = named.object;
    question.object.name = named.name;
    CO_TRY(const auto answer, co_await explain_.explain(call.caller, std::move(question)));
    json::object made{{"allowed", answer.explanation.allowed}, {"reason", answer.explanation.reason}};
    if (answer.grant) made["grant"] = as_json(*answer.grant);
    if (answer.role) made["role"] = short_json(*answer.role);
    if (answer.through) made["through"] = as_json(*answer.through);
    co_return json_response(made);
}

Task<Response> GrantsApi::kinds(ApiCall call)
{
    (void)call;
    json::array items;
    for (std::size_t index = 0; index < object_kinds; ++index) {
        const auto kind = static_cast<ObjectKind>(index);
        const auto own = permission_kind(kind);
        items.push_back(json::object{
            {"kind", name_of(kind)},
            {"permissions", access_json(permissions_within(own), own)},
            {"basic_roles", basic_roles(kind)},
        });
    }
    co_return json_response(items);
}

}  // namespace entrepot
