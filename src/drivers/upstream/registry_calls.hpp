#pragma once

#include "client/http_client.hpp"
#include "client/http_url.hpp"
#include "core/clock.hpp"
#include "drivers/upstream/endpoint_limiter.hpp"
#include "drivers/upstream/registry_login.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace entrepot {

struct RegistryCall {
    std::string method = "GET";
    std::string url;      // absolute
    std::string scope{};  // of the token: "repository:a/b:pull"; several apart by blanks
    std::vector<HttpField> fields{};
    std::string body{};
    ByteSource* source = nullptr;  // in the place of `body`
    bool follow = true;            // false: a redirect is an answer like others
    bool plain_login = false;      // an API beside the distribution's, which takes the password itself
    EndpointLimiter::Lane lane = EndpointLimiter::Lane::reads;
};

// An answer whose body is still to come; the request's place among those at once is held until the slot goes.
struct OpenedAnswer {
    ClientStream stream;
    EndpointLimiter::Slot slot;
};

// Requests to one registry: logged in, within its limits, again where that can help. Answers to be had: any but 401
// (denied), 429 and what goes on answering 502, 503, 504 (too_many_requests, unavailable). Safe from any thread.
class RegistryCalls {
public:
    RegistryCalls(
        HttpClient client, HttpUrl registry, RegistryLoginOptions login, EndpointLimits limits, const Clock& clock
    );

    // Before the first call: the log-in of the registry's kind.
    void use_pass(RegistryLogin::FetchPass fetch) { login_.use_pass(std::move(fetch)); }
    Task<std::string> api_pass(RegistryLogin::FetchPass fetch) { return login_.api_pass(std::move(fetch)); }

    // As HttpClient::open() and send(), which tell what else can happen. send() takes answers of up to `longest` bytes,
    // within a minute.
    Task<OpenedAnswer> open(RegistryCall call);
    Task<ClientResponse> send(RegistryCall call, std::size_t longest = longest_list);
    // What an answer that is no success means; reads the front of its body. remote_error() explains `unknown`.
    asio::awaitable<Error> error_of(OpenedAnswer answer, Errc unknown);

    const HttpUrl& registry() const noexcept { return registry_; }
    HttpClient& client() noexcept { return client_; }
    const Clock& clock() const noexcept { return clock_; }
    const std::shared_ptr<EndpointLimiter>& limiter() const noexcept { return limiter_; }
    Micros rests_until() const noexcept { return rests_until_.load(std::memory_order_relaxed); }

    static constexpr std::size_t longest_list = 16 * 1024 * 1024;

private:
    enum class Next { answer, again };

    Task<> rest();
    Task<ClientRequest> request_of(const RegistryCall& call);
    Task<Next> judge(const RegistryCall& call, const ClientStream& stream, unsigned attempt);
    Result<Next>
    log_in_again(const RegistryCall& call, const ClientStream& stream, bool& logged_in, const std::string& used);
    void note_limits(const ClientAnswerHead& answer);
    void rest_until(Micros until) noexcept;
    bool is_registry(const std::string& url) const;

    HttpClient client_;
    const HttpUrl registry_;
    RegistryLogin login_;
    const std::shared_ptr<EndpointLimiter> limiter_;
    const Clock& clock_;
    std::atomic<Micros> rests_until_{0};
};

}  // namespace entrepot
