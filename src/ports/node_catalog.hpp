#pragma once

#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/actor.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace entrepot {

// A token that brings nodes, as it is stored (docs/formats/swarm-identity.md).
struct NodeTokenEntry {
    std::string id{};    // 16 hexadecimal digits
    std::string hash{};  // SHA-256 of the token's text, in hexadecimal
    std::string description{};
    std::vector<std::string> zones{};  // that its nodes may be in; empty: any
    std::uint32_t nodes = 0;           // how many it may bring
    std::uint32_t used = 0;            // how many it has
    Micros created_at = 0;
    Micros expires_at = 0;
    std::string created_by{};  // a principal's name

    bool operator==(const NodeTokenEntry&) const = default;
};

// A node of the swarm that has been given a certificate.
struct NodeEntry {
    std::string id{};  // 64 hexadecimal digits: NodeId
    std::string name{};
    std::string zone{};
    std::string token_id{};   // that brought it
    Micros admitted_at = 0;   // for the first time
    Micros certified_at = 0;  // last
    Micros expires_at = 0;    // the last certificate

    bool operator==(const NodeEntry&) const = default;
};

struct NodeList {
    std::vector<NodeEntry> nodes;
    bool more = false;
};

// What all instances of the registry know about the nodes of its swarm. One method, one transaction; what a changing
// method acknowledges is durable. unavailable; those that write also storage_full.
class NodeCatalog {
public:
    virtual ~NodeCatalog() = default;

    // A secret that all instances share, sealed: what was kept first under this name stays, and is answered.
    virtual Task<std::string> keep_secret(std::string name, std::string sealed) = 0;

    virtual Task<> add_token(NodeTokenEntry token, Actor actor) = 0;  // conflict: its id is another's
    virtual Task<std::vector<NodeTokenEntry>> tokens() = 0;           // the newest first
    virtual Task<NodeTokenEntry> token(std::string id) = 0;           // not_found
    // Its nodes stay. not_found
    virtual Task<> remove_token(std::string id, Actor actor) = 0;

    // Writes the node down, and counts it to its token; of one that is known already only name, zone and the last
    // certificate's times are written, and nothing is counted. not_found: no such token; conflict: the token has
    // brought as many as it may.
    virtual Task<> admit(NodeEntry node) = 0;
    // Its certificate was renewed. not_found: it was removed meanwhile.
    virtual Task<> renew(std::string id, Micros certified_at, Micros expires_at) = 0;
    virtual Task<NodeEntry> node(std::string id) = 0;  // not_found
    // By name, then id: those behind `after_id` (empty: from the start), of one zone when that is not empty. not_found:
    // there is no node `after_id` any more, so the list has to be read from its start.
    virtual Task<NodeList> nodes(std::string zone, std::string after_id, std::int64_t limit) = 0;
    // Forgets it: it needs a token again, which counts it as another. not_found
    virtual Task<> remove_node(std::string id, Actor actor) = 0;
    // The same for nodes whose last certificate was made before that time, the oldest first, at most `limit` of them.
    // Answers those that were forgotten.
    virtual Task<std::vector<NodeEntry>> forget_nodes(Micros certified_before, std::int64_t limit, Actor actor) = 0;

    // An instance that tracks swarms is alive, and is found by nodes at `endpoint` (1 to 60 bytes). Answers all that
    // have said so within `lifetime` microseconds, itself among them, sorted; others are forgotten. The database's
    // clock decides. What is acknowledged need not outlive a loss of power.
    virtual Task<std::vector<std::string>> meet(std::string endpoint, Micros lifetime) = 0;
    // It isn't any more. Nothing happens when it is not known.
    virtual Task<> part(std::string endpoint) = 0;
};

}  // namespace entrepot
