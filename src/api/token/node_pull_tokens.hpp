#pragma once

#include "access/policy.hpp"
#include "api/token/token_signer.hpp"
#include "core/random.hpp"
#include "delivery/pull_tokens.hpp"
#include "ports/account_catalog.hpp"

namespace entrepot {

// The registry's own access tokens for nodes: of whoever asked that they fetch an image, narrowed to pulls of its
// repository, and shorter than those that people get. Safe from any loop.
class NodePullTokens final : public PullTokens {
public:
    static constexpr std::chrono::seconds lifetime{600};

    NodePullTokens(
        AccountCatalog& accounts,
        KeyRing& keys,
        const AccessPolicy& policy,
        const Clock& clock,
        Random& random,
        TokenSettings settings
    );

    Task<std::string>
    pull_token(std::int64_t owner_id, std::int64_t access_token_id, RepositoryName repository) override;

private:
    AccountCatalog& accounts_;
    const AccessPolicy& policy_;
    const Clock& clock_;
    Random& random_;
    const TokenSigner signer_;
};

}  // namespace entrepot
