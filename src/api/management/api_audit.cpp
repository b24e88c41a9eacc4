#include "api/management/api_audit.hpp"

#include "api/error_answer.hpp"

#include <utility>

namespace entrepot {
namespace {

constexpr std::string_view base_path = "/api/v2.0/";

std::string_view operation_of(Method method) noexcept
{
    switch (method) {
        case Method::post: return "create";
        case Method::put:
        case Method::patch: return "update";
        case Method::del: return "delete";
        case Method::get:
        case Method::head:
        case Method::options:
        case Method::other: break;
    }
    return "read";
}

// "projects/{project_name_or_id}/members/{mid}": "members"
std::string_view last_word(std::string_view pattern) noexcept
{
    while (!pattern.empty()) {
        const auto slash = pattern.rfind('/');
        const auto part = pattern.substr(slash == std::string_view::npos ? 0 : slash + 1);
        if (!part.starts_with('{')) return part;
        pattern = slash == std::string_view::npos ? std::string_view{} : pattern.substr(0, slash);
    }
    return "api";
}

bool is_denial(unsigned status) noexcept
{
    return status == 401 || status == 403;
}

// The handler's words, and what the request itself tells where the handler was silent.
AuditRecord record_of(const Request& request, const ApiTrace& trace, const Clock& clock)
{
    AuditRecord record = trace.change ? *trace.change : AuditRecord{};
    describe_request(record, request, clock);
    if (trace.who) {
        record.user_id = trace.who->user_id;
        record.user = trace.who->name;
    }
    if (record.operation.empty()) record.operation = operation_of(request.method);
    if (record.resource_type.empty()) record.resource_type = last_word(trace.pattern);
    if (record.resource.empty()) {
        const bool below = request.path.starts_with(base_path);
        record.resource = below ? request.path.substr(base_path.size()) : request.path;
    }
    return record;
}

}  // namespace

Task<> ApiAudit::refused(const Request& request, const ApiTrace& trace, const Error& error)
{
    if (!trace.who && LoginAudit::is_failure(error)) {
        if (const auto user = claimed_user(request); !user.empty()) {
            co_return co_await logins_.failed(request, user, error);
        }
    }
    auto record = record_of(request, trace, clock_);
    record.result = is_denial(status_of(error.code())) ? "denied" : "failed";
    record.detail = error.message();
    record.before.clear();
    record.after.clear();
    co_return co_await trail_.note(std::move(record));
}

Task<Response> ApiAudit::settle(const Request& request, ApiTrace trace, Result<Response> answer)
{
    if (!answer) {
        // Of reads denials alone; a path without a route is no operation.
        const bool matters = trace.change || is_denial(status_of(answer.error().code()));
        if (matters && !trace.pattern.empty()) CO_CHECK(co_await refused(request, trace, answer.error()));
        co_return answer;
    }
    const auto status = answer->status;
    if (status < 400) {
        if (!trace.change) co_return answer;
        auto record = record_of(request, trace, clock_);
        // Recorded all the same: the first request may have ended before its record did.
        if (answer->headers.contains("Idempotency-Replayed: true")) record.detail = "answered again, not done again";
        CO_CHECK(co_await trail_.record(std::move(record)));
        co_return answer;
    }
    if (!trace.change && !is_denial(status)) co_return answer;
    auto record = record_of(request, trace, clock_);
    record.result = is_denial(status) ? "denied" : "failed";
    CO_CHECK(co_await trail_.note(std::move(record)));
    co_return answer;
}

}  // namespace entrepot
