#include "drivers/replica/registry_replica.hpp"

#include "client/http_url.hpp"
#include "core/ascii.hpp"
#include "core/percent.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <fstream>
#include <utility>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr std::chrono::seconds connect_patience{10};
constexpr std::chrono::seconds answer_patience{60};
constexpr std::size_t longest_token_answer = 256 * 1024;

std::string token_in(const std::string& body)
{
    boost::system::error_code error;
    const auto value = json::parse(body, error);
    if (error || !value.is_object()) return {};
    for (const auto* name : {"token", "access_token"}) {
        const auto* token = value.as_object().if_contains(name);
        if (token && token->is_string()) return std::string{token->as_string()};
    }
    return {};
}

std::unexpected<Error> refused(unsigned status, const std::string& what)
{
    const auto detail = what + ": " + std::to_string(status);
    if (status == 404) return fail(Errc::blob_unknown, "the replica does not have the blob", detail);
    if (status == 401 || status == 403) return fail(Errc::denied, "the replica refuses its credentials", detail);
    return fail(Errc::unavailable, "the replica answers " + std::to_string(status), detail);
}

}  // namespace

LoginChallenge parse_login_challenge(std::string_view text)
{
    LoginChallenge challenge;
    const auto blank = std::min(text.find(' '), text.size());
    challenge.scheme = lowered(text.substr(0, blank));
    text.remove_prefix(blank);
    while (!text.empty()) {
        const auto start = text.find_first_not_of(" ,\t");
        if (start == std::string_view::npos) break;
        text.remove_prefix(start);
        const auto equals = text.find('=');
        if (equals == std::string_view::npos) break;
        const auto name = lowered(text.substr(0, equals));
        text.remove_prefix(equals + 1);
        std::string value;
        if (text.starts_with('"')) {
            std::size_t at = 1;
            for (; at < text.size() && text[at] != '"'; ++at) {
                if (text[at] == '\\' && at + 1 < text.size()) ++at;
                value += text[at];
            }
            text.remove_prefix(std::min(at + 1, text.size()));
        } else {
            const auto end = std::min(text.find_first_of(", \t"), text.size());
            value = text.substr(0, end);
            text.remove_prefix(end);
        }
        if (name == "realm") challenge.realm = std::move(value);
        if (name == "service") challenge.service = std::move(value);
    }
    return challenge;
}

Result<std::unique_ptr<RegistryReplica>> RegistryReplica::create(RegistryReplicaOptions options)
{
    TRY(const auto url, parse_http_url(options.url));
    if (url.target != "/") return fail(Errc::bad_request, "the address of the replica must have no path");
    while (options.url.ends_with('/')) options.url.pop_back();
    HttpClientOptions http;
    http.ca_file = options.ca_file;
    http.connect_patience = connect_patience;
    http.exchange_patience = answer_patience;
    http.longest_body = longest_token_answer;
    TRY(auto client, HttpClient::create(std::move(http)));
    return std::unique_ptr<RegistryReplica>{new RegistryReplica{std::move(client), std::move(options)}};
}

Task<std::unique_ptr<ByteSource>> RegistryReplica::open(RepositoryName repository, Digest digest)
{
    const auto url = options_.url + "/v2/" + repository.text() + "/blobs/" + digest.text();
    CO_TRY(auto answer, co_await get(url, {}));
    if (answer.status == 401) {
        std::string challenge{answer.field("www-authenticate")};
        answer.body.reset();
        CO_TRY(auto authorization, co_await log_in(std::move(challenge), repository.text()));
        CO_TRY(answer, co_await get(url, std::move(authorization)));
    }
    if (answer.status != 200) co_return refused(answer.status, url);
    co_return std::move(answer.body);
}

Task<ClientStream> RegistryReplica::get(std::string url, std::string authorization)
{
    ClientRequest request{.url = std::move(url)};
    if (!authorization.empty()) request.fields.push_back({"Authorization", std::move(authorization), true});
    co_return co_await client_.open(std::move(request));
}

// The value of Authorization. The password goes to the realm that the replica names, as every client of a registry
// sends it.
Task<std::string> RegistryReplica::log_in(std::string text, std::string repository)
{
    const auto challenge = parse_login_challenge(text);
    CO_TRY(auto password, basic());
    if (challenge.scheme == "basic" && !password.empty()) co_return std::move(password);
    if (challenge.scheme != "bearer" || challenge.realm.empty()) {
        co_return fail(Errc::denied, "the replica wants a log-in that is not known", text);
    }
    const auto glue = challenge.realm.find('?') == std::string::npos ? "?" : "&";
    ClientRequest request{
        .url = challenge.realm + glue + "service=" + percent_encoded(challenge.service) +
               "&scope=" + percent_encoded("repository:" + repository + ":pull")
    };
    if (!password.empty()) request.fields.push_back({"Authorization", std::move(password), true});
    CO_TRY(const auto answer, co_await client_.send(std::move(request)));
    if (answer.status != 200) co_return refused(answer.status == 404 ? 401 : answer.status, "log in to the replica");
    const auto token = token_in(answer.body);
    if (token.empty()) co_return fail(Errc::unavailable, "the replica's log-in gives no token");
    co_return "Bearer " + token;
}

Result<std::string> RegistryReplica::basic() const
{
    if (options_.user.empty()) return std::string{};
    std::string password;
    std::ifstream file{options_.password_file};
    if (!std::getline(file, password)) {
        return fail(Errc::unavailable, "the password for the replica can't be read", options_.password_file);
    }
    if (password.ends_with('\r')) password.pop_back();
    return "Basic " + to_base64(as_bytes(options_.user + ":" + password));
}

}  // namespace entrepot
