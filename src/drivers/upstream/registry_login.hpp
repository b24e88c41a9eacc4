#pragma once

#include "client/http_client.hpp"
#include "client/http_url.hpp"
#include "core/clock.hpp"
#include "core/completion.hpp"
#include "core/task.hpp"
#include "drivers/upstream/answer_fields.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace entrepot {

// The value of Authorization, and until when it is good.
struct RegistryPass {
    std::string authorization;
    std::chrono::steady_clock::time_point until;
};

struct RegistryLoginOptions {
    HttpUrl registry;
    std::vector<std::string> token_hosts{};  // besides the registry's: "host" or "host:port", lower-case
    std::string user{};
    std::string secret{};
    bool identity_token = false;  // `secret` is a refresh token of OAuth 2, and no password
};

// Logs in to one registry as it asks for: not at all, with the password (RFC 7617), or with a token for each repository
// and what is done there (docs.docker.com, "Token authentication specification"). Tokens are kept until shortly before
// they end, and asked for once however many wait for the same. The credentials go to the registry and to where its
// log-in may be, nowhere else, and not in clear where the registry is behind TLS. Once refused they are not sent again
// for a minute, since many refusals lock an account. Safe from any thread.
class RegistryLogin {
public:
    RegistryLogin(HttpClient& client, RegistryLoginOptions options, const Clock& clock);

    using FetchPass = std::function<Task<RegistryPass>()>;

    // Before it is used: a log-in of the registry's kind, whose passes count for all scopes.
    void use_pass(FetchPass fetch) { own_pass_ = std::move(fetch); }
    // The value of Authorization for an API beside the registry that has passes of its own, kept as tokens are.
    Task<std::string> api_pass(FetchPass fetch);

    // The value of Authorization for the scopes (apart by blanks), as far as is known what the registry asks for;
    // empty: nothing yet. denied, too_many_requests, unavailable.
    Task<std::string> authorization(std::string scope);
    // The registry answered 401 to `used`, with these challenges: the next authorization() will have another value.
    // denied: there is none.
    Result<> challenged(const std::string& scope, const ClientAnswerHead& answer, const std::string& used);
    // What has just been obtained was refused too.
    void refused(const std::string& used);
    // The password itself, for APIs that take no tokens; empty without credentials. denied as above.
    Result<std::string> basic();

private:
    struct Flight {
        std::optional<Result<std::string>> result;
        std::vector<Completion<std::string>> waiting;
    };
    class Landing;

    Task<std::string> pass(std::string key, FetchPass fetch);
    Task<RegistryPass> fetch_guarded(FetchPass fetch);
    Task<RegistryPass> fetch(std::string scope);
    Task<ClientResponse> ask_realm(HttpUrl realm, std::string service, std::string scope);
    Result<HttpUrl> realm_of(const LoginChallenge& challenge) const;
    bool may_know_credentials(const HttpUrl& url) const;
    bool has_credentials() const { return !options_.secret.empty(); }
    Result<> check_breaker();
    void trip_breaker();
    void land(const std::string& scope, Flight& flight, Result<std::string> result);

    HttpClient& client_;
    const RegistryLoginOptions options_;
    const Clock& clock_;
    FetchPass own_pass_;
    std::mutex mutex_;
    std::optional<LoginChallenge> challenge_;
    std::map<std::string, RegistryPass> passes_;  // by scope, or else by a key that is none
    std::map<std::string, std::shared_ptr<Flight>> flights_;
    std::chrono::steady_clock::time_point closed_until_{};
};

// The pass in a token service's answer, from `now` on. unavailable.
Result<RegistryPass> parse_token_answer(std::string_view body, std::chrono::steady_clock::time_point now);

}  // namespace entrepot
