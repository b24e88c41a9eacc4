#include "api/oci/gate.hpp"

#include "access/scope.hpp"
#include "api/error_answer.hpp"
#include "api/token/session_cookie.hpp"

namespace entrepot {
namespace {

AuthorisationQuestion
question_of(const Request& request, const Identity& who, std::string_view action, std::string_view object)
{
    return {
        .user_id = who.user_id,
        .user = who.name,
        .action = std::string{action},
        .object = std::string{object},
        .client = request.origin().client,
        .request_id = request.request_id(),
    };
}

}  // namespace

std::optional<Caller> Gate::peek(const Request& request, std::string_view repository, Action action) noexcept
{
    auto caller = authenticator_.recall(request.header("authorization"));
    if (!caller || !policy_.may(*caller, repository, action)) return std::nullopt;
    if (external_ != nullptr &&
        external_->remembered(caller->identity->user_id, name_of(action), repository) != std::optional{true}) {
        return std::nullopt;
    }
    return caller;
}

std::optional<Caller> Gate::recall(const Request& request) noexcept
{
    return authenticator_.peek(request.header("authorization"));
}

Task<Caller> Gate::identify(const Request& request)
{
    const auto authorization = request.header("authorization");
    if (auto caller = authenticator_.peek(authorization)) co_return *std::move(caller);
    co_return co_await authenticator_.authenticate(std::string{authorization.value_or("")}, request.origin().client);
}

Task<Caller> Gate::admit(const Request& request, std::string_view repository, Action action)
{
    CO_TRY(auto caller, co_await identify(request));
    const bool may = policy_.may(caller, repository, action);
    co_return co_await admitted(request, std::move(caller), may, repository, action);
}

Task<Caller> Gate::admit_asked_as(const Request& request, std::string_view asked, std::string_view here)
{
    CO_TRY(auto caller, co_await identify(request));
    const auto has_pull = [](ActionSet actions) { return (actions & bit(Action::pull)) != 0; };
    const bool in_scope =
        !caller.scopes || has_pull(caller.scopes->actions_on(asked)) || has_pull(caller.scopes->actions_on(here));
    const bool may = in_scope && has_pull(policy_.allowed(caller, here));
    co_return co_await admitted(request, std::move(caller), may, here, Action::pull);
}

Task<Caller> Gate::admitted(const Request& request, Caller caller, bool may, std::string_view repository, Action action)
{
    if (may) {
        if (external_ != nullptr) {
            CO_CHECK(co_await external_->ask(question_of(request, *caller.identity, name_of(action), repository)));
        }
        co_return caller;
    }
    const bool another_token_may_help = caller.scopes != nullptr || caller.identity->anonymous();
    if (another_token_may_help) co_return fail(Errc::unauthorized, "authentication required");
    co_return fail(Errc::denied, "access to the requested resource is denied");
}

Task<> Gate::check_change(const Request& request, Caller caller)
{
    if (external_ == nullptr) co_return Result<>{};
    co_return co_await external_->ask(question_of(request, *caller.identity, request.method_text, request.path));
}

Response Gate::refuse(const Request& request, const Error& error, std::string_view scope) const
{
    auto response = error_response(error);
    if (error.code() != Errc::unauthorized) return response;
    auto challenge = "Bearer realm=\"" + realm(request) + "\",service=\"" + service_ + "\"";
    if (!scope.empty()) challenge += ",scope=\"" + std::string{scope} + "\"";
    const auto authorization = request.header("authorization");
    if (authorization && !scope.empty()) challenge += ",error=\"insufficient_scope\"";
    response.add("WWW-Authenticate", challenge);
    return response;
}

Task<Caller> Gate::identify_management(const Request& request)
{
    const auto authorization = request.header("authorization");
    if (!authorization) {
        if (auto session = session_of(request)) co_return co_await identify_session(request, *std::move(session));
        co_return Caller{.identity = Authenticator::anonymous(), .scopes = nullptr};
    }
    CO_TRY(auto caller, co_await identify(request));
    // An access token of the registry names repositories: it manages nothing.
    if (caller.scopes) co_return fail(Errc::unauthorized, "log in with user name and password");
    co_return caller;
}

Task<Caller> Gate::identify_session(const Request& request, std::string id)
{
    const bool changes = !is_read(request.method);
    if (changes && !is_csrf_token(id, request.header(csrf_header).value_or(""))) {
        co_return fail(Errc::denied, "CSRF token invalid");
    }
    auto caller = co_await sessions_.find(std::move(id));
    const bool ended = !caller && caller.error().code() == Errc::unauthorized;
    if (ended) co_return Caller{.identity = Authenticator::anonymous(), .scopes = nullptr};
    co_return caller;
}

void Gate::add_csrf_token(const Request& request, Response& response)
{
    if (const auto session = session_of(request)) response.add(csrf_header, csrf_token(*session));
}

// Browsers would ask for a password themselves if they saw Basic: those with a session are told of the log-in page.
Response Gate::refuse_management(const Request& request, const Error& error) const
{
    auto response = management_error_response(error);
    if (error.code() != Errc::unauthorized) return response;
    const bool browser = session_of(request) && !request.header("authorization");
    response.add("WWW-Authenticate", std::string{browser ? "Cookie" : "Basic"} + " realm=\"" + service_ + "\"");
    return response;
}

std::string Gate::realm(const Request& request) const
{
    if (!external_url_.empty()) return external_url_ + "/service/token";
    const auto& origin = request.origin();
    // HTTP/1.0 may come without a Host.
    const auto authority = origin.authority.empty() ? std::string{"localhost"} : origin.authority;
    return (origin.secure ? "https://" : "http://") + authority + "/service/token";
}

}  // namespace entrepot
