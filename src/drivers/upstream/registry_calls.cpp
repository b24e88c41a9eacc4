#include "drivers/upstream/registry_calls.hpp"

#include "core/ascii.hpp"
#include "core/pause.hpp"
#include "drivers/upstream/answer_fields.hpp"
#include "drivers/upstream/remote_problem.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

constexpr Micros second = 1'000'000;
constexpr Micros short_rest = 5 * second;
constexpr Micros usual_rest = 60 * second;
constexpr unsigned most_attempts = 3;
constexpr auto answer_patience = 60s;
constexpr std::size_t longest_problem = 64 * 1024;

bool is_repeatable(const RegistryCall& call) noexcept
{
    const bool idempotent = call.method == "GET" || call.method == "HEAD";
    return idempotent && call.source == nullptr && call.body.empty();
}

std::chrono::microseconds backoff(unsigned attempt) noexcept
{
    return 200ms * (1U << (2 * attempt));
}

Task<std::string> gather(ByteSource& body, std::size_t longest)
{
    const auto deadline = std::chrono::steady_clock::now() + answer_patience;
    std::string text;
    std::string piece;
    for (;;) {
        piece.resize(std::size_t{64} * 1024);
        CO_TRY(const auto count, co_await body.read(std::as_writable_bytes(std::span{piece})));
        if (count == 0) co_return text;
        if (text.size() + count > longest) co_return fail(Errc::payload_too_large, "the registry's answer is too long");
        text.append(piece, 0, count);
        if (std::chrono::steady_clock::now() > deadline)
            co_return fail(Errc::request_timeout, "the registry takes too long to answer");
    }
}

}  // namespace

RegistryCalls::RegistryCalls(
    HttpClient client, HttpUrl registry, RegistryLoginOptions login, EndpointLimits limits, const Clock& clock
)
    : client_{std::move(client)},
      registry_{std::move(registry)},
      login_{client_, std::move(login), clock},
      limiter_{std::make_shared<EndpointLimiter>(limits)},
      clock_{clock}
{
}

Task<OpenedAnswer> RegistryCalls::open(RegistryCall call)
{
    CO_CHECK(co_await rest());
    CO_TRY(auto slot, co_await limiter_->enter(call.lane));
    bool logged_in = false;
    for (unsigned attempt = 0;; ++attempt) {
        CO_TRY(auto request, co_await request_of(call));
        const auto used = request.fields.back().value;
        if (used.empty()) request.fields.pop_back();
        auto opening = client_.open(std::move(request));
        auto stream = co_await std::move(opening);
        if (!stream) {
            const bool lost = stream.error().code() == Errc::connection_lost;
            if (!lost || !is_repeatable(call) || attempt >= most_attempts)
                co_return std::unexpected{std::move(stream).error()};
            co_await pause(backoff(attempt));
            continue;
        }
        note_limits(*stream);
        if (stream->status == 401) {
            CO_TRY(const auto next, log_in_again(call, *stream, logged_in, used));
            if (next == Next::again) continue;
        }
        auto judging = judge(call, *stream, attempt);
        CO_TRY(const auto next, co_await std::move(judging));
        if (next == Next::again) continue;
        co_return OpenedAnswer{std::move(*stream), std::move(slot)};
    }
}

Task<ClientResponse> RegistryCalls::send(RegistryCall call, std::size_t longest)
{
    const bool only_head = call.method == "HEAD";
    auto opening = open(std::move(call));
    CO_TRY(auto opened, co_await std::move(opening));
    ClientResponse response;
    static_cast<ClientAnswerHead&>(response) = std::move(opened.stream);
    if (only_head) co_return response;
    CO_TRY(response.body, co_await gather(*opened.stream.body, longest));
    co_return response;
}

asio::awaitable<Error> RegistryCalls::error_of(OpenedAnswer answer, Errc unknown)
{
    const auto body = co_await gather(*answer.stream.body, longest_problem);
    co_return remote_error(answer.stream, body ? *body : std::string{}, unknown);
}

