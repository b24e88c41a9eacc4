#include "api/management/session_endpoint.hpp"

#include "api/error_answer.hpp"
#include "api/token/session_cookie.hpp"
#include "core/ascii.hpp"
#include "core/log.hpp"
#include "core/utf8.hpp"

#include <algorithm>

namespace entrepot {
namespace {

constexpr std::size_t longest_form = 16 * 1024;

using Form = std::vector<FormField>;

Task<Form> read_form(const Request& request, ByteSource& body)
{
    const auto type = request.header("content-type").value_or("");
    if (!same_word(trimmed(type.substr(0, type.find(';'))), "application/x-www-form-urlencoded")) {
        co_return fail(Errc::bad_request, "the body must be application/x-www-form-urlencoded");
    }
    CO_TRY(const auto text, co_await read_all(body, longest_form));
    auto form = parse_form(text);
    if (!form) co_return fail(Errc::bad_request, "the form is malformed");
    co_return *std::move(form);
}

std::string value_in(const Form& form, std::string_view name)
{
    const auto found = std::ranges::find(form, name, &FormField::name);
    return found == form.end() ? std::string{} : found->value;
}

}  // namespace

asio::awaitable<Response> SessionEndpoint::handle(const Request& request, ByteSource& body)
{
    auto response = co_await answer(request, body);
    if (!response) {
        const auto& error = response.error();
        if (status_of(error.code()) >= 500) {
            log::failure(log::Level::error, "request failed", error, request.request_id());
        }
        response = parts_.gate.refuse_management(request, error);
    }
    if (response->status < 400) response->add("X-Request-Id", request.request_id());
    response->add("Cache-Control", "no-store");
    co_return *std::move(response);
}

Task<Response> SessionEndpoint::answer(const Request& request, ByteSource& body)
{
    if (request.path == "/c/login") {
        if (request.method != Method::post) co_return method_not_allowed("POST");
        co_return co_await log_in(request, body);
    }
    if (request.path == "/c/log_out") {
        if (request.method != Method::get) co_return method_not_allowed("GET");
        co_return co_await log_out(request);
    }
    if (request.path == "/c/userExists") {
        if (request.method != Method::post) co_return method_not_allowed("POST");
        co_return co_await user_exists(request, body);
    }
    co_return fail(Errc::not_found, "there is nothing at this path");
}

// Another site's page must not log its visitor in as somebody else: browsers say where a request comes from.
Task<Response> SessionEndpoint::log_in(const Request& request, ByteSource& body)
{
    if (request.header("sec-fetch-site").value_or("") == "cross-site") {
        co_return fail(Errc::denied, "log in from our own pages");
    }
    CO_TRY(const auto form, co_await read_form(request, body));
    auto credentials = make_credentials(value_in(form, "principal"), value_in(form, "password"));
    if (!credentials) co_return fail(Errc::unauthorized, "wrong user name or password");
    const auto user = credentials->user;
    const auto client = request.origin().client;
    auto caller = co_await parts_.authenticator.log_in(*std::move(credentials), client);
    if (!caller) {
        if (LoginAudit::is_failure(caller.error())) {
            CO_CHECK(co_await parts_.logins.failed(request, user, caller.error()));
        }
        co_return std::unexpected{std::move(caller).error()};
    }
    CO_TRY(const auto id, co_await parts_.sessions.begin(*caller, client));
    CO_CHECK(co_await parts_.logins.succeeded(request, *caller->identity, "session"));
    if (auto before = session_of(request)) CO_CHECK(co_await parts_.sessions.end(*std::move(before)));
    Response response;
    set_session_cookie(request, response, id);
    response.add(csrf_header, csrf_token(id));
    co_return response;
}

Task<Response> SessionEndpoint::log_out(const Request& request)
{
    if (auto session = session_of(request)) {
        const auto caller = co_await parts_.sessions.find(*session);
        CO_CHECK(co_await parts_.sessions.end(*std::move(session)));
        if (caller) CO_CHECK(co_await parts_.logins.logged_out(request, *caller->identity));
    }
    Response response;
    clear_session_cookie(request, response);
    co_return response;
}

Task<Response> SessionEndpoint::user_exists(const Request& request, ByteSource& body)
{
    CO_TRY(auto caller, co_await parts_.gate.identify_management(request));
    CO_TRY(const auto form, co_await read_form(request, body));
    const auto target = value_in(form, "target");
    auto value = value_in(form, "value");
    if (!is_plain_text(value)) co_return fail(Errc::bad_request, "\"value\" is no name");
    bool taken = false;
    if (target == "username") {
        CO_TRY(taken, co_await parts_.users.has_name(std::move(value), std::move(caller)));
    } else if (target == "email") {
        CO_TRY(taken, co_await parts_.users.has_email(std::move(value), std::move(caller)));
    } else {
        co_return fail(Errc::bad_request, "\"target\" is username or email");
    }
    Response response;
    response.add("Content-Type", "application/json");
    response.body = std::string{taken ? "true" : "false"};
    co_return response;
}

}  // namespace entrepot
