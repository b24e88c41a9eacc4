#pragma once

#include "core/error.hpp"
#include "swarm/crypto/openssl_handles.hpp"
#include "swarm/wire/wire_values.hpp"

#include <string>
#include <string_view>

namespace entrepot {

// A node's own key, ECDSA on P-256, made on the node and never sent anywhere. Keeping it makes the node the same one
// (its NodeId) with its next certificate. Immutable; safe from any thread.
class NodeKey {
public:
    static Result<NodeKey> generate();                      // internal
    static Result<NodeKey> from_pem(std::string_view pem);  // bad_request

    // PKCS#8, not encrypted: for a file that its owner alone reads, never logged. internal.
    Result<std::string> pem() const;
    // What the registry makes a certificate of: a PKCS#10 request (RFC 2986) without names, PEM. internal.
    Result<std::string> request() const;
    const NodeId& id() const noexcept { return id_; }

private:
    NodeKey(SharedKey key, const NodeId& id) : key_{std::move(key)}, id_{id} {}
    static Result<NodeKey> of(SharedKey key);

    SharedKey key_;
    NodeId id_;
};

}  // namespace entrepot
