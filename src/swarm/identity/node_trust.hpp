#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"
#include "swarm/identity/node_identity.hpp"
#include "swarm/identity/x509_handles.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace entrepot {

// Tells the nodes of one registry from all others by their certificates. It trusts the registry's authorities for nodes
// (two while one takes the other's place) and nothing that the machine trusts otherwise. verify() is safe from any
// thread while nobody calls trust().
class NodeTrust {
public:
    NodeTrust();

    // bad_request: not the certificate of an authority, PEM.
    Result<> trust(std::string_view authority_pem);

    // Who shows this certificate (DER), at this time. There are no certificates between an authority's and a node's, so
    // what a peer sends besides its own is not looked at. That the peer has its key, TLS shows.
    // unauthorized, with the reason as its detail: signed by another, not valid yet or any more, not for both sides of
    // TLS, an authority's itself, or not such as NodeAuthority makes.
    Result<NodeIdentity> verify(std::span<const std::byte> certificate, Micros now) const;

private:
    std::shared_ptr<X509_STORE> authorities_;
};

}  // namespace entrepot
