#include "api/token/login_audit.hpp"

#include "api/token/credentials.hpp"

#include <new>

namespace entrepot {

void describe_request(AuditRecord& record, const Request& request, const Clock& clock)
{
    record.at = clock.now();
    record.request_id = request.request_id();
    record.client = request.origin().client;
}

std::string claimed_user(const Request& request)
{
    const auto [scheme, value] = split_authorization(request.header("authorization").value_or(""));
    auto credentials = scheme == Authorization::Scheme::basic ? parse_basic(value) : std::nullopt;
    return credentials ? std::move(credentials->user) : std::string{};
}

bool LoginAudit::is_failure(const Error& error) noexcept
{
    const auto code = error.code();
    return code == Errc::unauthorized || code == Errc::oauth_invalid_grant || code == Errc::too_many_requests;
}

AuditRecord LoginAudit::record_of(const Request& request, std::string_view operation, std::string_view user) const
{
    AuditRecord record;
    describe_request(record, request, clock_);
    record.operation = operation;
    record.resource_type = "user";
    record.resource = user;
    record.user = user;
    return record;
}

Task<> LoginAudit::succeeded(const Request& request, const Identity& who, std::string_view how)
{
    auto record = record_of(request, "login", who.name);
    record.user_id = who.user_id;
    record.detail = how;
    co_return co_await trail_.note(std::move(record));
}

void LoginAudit::repeated(const Request& request, const Identity& who) noexcept
{
    try {
        auto record = record_of(request, "login", who.name);
        record.user_id = who.user_id;
        record.detail = "password";
        // It stands for all of a second, so no single request is named.
        record.request_id.clear();
        trail_.gather(std::move(record));
    } catch (const std::bad_alloc&) {  // NOLINT: without memory the request itself fails next
    }
}

Task<> LoginAudit::failed(const Request& request, std::string_view user, const Error& error)
{
    auto record = record_of(request, "login", user);
    record.result = "failed";
    record.detail = error.message();
    co_return co_await trail_.note(std::move(record));
}

Task<> LoginAudit::logged_out(const Request& request, const Identity& who)
{
    auto record = record_of(request, "logout", who.name);
    record.user_id = who.user_id;
    co_return co_await trail_.note(std::move(record));
}

}  // namespace entrepot
