#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/random.hpp"
#include "swarm/identity/node_identity.hpp"
#include "swarm/identity/x509_handles.hpp"

#include <string>
#include <string_view>

namespace entrepot {

// What the registry has decided about a node, before it certifies it.
struct NodeAdmission {
    std::string name;   // is_node_name()
    std::string zone;   // is_zone_name()
    bool seed = false;  // see NodeIdentity
};

// A node's certificate, and what it says. Times are microseconds since 1970, of whole seconds.
struct NodeCertificate {
    std::string pem;
    NodeIdentity identity;
    Micros begins = 0;
    Micros ends = 0;
};

// The registry's own certificate authority for nodes: one ECDSA key on P-256 and a certificate that it has signed
// itself (docs/formats/swarm-identity.md says what is in it, and why this kind of key). Nothing else trusts it.
// Immutable; safe from any thread.
class NodeAuthority {
public:
    static constexpr Micros own_lifetime = 3650LL * 24 * 3600 * 1'000'000;
    static constexpr Micros node_lifetime = 24LL * 3600 * 1'000'000;
    // Certificates begin so long before they are made: the node's clock may be behind.
    static constexpr Micros backdated = 5LL * 60 * 1'000'000;

    static Result<NodeAuthority> create(Random& random, Micros now);  // internal
    // corrupt: not a key and the certificate of it, or a certificate that is no authority's.
    static Result<NodeAuthority> from_pem(std::string_view key, std::string_view certificate);

    // PKCS#8, not encrypted: to be sealed at once and wiped, never logged. internal.
    Result<std::string> key_pem() const;
    // For every node: what it trusts (NodeTrust).
    const std::string& certificate_pem() const noexcept { return certificate_pem_; }

    // A certificate for the key in a PKCS#10 request (RFC 2986, PEM), whose sender has the private key: the request's
    // signature shows it. What else the request asks for (names, extensions, attributes) is not looked at.
    // bad_request: not a request, a key that node_id_of() refuses, a wrong signature, or an admission that cannot be;
    // unavailable: this authority's own certificate has expired, or does soon; internal.
    Result<NodeCertificate>
    issue(std::string_view request, const NodeAdmission& admission, Random& random, Micros now) const;

private:
    NodeAuthority(SharedKey key, SharedCertificate certificate, std::string pem);

    SharedKey key_;
    SharedCertificate certificate_;
    std::string certificate_pem_;
};

}  // namespace entrepot
