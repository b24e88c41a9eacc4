#pragma once

#include "access/policy.hpp"
#include "delivery/swarm_secrets.hpp"
#include "ports/node_catalog.hpp"
#include "swarm/identity/node_token.hpp"

#include <string>
#include <vector>

namespace entrepot {

struct NewNodeToken {
    std::string description{};
    std::vector<std::string> zones{};  // empty: any
    std::uint32_t nodes = 1;           // how many it may bring: 1 to 1,000,000
    Micros lifetime = 0;               // microseconds; up to a year
};

// Which nodes belong to the swarm: tokens that bring them, their certificates, and who is to go. Tokens and nodes are
// the platform's matter: who has no right to them (preheat-instance, as Harbor calls it) hears `denied`. Safe from any
// loop.
class NodeDesk {
public:
    NodeDesk(
        NodeCatalog& catalog,
        const AccessPolicy& policy,
        std::shared_ptr<const SwarmSecrets> secrets,
        Random& random,
        const Clock& clock
    );

    struct MadeToken {
        NodeTokenEntry entry;
        std::string text;  // shown this once
    };
    Task<MadeToken> create_token(Caller caller, NewNodeToken wanted);  // bad_request, denied
    Task<std::vector<NodeTokenEntry>> tokens(Caller caller);           // denied
    Task<> remove_token(Caller caller, std::string id);                // denied, not_found
    // By name, then id; at most 1,000. denied, bad_request; not_found: `after_id` is gone
    Task<NodeList> nodes(Caller caller, std::string zone, std::string after_id, std::int64_t limit);
    // It gets no certificate any more, and no ticket once nobody remembers it (SwarmTickets). denied, not_found
    Task<> remove_node(Caller caller, std::string id);

    // As remove_node(), for nodes that have asked for no certificate for so long (microseconds); one that is alive does
    // each day. Those that are gone.
    Task<std::vector<NodeEntry>> forget(Micros silence);

    // A node's first certificate, or another after a long sleep. bad_request: name, zone or request; unauthorized: the
    // token, with one message whatever is wrong.
    Task<NodeCertificate> admit(std::string token, NodeAdmission admission, std::string request);
    // The next one of a node that has shown the one before. denied: it was removed, or another key; bad_request.
    Task<NodeCertificate> renew(NodeIdentity node, std::string request);
    // What is known of it. not_found
    Task<NodeEntry> node(NodeId id);

private:
    Task<NodeCertificate> admit_by(NodeToken shown, NodeAdmission admission, std::string request);

    NodeCatalog& catalog_;
    const AccessPolicy& policy_;
    const std::shared_ptr<const SwarmSecrets> secrets_;
    Random& random_;
    const Clock& clock_;
};

}  // namespace entrepot
