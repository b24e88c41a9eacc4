#include "access/token.hpp"

#include <limits>

namespace entrepot {
namespace {

// Far enough for any real clock, and small enough to add and multiply.
constexpr std::int64_t last_second = std::numeric_limits<std::int64_t>::max() / 4'000'000;

bool sensible(std::int64_t seconds) noexcept
{
    return seconds >= 0 && seconds <= last_second;
}

}  // namespace

Result<> check_claims(const TokenClaims& claims, const TokenRules& rules, Micros now)
{
    const auto refuse = [](std::string why) {
        return fail(Errc::unauthorized, "the token is not valid", std::move(why));
    };
    if (claims.issuer != rules.issuer) return refuse("foreign issuer");
    if (claims.audience != rules.audience) return refuse("foreign audience");
    if (!sensible(claims.expires_at) || !sensible(claims.not_before)) return refuse("times out of range");
    const auto seconds = now / 1'000'000;
    const auto leeway = rules.leeway.count();
    if (claims.expires_at + leeway <= seconds) return refuse("expired");
    if (claims.not_before - leeway > seconds) return refuse("not valid yet");
    if (claims.subject.empty() != (claims.user_id == 0)) return refuse("a subject without a user");
    return {};
}

TokenScopes granted(const TokenScopes& requested, const Caller& caller, const AccessPolicy& policy)
{
    TokenScopes scopes;
    scopes.catalog = requested.catalog && policy.may_list_catalog(caller);
    for (const auto& entry : requested.entries) {
        const auto now = policy.renamed(entry.repository);
        // By a former name one pulls, as far as one may by the name of today.
        const auto may =
            now ? policy.allowed(caller, *now) & bit(Action::pull) : policy.allowed(caller, entry.repository);
        const auto actions = static_cast<ActionSet>(entry.actions & may);
        if (actions != 0) scopes.entries.push_back({entry.repository, actions});
    }
    return scopes;
}

}  // namespace entrepot