// Its last field is Authorization, empty where none is sent.
Task<ClientRequest> RegistryCalls::request_of(const RegistryCall& call)
{
    ClientRequest request{
        .method = call.method, .url = call.url, .fields = call.fields, .body = call.body, .source = call.source
    };
    request.follow = call.follow;
    std::string authorization;
    if (is_registry(call.url)) {
        if (call.plain_login) {
            CO_TRY(authorization, login_.basic());
        } else {
            CO_TRY(authorization, co_await login_.authorization(call.scope));
        }
    }
    request.fields.push_back({"Authorization", std::move(authorization), true});
    co_return request;
}

Result<RegistryCalls::Next> RegistryCalls::log_in_again(
    const RegistryCall& call, const ClientStream& stream, bool& logged_in, const std::string& used
)
{
    const auto host = registry_.authority();
    // After a redirect the other host has not seen our log-in; another one won't help there.
    if (!is_registry(stream.url)) return fail(Errc::denied, "what " + host + " redirects to wants a log-in");
    if (logged_in || call.plain_login) {
        login_.refused(used);
        return fail(
            Errc::denied, host + (used.empty() ? " wants credentials" : " says that the credentials are not enough")
        );
    }
    logged_in = true;
    CHECK(login_.challenged(call.scope, stream, used));
    // What was sent can't be had again; but the next request will be logged in.
    if (call.source != nullptr) return fail(Errc::connection_lost, "the log-in at " + host + " has ended");
    return Next::again;
}

Task<RegistryCalls::Next> RegistryCalls::judge(const RegistryCall& call, const ClientStream& stream, unsigned attempt)
{
    const auto status = stream.status;
    if (status != 429 && status != 502 && status != 503 && status != 504) co_return Next::answer;
    const auto now = clock_.now();
    const auto said = parse_retry_after(stream.field("retry-after"), now);
    const auto until = said.value_or(status == 429 ? now + usual_rest : now);
    const auto wait = std::max<Micros>(until - now, 0);
    const bool repeatable = call.source == nullptr && (status == 429 || is_repeatable(call));
    if (repeatable && attempt < most_attempts && wait <= short_rest) {
        co_await pause(std::max(std::chrono::microseconds{wait}, backoff(attempt)));
        co_return Next::again;
    }
    if (is_registry(stream.url) && (status == 429 || said)) rest_until(until);
    const auto url = parse_http_url(stream.url);
    Error error{
        status == 429 ? Errc::too_many_requests : Errc::unavailable,
        (url ? url->authority() : registry_.authority()) + " answers " + std::to_string(status)
    };
    error.set_retry_after(std::chrono::ceil<std::chrono::seconds>(std::chrono::microseconds{wait}));
    co_return std::unexpected{std::move(error)};
}

Task<> RegistryCalls::rest()
{
    const auto left = rests_until() - clock_.now();
    if (left <= 0) co_return Result<>{};
    if (left > short_rest) {
        Error error{Errc::too_many_requests, registry_.authority() + " wants to be left alone for a while"};
        error.set_retry_after(std::chrono::ceil<std::chrono::seconds>(std::chrono::microseconds{left}));
        co_return std::unexpected{std::move(error)};
    }
    co_await pause(std::chrono::microseconds{left});
    co_return Result<>{};
}

// A used-up limit that says when it begins anew (the draft "RateLimit header fields for HTTP"). Docker Hub's says
// nothing of the kind; it answers 429 then.
void RegistryCalls::note_limits(const ClientAnswerHead& answer)
{
    if (!is_registry(answer.url)) return;
    const auto left = parse_rate_limit(answer.field("ratelimit-remaining"));
    if (!left || *left > 0) return;
    const auto now = clock_.now();
    if (const auto until = parse_retry_after(answer.field("ratelimit-reset"), now)) rest_until(*until);
}

void RegistryCalls::rest_until(Micros until) noexcept
{
    auto known = rests_until_.load(std::memory_order_relaxed);
    while (known < until && !rests_until_.compare_exchange_weak(known, until, std::memory_order_relaxed)) {
    }
}

bool RegistryCalls::is_registry(const std::string& url) const
{
    const auto parsed = parse_http_url(url);
    return parsed && parsed->same_origin(registry_);
}

}  // namespace entrepot
