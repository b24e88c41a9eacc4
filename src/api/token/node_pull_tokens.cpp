#include "api/token/node_pull_tokens.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {
namespace {

TokenSettings shortened(TokenSettings settings)
{
    settings.lifetime = std::min(NodePullTokens::lifetime, settings.longest_lifetime);
    settings.current_lifetime = nullptr;
    return settings;
}

}  // namespace

NodePullTokens::NodePullTokens(
    AccountCatalog& accounts,
    KeyRing& keys,
    const AccessPolicy& policy,
    const Clock& clock,
    Random& random,
    TokenSettings settings
)
    : accounts_{accounts},
      policy_{policy},
      clock_{clock},
      random_{random},
      signer_{keys, shortened(std::move(settings))}
{
}

// With the credential that the owner has now: what they asked for outlives a change of password, but not their right.
Task<std::string>
NodePullTokens::pull_token(std::int64_t owner_id, std::int64_t access_token_id, RepositoryName repository)
{
    const auto refuse = [] { return fail(Errc::denied, "the owner may not pull from the repository"); };
    const auto account = co_await accounts_.find_by_id(owner_id);
    if (!account && account.error().code() == Errc::not_found) co_return refuse();
    if (!account) co_return std::unexpected{account.error()};
    if (account->disabled) co_return refuse();
    const Identity identity{.user_id = account->id, .name = account->name, .kind = account->kind};
    const Caller owner{
        .identity = std::make_shared<const Identity>(identity),
        .scopes = nullptr,
        .credential_version = account->credential_version,
    };
    if (!policy_.may(owner, repository.text(), Action::pull)) co_return refuse();
    TokenScopes scopes;
    scopes.entries.push_back({.repository = repository.text(), .actions = bit(Action::pull)});
    const TokenSigner::Subject subject{
        .name = account->name,
        .user_id = account->id,
        .credential_version = account->credential_version,
        .access_token_id = access_token_id,
    };
    co_return signer_.sign(subject, std::move(scopes), random_.base64url(16), clock_.now());
}

}  // namespace entrepot
