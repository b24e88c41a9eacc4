#include "api/token/token_endpoint.hpp"

#include "access/scope.hpp"
#include "access/token_text.hpp"
#include "api/error_answer.hpp"
#include "api/token/oauth_error.hpp"
#include "core/ascii.hpp"
#include "core/log.hpp"

#include <array>

namespace entrepot {
namespace {

constexpr std::string_view basic_challenge = R"(Basic realm="entrepot", charset="UTF-8")";

Caller nobody()
{
    return {.identity = Authenticator::anonymous(), .scopes = nullptr};
}

// A refresh token lives as long as the password that it came from: a robot's secret and an access token end sooner.
bool may_be_refreshed(const Caller& owner)
{
    const auto& identity = *owner.identity;
    return !identity.anonymous() && identity.kind == PrincipalKind::user && owner.access_token_id == 0;
}

bool is_form(std::string_view content_type) noexcept
{
    return same_word(content_type.substr(0, content_type.find_first_of("; ")), "application/x-www-form-urlencoded");
}

Response refusal(const Error& error)
{
    auto response = error_response(error);
    response.add("Cache-Control", "no-store");
    if (error.code() == Errc::unauthorized) response.add("WWW-Authenticate", basic_challenge);
    return response;
}

Response secret_json(std::string text)
{
    Response response;
    response.headers = "Content-Type: application/json\r\nCache-Control: no-store\r\n";
    response.body = std::move(text);
    return response;
}

// Everything quoted here is of the base64url alphabet, a time, or a repository's name: nothing needs escaping.
void add_member(std::string& json, std::string_view name, std::string_view value)
{
    json += json.empty() ? "{\"" : ",\"";
    json += name;
    json += "\":\"";
    json += value;
    json += '"';
}

}  // namespace

TokenEndpoint::TokenEndpoint(Parts parts, TokenSettings settings)
    : parts_{parts}, settings_{std::move(settings)}, signer_{parts.keys, settings_}
{
}

std::optional<Response> TokenEndpoint::peek(const Request& request) noexcept
{
    if (request.method != Method::get || parts_.keys.rotation_due()) return std::nullopt;
    std::optional<Caller> owner = nobody();
    if (const auto authorization = request.header("authorization")) {
        const auto [scheme, value] = split_authorization(*authorization);
        const auto credentials = scheme == Authorization::Scheme::basic ? parse_basic(value) : std::nullopt;
        owner = credentials ? parts_.authenticator.peek_basic(*credentials) : std::nullopt;
        if (!owner) return std::nullopt;
    }
    const auto query = parse_token_query(request.query);
    if (!query || query->offline || !check_service(query->service)) return std::nullopt;
    const auto issued = issue(*owner, query->scopes);
    if (!issued) return std::nullopt;
    if (!owner->identity->anonymous()) parts_.logins.repeated(request, *owner->identity);
    return answer(*issued, {});
}

asio::awaitable<Response> TokenEndpoint::handle(const Request& request, ByteSource& body)
{
    if (request.method == Method::get) {
        auto response = co_await get(request);
        if (!response) co_return refusal(response.error());
        co_return *std::move(response);
    }
    if (request.method == Method::post) {
        auto response = co_await post(request, body);
        if (!response) co_return oauth_error(response.error());
        co_return *std::move(response);
    }
    co_return method_not_allowed("GET, POST");
}

Response TokenEndpoint::jwks(const Request& request) const
{
    if (!is_read(request.method)) return method_not_allowed("GET, HEAD");
    auto text = parts_.keys.jwks();
    Response response;
    response.headers = "Content-Type: application/jwk-set+json\r\nCache-Control: public, max-age=300\r\n";
    if (request.method == Method::head)
        response.announced_length = text.size();
    else
        response.body = std::move(text);
    return response;
}

Task<Response> TokenEndpoint::get(const Request& request)
{
    CO_TRY(const auto query, parse_token_query(request.query));
    CO_CHECK(check_service(query.service));
    auto owner = nobody();
    if (const auto authorization = request.header("authorization")) {
        const auto [scheme, value] = split_authorization(*authorization);
        auto credentials = scheme == Authorization::Scheme::basic ? parse_basic(value) : std::nullopt;
        if (!credentials) co_return fail(Errc::unauthorized, "a user name and a password by Basic are required");
        auto client = request.origin().client;
        const auto user = credentials->user;
        auto checked = co_await parts_.authenticator.check_basic(*std::move(credentials), std::move(client));
        if (!checked) {
            if (LoginAudit::is_failure(checked.error())) {
                CO_CHECK(co_await parts_.logins.failed(request, user, checked.error()));
            }
            co_return std::unexpected{std::move(checked).error()};
        }
        owner = *std::move(checked);
    }
    CO_CHECK(co_await keep_keys_current());
    CO_TRY(const auto issued, issue(owner, query.scopes));
    std::string refresh_token;
    if (query.offline && may_be_refreshed(owner)) {
        CO_TRY(refresh_token, co_await make_refresh_token(owner, query.client_id));
    }
    if (!owner.identity->anonymous()) {
        CO_CHECK(co_await parts_.logins.succeeded(request, *owner.identity, "password"));
    }
    co_return answer(issued, refresh_token);
}

Task<Response> TokenEndpoint::post(const Request& request, ByteSource& body)
{
    if (!is_form(request.header("content-type").value_or(""))) {
        co_return fail(Errc::oauth_invalid_request, "the body must be application/x-www-form-urlencoded");
    }
    CO_TRY(const auto text, co_await read_all(body, longest_token_form));
    CO_TRY(const auto form, parse_token_form(text));
    if (!check_service(form.service)) co_return fail(Errc::oauth_invalid_request, "no such service");
    const std::array scope{form.scope};
    const auto requested = parse_scopes(scope);
    if (!requested) co_return fail(Errc::oauth_invalid_scope, requested.error().message());
    auto client = request.origin().client;
    auto found = co_await owner_of(form, std::move(client));
    if (!found) {
        if (LoginAudit::is_failure(found.error())) {
            const auto user = form.grant_type == "password" ? std::string{form.username} : "(refresh token)";
            CO_CHECK(co_await parts_.logins.failed(request, user, found.error()));
        }
        co_return std::unexpected{std::move(found).error()};
    }
    const auto owner = *std::move(found);
    CO_CHECK(co_await keep_keys_current());
    CO_TRY(const auto issued, issue(owner, *requested));
    std::string refresh_token;
    if (form.access_type == "offline" && may_be_refreshed(owner)) {
        if (form.grant_type == "refresh_token") {
            refresh_token = form.refresh_token;
        } else {
            CO_TRY(refresh_token, co_await make_refresh_token(owner, form.client_id));
        }
    }
    const std::string_view how = form.grant_type == "password" ? "password" : "refresh token";
    CO_CHECK(co_await parts_.logins.succeeded(request, *owner.identity, how));
    co_return oauth_answer(issued, refresh_token);
}

Task<Caller> TokenEndpoint::owner_of(const TokenForm& form, std::string client)
{
    if (form.grant_type == "refresh_token") co_return co_await owner_of_refresh_token(form.refresh_token);
    if (form.grant_type != "password") {
        co_return fail(Errc::oauth_unsupported_grant, "the grant_type must be password or refresh_token");
    }
    const auto credentials = make_credentials(form.username, form.password);
    if (!credentials) co_return fail(Errc::oauth_invalid_grant, "wrong user name or password");
    auto owner = co_await parts_.authenticator.check_basic(*credentials, std::move(client));
    if (!owner && owner.error().code() == Errc::unauthorized) {
        co_return fail(Errc::oauth_invalid_grant, owner.error().message());
    }
    co_return owner;
}

// Any client may use it: identity tokens that `docker login` stored are read by other tools, under their own names.
Task<Caller> TokenEndpoint::owner_of_refresh_token(std::string secret)
{
    const auto refuse = [] { return fail(Errc::oauth_invalid_grant, "the refresh token is not valid"); };
    if (!secret.starts_with(refresh_prefix)) co_return refuse();
    auto stored = co_await parts_.refresh_tokens.find(secret_hash(secret));
    if (!stored && stored.error().code() != Errc::not_found) co_return std::unexpected{std::move(stored).error()};
    const bool valid = stored && stored->expires_at > parts_.clock.now() && stored->service == settings_.service;
    if (!valid) co_return refuse();
    auto owner = co_await parts_.authenticator.caller_of(stored->user_id, stored->credential_version);
    if (!owner && owner.error().code() == Errc::unauthorized) co_return refuse();
    co_return owner;
}

Task<std::string> TokenEndpoint::make_refresh_token(Caller owner, std::string client_id)
{
    auto secret = std::string{refresh_prefix} + parts_.random.base64url(32);
    RefreshToken token;
    token.hash = secret_hash(secret);
    token.user_id = owner.identity->user_id;
    token.service = settings_.service;
    token.client_id = std::move(client_id);
    token.credential_version = owner.credential_version;
    const auto lifetime = std::chrono::duration_cast<std::chrono::microseconds>(settings_.refresh_lifetime);
    token.expires_at = parts_.clock.now() + lifetime.count();
    CO_CHECK(co_await parts_.refresh_tokens.add(std::move(token)));
    co_return secret;
}

// The old key goes on signing while a new one can't be stored.
Task<> TokenEndpoint::keep_keys_current()
{
    if (!parts_.keys.rotation_due()) co_return Result<>{};
    const auto done = co_await parts_.keys.maintain();
    if (!done) log::failure(log::Level::warning, "rotating the token-signing key", done.error());
    co_return Result<>{};
}

Result<> TokenEndpoint::check_service(std::string_view service) const
{
    if (service.empty() || service == settings_.service) return {};
    return fail(Errc::bad_request, "no such service");
}

Result<TokenEndpoint::Issued> TokenEndpoint::issue(const Caller& owner, const TokenScopes& requested)
{
    Issued issued;
    issued.at = parts_.clock.now();
    issued.scopes = granted(requested, owner, parts_.policy);
    const auto& identity = *owner.identity;
    const TokenSigner::Subject subject{
        identity.name, identity.user_id, owner.credential_version, owner.access_token_id
    };
    TRY(issued.token, signer_.sign(subject, issued.scopes, parts_.random.base64url(16), issued.at));
    return issued;
}

Response TokenEndpoint::answer(const Issued& issued, std::string_view refresh_token) const
{
    std::string json;
    json.reserve(2 * issued.token.size() + 256);
    // Clients read either name.
    add_member(json, "token", issued.token);
    add_member(json, "access_token", issued.token);
    add_member(json, "issued_at", rfc3339(issued.at));
    if (!refresh_token.empty()) add_member(json, "refresh_token", refresh_token);
    return secret_json(json + ",\"expires_in\":" + std::to_string(settings_.lifetime_now().count()) + "}");
}

Response TokenEndpoint::oauth_answer(const Issued& issued, std::string_view refresh_token) const
{
    std::string json;
    add_member(json, "access_token", issued.token);
    add_member(json, "token_type", "Bearer");
    add_member(json, "scope", scope_text(issued.scopes));
    add_member(json, "issued_at", rfc3339(issued.at));
    if (!refresh_token.empty()) add_member(json, "refresh_token", refresh_token);
    return secret_json(json + ",\"expires_in\":" + std::to_string(settings_.lifetime_now().count()) + "}");
}

}  // namespace entrepot
