#include "drivers/upstream/registry_login.hpp"

#include "core/ascii.hpp"
#include "core/bytes.hpp"
#include "core/percent.hpp"
#include "drivers/upstream/remote_problem.hpp"
#include "oci/json_fields.hpp"

#include <algorithm>
#include <utility>

#include <boost/json/value_to.hpp>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

constexpr auto breaker_time = 60s;
constexpr std::int64_t usual_life = 60;  // seconds, where a token service says nothing
constexpr std::int64_t longest_life = 12 * 3'600;
constexpr std::size_t most_passes = 4'096;

// "repository:a:pull repository:b:push" as query or form.
std::string scope_fields(std::string_view scope)
{
    std::string text;
    while (!scope.empty()) {
        const auto end = std::min(scope.find(' '), scope.size());
        text += "&scope=" + percent_encoded(scope.substr(0, end));
        scope.remove_prefix(std::min(end + 1, scope.size()));
    }
    return text;
}

}  // namespace

Result<RegistryPass> parse_token_answer(std::string_view body, std::chrono::steady_clock::time_point now)
{
    const auto object = parse_object(body);
    if (!object) return fail(Errc::unavailable, "the log-in answers with something else than a token");
    auto token = find_text(*object, "token");
    if (token.empty()) token = find_text(*object, "access_token");
    const bool sendable = std::ranges::all_of(token, [](char c) { return c > ' ' && c < 0x7f; });
    if (token.empty() || !sendable) return fail(Errc::unavailable, "the log-in gives no token");
    auto life = usual_life;
    if (const auto* said = object->if_contains("expires_in"); said != nullptr && said->is_number()) {
        boost::system::error_code error;
        const auto seconds = said->to_number<std::int64_t>(error);
        if (!error) life = std::clamp<std::int64_t>(seconds, 1, longest_life);
    }
    // On the way it is still to be good.
    const auto margin = std::min<std::int64_t>(30, (life + 4) / 5);
    return RegistryPass{"Bearer " + std::string{token}, now + std::chrono::seconds{life - margin}};
}

// Tells all who wait for the same pass what became of it, also when the one that fetched it was cancelled.
class RegistryLogin::Landing {
public:
    Landing(RegistryLogin& login, std::string scope, std::shared_ptr<Flight> flight)
        : login_{login}, scope_{std::move(scope)}, flight_{std::move(flight)}
    {
    }
    ~Landing() { login_.land(scope_, *flight_, std::move(result)); }
    Landing(const Landing&) = delete;
    Landing& operator=(const Landing&) = delete;

    Result<std::string> result = fail(Errc::cancelled, "the log-in was given up");

private:
    RegistryLogin& login_;
    const std::string scope_;
    const std::shared_ptr<Flight> flight_;
};

RegistryLogin::RegistryLogin(HttpClient& client, RegistryLoginOptions options, const Clock& clock)
    : client_{client}, options_{std::move(options)}, clock_{clock}
{
}

Task<std::string> RegistryLogin::authorization(std::string scope)
{
    if (own_pass_) co_return co_await pass({}, [this] { return fetch_guarded(own_pass_); });
    std::optional<LoginChallenge> challenge;
    {
        const std::lock_guard lock{mutex_};
        challenge = challenge_;
    }
    if (!challenge) co_return std::string{};
    if (challenge->scheme == "basic") co_return basic();
    co_return co_await pass(scope, [this, scope] { return fetch(scope); });
}

Task<std::string> RegistryLogin::api_pass(FetchPass fetch)
{
    co_return co_await pass("api", [this, fetch = std::move(fetch)] { return fetch_guarded(fetch); });
}

Task<RegistryPass> RegistryLogin::fetch_guarded(FetchPass fetch)
{
    CO_CHECK(check_breaker());
    auto fetching = fetch();
    auto fetched = co_await std::move(fetching);
    if (!fetched && fetched.error().code() == Errc::denied) trip_breaker();
    co_return fetched;
}

Result<> RegistryLogin::challenged(const std::string& scope, const ClientAnswerHead& answer, const std::string& used)
{
    if (own_pass_) {
        const std::lock_guard lock{mutex_};
        const auto found = passes_.find({});
        if (found != passes_.end() && found->second.authorization == used) passes_.erase(found);
        return {};
    }
    std::optional<LoginChallenge> chosen;
    for (const auto& field : answer.fields) {
        if (!same_word(field.name, "WWW-Authenticate")) continue;
        auto each = parse_login_challenge(field.value);
        const bool bearer = each.scheme == "bearer" && !each.realm.empty();
        if (bearer || (each.scheme == "basic" && !chosen)) chosen = std::move(each);
        if (bearer) break;
    }
    if (!chosen)
        return fail(Errc::denied, options_.registry.authority() + " wants a log-in of a kind that is not known");
    if (chosen->scheme == "basic") {
        if (!has_credentials()) return fail(Errc::denied, options_.registry.authority() + " wants credentials");
        if (used.starts_with("Basic ")) {
            trip_breaker();
            return fail(Errc::denied, options_.registry.authority() + " refuses the credentials");
        }
    } else {
        CHECK(realm_of(*chosen));
    }
    const std::lock_guard lock{mutex_};
    challenge_ = std::move(chosen);
    const auto found = passes_.find(scope);
    if (found != passes_.end() && found->second.authorization == used) passes_.erase(found);
    return {};
}

void RegistryLogin::refused(const std::string& used)
{
    if (used.starts_with("Basic ")) trip_breaker();
    const std::lock_guard lock{mutex_};
    std::erase_if(passes_, [&used](const auto& each) { return each.second.authorization == used; });
}

