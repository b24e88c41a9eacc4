#pragma once

#include "core/random.hpp"
#include "core/task.hpp"
#include "ports/node_catalog.hpp"
#include "ports/secret_box.hpp"
#include "swarm/identity/node_authority.hpp"
#include "swarm/ticket/ticket_signer.hpp"

#include <memory>

namespace entrepot {

// What the registry vouches with for its nodes: the authority that certifies them and the key that signs tickets. Made
// once, kept in the catalog sealed under the master key, the same for all instances. Immutable; safe from any thread.
class SwarmSecrets {
public:
    // Reads them, or makes them. corrupt: they can't be unsealed (another master key?); unavailable, internal.
    static Task<std::shared_ptr<const SwarmSecrets>>
    open(NodeCatalog& catalog, SecretBox& box, Random& random, const Clock& clock);

    const NodeAuthority& authority() const noexcept { return authority_; }
    const TicketSigner& signer() const noexcept { return signer_; }

private:
    SwarmSecrets(NodeAuthority authority, TicketSigner signer)
        : authority_{std::move(authority)}, signer_{std::move(signer)}
    {
    }

    NodeAuthority authority_;
    TicketSigner signer_;
};

}  // namespace entrepot
