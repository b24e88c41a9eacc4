#pragma once

#include "core/error.hpp"
#include "swarm/identity/node_key.hpp"
#include "swarm/identity/node_trust.hpp"

#include <memory>
#include <string_view>

struct ssl_ctx_st;

namespace entrepot {

// The name of the protocol in TLS (RFC 7301).
inline constexpr std::string_view swarm_protocol_name = "entrepot-swarm";

// What a node shows to others and whom it believes: its certificate, its key and the authorities that it trusts. For
// both ends of connections: TLS 1.3 only, certificates on both sides, no sessions to be taken up again (each handshake
// looks at a certificate). Immutable; safe from any thread.
class PeerTlsContext {
public:
    // `certificate`: PEM, of this key. bad_request: unreadable, or another key's; internal.
    static Result<std::shared_ptr<const PeerTlsContext>>
    of(const NodeKey& key, std::string_view certificate, NodeTrust trust);

    ssl_ctx_st* native() const noexcept { return context_.get(); }
    const NodeTrust& trust() const noexcept { return trust_; }
    const NodeId& own_id() const noexcept { return own_id_; }

private:
    PeerTlsContext(std::shared_ptr<ssl_ctx_st> context, NodeTrust trust, const NodeId& own_id)
        : context_{std::move(context)}, trust_{std::move(trust)}, own_id_{own_id}
    {
    }

    std::shared_ptr<ssl_ctx_st> context_;
    NodeTrust trust_;
    NodeId own_id_;
};

}  // namespace entrepot
