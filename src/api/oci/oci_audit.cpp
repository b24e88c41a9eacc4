#include "api/oci/oci_audit.hpp"

#include "api/error_answer.hpp"
#include "api/oci/call.hpp"

#include <new>

namespace entrepot {
namespace {

using Kind = OciRoute::Kind;

// "library/app:1.0", "library/app@sha256:…"
std::string artifact_name(std::string_view repository, std::string_view reference)
{
    std::string name{repository};
    name += reference.contains(':') ? '@' : ':';
    name += reference;
    return name;
}

std::string_view operation_of(Method method) noexcept
{
    switch (method) {
        case Method::put:
        case Method::post:
        case Method::patch: return "create";
        case Method::del: return "delete";
        case Method::get:
        case Method::head:
        case Method::options:
        case Method::other: break;
    }
    return "pull";
}

}  // namespace

std::optional<OciAudit::Change> OciAudit::change_of(const Request& request, const OciRoute& route)
{
    const auto name = [&](std::string_view last) { return artifact_name(route.name, last); };
    if (route.kind == Kind::manifest && request.method == Method::put) {
        return Change{"create", "artifact", name(route.last)};
    }
    if (route.kind == Kind::manifest && request.method == Method::del) {
        return Change{"delete", route.last.contains(':') ? "artifact" : "tag", name(route.last)};
    }
    if (route.kind == Kind::blob && request.method == Method::del) return Change{"delete", "blob", name(route.last)};
    if (route.kind == Kind::uploads && request.query.contains("mount=")) {
        const auto query = Query::of(request);
        const auto digest = query ? query->first("mount") : std::nullopt;
        if (digest) return Change{"create", "blob-mount", name(*digest), true};
    }
    return std::nullopt;
}

AuditRecord OciAudit::record_of(const Request& request, std::string_view repository, const Identity* who) const
{
    AuditRecord record;
    describe_request(record, request, clock_);
    if (who != nullptr) {
        record.user_id = who->user_id;
        record.user = who->name;
    }
    if (const auto project = policy_.project(repository.substr(0, repository.find('/')))) {
        record.project_id = project->id;
        record.tenant_id = project->tenant_id;
    }
    return record;
}

Task<Response> OciAudit::settle(
    const Request& request,
    Change change,
    std::string repository,
    std::shared_ptr<const Identity> who,
    Result<Response> answer
)
{
    if (change.only_created && (!answer || answer->status != 201)) co_return answer;
    auto record = record_of(request, repository, who.get());
    record.operation = change.operation;
    record.resource_type = change.type;
    record.resource = std::move(change.resource);
    if (!answer) {
        record.result = status_of(answer.error().code()) == 403 ? "denied" : "failed";
        record.detail = answer.error().message();
        CO_CHECK(co_await trail_.note(std::move(record)));
        co_return answer;
    }
    if (const auto digest = answer->header("Docker-Content-Digest")) {
        record.after = R"({"digest":")" + std::string{*digest} + R"("})";
    }
    CO_CHECK(co_await trail_.record(std::move(record)));
    co_return answer;
}

Task<>
OciAudit::refused(const Request& request, const OciRoute& route, std::optional<Caller> caller, const Error& error)
{
    const bool is_denial = LoginAudit::is_failure(error) || error.code() == Errc::denied;
    if (!is_denial || !request.header("authorization")) co_return Result<>{};
    if (!caller) {
        if (const auto user = claimed_user(request); !user.empty()) {
            co_return co_await logins_.failed(request, user, error);
        }
    }
    auto record = record_of(request, route.name, caller ? caller->identity.get() : nullptr);
    record.operation = operation_of(request.method);
    record.resource_type = route.name.empty() ? "catalog" : "repository";
    record.resource = route.name;
    record.result = "denied";
    record.detail = error.message();
    co_return co_await trail_.note(std::move(record));
}

void OciAudit::pulled(
    const Request& request,
    const Caller& caller,
    const RepositoryName& repository,
    const Reference& reference,
    const StoredManifest& manifest
) noexcept
{
    try {
        const auto* tag = reference.tag();
        trail_.pulled({
            .caller = caller.identity,
            .repository = repository,
            .tag = tag == nullptr ? std::string_view{} : std::string_view{tag->text()},
            .manifest = manifest,
            .client = request.origin().client,
        });
    } catch (const std::bad_alloc&) {  // NOLINT: without memory the answer fails next
    }
}

}  // namespace entrepot
