#include "api/oci/gate.hpp"

#include "api/error_answer.hpp"

namespace entrepot {

std::optional<Caller> Gate::peek(const Request& request, std::string_view repository, Action action) noexcept
{
    auto caller = authenticator_.peek(request.header("authorization"));
    if (!caller || !policy_.may(*caller, repository, action)) return std::nullopt;
    return caller;
}

std::optional<Caller> Gate::recall(const Request& request) noexcept
{
    return authenticator_.peek(request.header("authorization"));
}

Task<Caller> Gate::identify(const Request& request)
{
    const auto authorization = request.header("authorization");
    // What is remembered may have been disabled, or its password changed, since.
    if (auto caller = authenticator_.peek(authorization); caller && policy_.is_current(*caller)) {
        co_return *std::move(caller);
    }
    CO_TRY(
        auto caller,
        co_await authenticator_.authenticate(std::string{authorization.value_or("")}, request.origin().client)
    );
    if (!policy_.is_current(caller)) co_return fail(Errc::unauthorized, "these credentials are no longer valid");
    co_return caller;
}

Task<Caller> Gate::admit(const Request& request, std::string_view repository, Action action)
{
    CO_TRY(auto caller, co_await identify(request));
    if (policy_.may(caller, repository, action)) co_return caller;
    const bool another_token_may_help = caller.scopes != nullptr || caller.identity->anonymous();
    if (another_token_may_help) co_return fail(Errc::unauthorized, "authentication required");
    co_return fail(Errc::denied, "access to the requested resource is denied");
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
    CO_TRY(auto caller, co_await identify(request));
    // An access token of the registry names repositories: it manages nothing.
    if (caller.scopes) co_return fail(Errc::unauthorized, "log in with user name and password");
    co_return caller;
}

Response Gate::refuse_management(const Request&, const Error& error) const
{
    auto response = management_error_response(error);
    if (error.code() == Errc::unauthorized) response.add("WWW-Authenticate", "Basic realm=\"" + service_ + "\"");
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

std::string Gate::scope_for(std::string_view repository, Action action)
{
    std::string scope = "repository:" + std::string{repository} + ":";
    switch (action) {
        case Action::pull: return scope + "pull";
        case Action::push: return scope + "pull,push";
        case Action::remove: return scope + "delete";
    }
    return scope;
}

}  // namespace entrepot
