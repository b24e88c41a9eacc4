#include "api/management/idempotency.hpp"

#include "api/token/seal.hpp"
#include "core/log.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {
namespace {

constexpr std::size_t longest_key = 255;
constexpr std::size_t largest_answer = std::size_t{256} << 10U;

std::string context_of(const Idempotency::Claim& claim)
{
    return "idempotency:" + std::to_string(claim.user_id) + ":" + claim.key;
}

bool can_be_kept(const Response& response)
{
    const bool in_memory =
        std::holds_alternative<std::monostate>(response.body) || std::holds_alternative<std::string>(response.body);
    return response.status >= 200 && response.status < 300 && in_memory && response.body_length() <= largest_answer;
}

}  // namespace

Result<> Idempotency::check_key(std::string_view key)
{
    const bool visible = std::ranges::all_of(key, [](char c) { return c > ' ' && c < '\x7f'; });
    if (!key.empty() && key.size() <= longest_key && visible) return {};
    return fail(Errc::bad_request, "an Idempotency-Key has from 1 to 255 visible characters");
}

// Headers, an empty line and the body, as on the wire.
std::string Idempotency::sealed(const Claim& claim, const Response& response)
{
    const auto* body = std::get_if<std::string>(&response.body);
    const auto text = response.headers + "\r\n" + (body ? *body : std::string{});
    return seal(master_key_, text, context_of(claim), random_);
}

Result<Response> Idempotency::unsealed(const Claim& claim, const IdempotencyCatalog::Entry& entry) const
{
    TRY(auto text, unseal(master_key_, entry.answer, context_of(claim)));
    Response response;
    response.status = entry.status;
    // Header lines end with CRLF, so the empty line follows at once, or stands first where there are none.
    const bool no_headers = text.starts_with("\r\n");
    const auto end = no_headers ? 0 : text.find("\r\n\r\n") + 2;
    response.headers = text.substr(0, end);
    if (end + 2 < text.size()) response.body = text.substr(end + 2);
    response.add(replayed, "true");
    return response;
}

Task<Response> Idempotency::once(Claim claim, std::function<Task<Response>()> carry_out)
{
    const auto now = clock_.now();
    const IdempotencyCatalog::Limits limits{
        .kept_since = now - std::chrono::microseconds{kept}.count(),
        .begun_since = now - std::chrono::microseconds{longest_request}.count(),
    };
    CO_TRY(const auto entry, co_await catalog_.begin(claim.user_id, claim.key, claim.request, now, limits));
    if (entry && entry->request != claim.request) {
        co_return fail(Errc::unprocessable, "this Idempotency-Key was used for another request");
    }
    if (entry && entry->status == 0) {
        co_return fail(Errc::conflict, "the first request with this Idempotency-Key is under way");
    }
    if (entry) co_return unsealed(claim, *entry);

    auto response = co_await carry_out();
    Result<> noted;
    if (response && can_be_kept(*response)) {
        noted = co_await catalog_.finish(claim.user_id, claim.key, response->status, sealed(claim, *response));
    } else {
        noted = co_await catalog_.abandon(claim.user_id, claim.key);
    }
    // What was asked for has been done all the same.
    if (!noted) log::failure(log::Level::warning, "an Idempotency-Key was not recorded", noted.error());
    co_return response;
}

Task<> Idempotency::remove_expired()
{
    co_return co_await catalog_.remove_before(clock_.now() - std::chrono::microseconds{kept}.count());
}

}  // namespace entrepot