Result<std::string> RegistryLogin::basic()
{
    if (!has_credentials()) return std::string{};
    CHECK(check_breaker());
    return "Basic " + to_base64(as_bytes(options_.user + ":" + options_.secret));
}

Task<std::string> RegistryLogin::pass(std::string key, FetchPass fetch)
{
    for (;;) {
        std::shared_ptr<Flight> flight;
        bool leads = false;
        {
            const std::lock_guard lock{mutex_};
            const auto found = passes_.find(key);
            if (found != passes_.end() && found->second.until > clock_.steady()) co_return found->second.authorization;
            auto& place = flights_[key];
            leads = !place;
            if (leads) place = std::make_shared<Flight>();
            flight = place;
        }
        if (leads) {
            Landing landing{*this, key, flight};
            auto fetching = fetch();
            auto fetched = co_await std::move(fetching);
            if (!fetched) {
                landing.result = std::unexpected{std::move(fetched).error()};
                co_return landing.result;
            }
            const std::lock_guard lock{mutex_};
            if (passes_.size() >= most_passes) passes_.clear();
            landing.result = fetched->authorization;
            passes_.insert_or_assign(key, *fetched);
            co_return landing.result;
        }
        auto landed = co_await completed_by<std::string>([this, flight](Completion<std::string> completion) {
            std::unique_lock lock{mutex_};
            if (!flight->result) return flight->waiting.push_back(std::move(completion));
            auto result = *flight->result;
            lock.unlock();
            completion.complete(std::move(result));
        });
        if (landed || landed.error().code() != Errc::cancelled) co_return landed;
    }
}

void RegistryLogin::land(const std::string& scope, Flight& flight, Result<std::string> result)
{
    std::vector<Completion<std::string>> waiting;
    {
        const std::lock_guard lock{mutex_};
        flight.result = result;
        waiting = std::move(flight.waiting);
        flights_.erase(scope);
    }
    for (auto& each : waiting) each.complete(result);
}

Task<RegistryPass> RegistryLogin::fetch(std::string scope)
{
    std::optional<LoginChallenge> challenge;
    {
        const std::lock_guard lock{mutex_};
        challenge = challenge_;
    }
    CO_TRY(auto realm, realm_of(challenge.value_or(LoginChallenge{})));
    const auto host = realm.authority();
    auto asking = ask_realm(std::move(realm), challenge->service, std::move(scope));
    CO_TRY(const auto answer, co_await std::move(asking));
    if (answer.status == 200) co_return parse_token_answer(answer.body, clock_.steady());
    if (answer.status == 401 && has_credentials()) {
        trip_breaker();
        co_return fail(Errc::denied, "the log-in at " + host + " refuses the credentials");
    }
    auto error = remote_error(answer, answer.body, Errc::unavailable);
    if (answer.status == 429) {
        const auto now = clock_.now();
        const auto until = parse_retry_after(answer.field("retry-after"), now).value_or(now + 60'000'000);
        error.set_retry_after(std::chrono::seconds{(until - now) / 1'000'000 + 1});
    }
    if (answer.status < 400) error = Error{Errc::unavailable, "the log-in at " + host + " gives no token"};
    co_return std::unexpected{std::move(error)};
}

Task<ClientResponse> RegistryLogin::ask_realm(HttpUrl realm, std::string service, std::string scope)
{
    ClientRequest request{.url = realm.text(), .follow = false};
    if (options_.identity_token && has_credentials()) {
        CO_CHECK(check_breaker());
        request.method = "POST";
        request.fields.push_back({"Content-Type", "application/x-www-form-urlencoded"});
        request.body = "grant_type=refresh_token&client_id=entrepot&service=" + percent_encoded(service) +
                       "&scope=" + percent_encoded(scope) + "&refresh_token=" + percent_encoded(options_.secret);
        co_return co_await client_.send(std::move(request));
    }
    CO_TRY(auto password, basic());
    request.url += realm.target.contains('?') ? '&' : '?';
    request.url += "service=" + percent_encoded(service) + scope_fields(scope);
    if (!password.empty()) {
        request.url += "&account=" + percent_encoded(options_.user);
        request.fields.push_back({"Authorization", std::move(password), true});
    }
    co_return co_await client_.send(std::move(request));
}

Result<HttpUrl> RegistryLogin::realm_of(const LoginChallenge& challenge) const
{
    TRY(auto realm, resolve_http_url(options_.registry, challenge.realm));
    if (options_.registry.tls && !realm.tls) {
        return fail(Errc::denied, "the log-in at " + realm.authority() + " is not behind TLS as the registry is");
    }
    if (has_credentials() && !may_know_credentials(realm)) {
        return fail(
            Errc::denied,
            "the log-in is at " + realm.authority() +
                ", where the credentials are not sent; the endpoint's token_host "
                "allows another host"
        );
    }
    return realm;
}

bool RegistryLogin::may_know_credentials(const HttpUrl& url) const
{
    if (url.host == options_.registry.host) return true;
    return std::ranges::any_of(options_.token_hosts, [&url](const std::string& host) {
        return host == url.host || host == url.host + ":" + std::to_string(url.port);
    });
}

Result<> RegistryLogin::check_breaker()
{
    const std::lock_guard lock{mutex_};
    const auto left = closed_until_ - clock_.steady();
    if (left <= left.zero()) return {};
    Error error{Errc::denied, "the credentials were refused; they are not sent again within a minute"};
    error.set_retry_after(std::chrono::ceil<std::chrono::seconds>(left));
    return std::unexpected{std::move(error)};
}

void RegistryLogin::trip_breaker()
{
    const std::lock_guard lock{mutex_};
    closed_until_ = clock_.steady() + breaker_time;
}

}  // namespace entrepot
