#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/random.hpp"
#include "swarm/identity/node_key.hpp"
#include "swarm/net/peer_tls_context.hpp"
#include "swarm/wire/wire_values.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// What the registry has given a node: docs/formats/swarm-http.md. Times are microseconds since 1970.
struct NodeEnrolment {
    std::string certificate{};               // PEM
    std::vector<std::string> authorities{};  // PEM each: what nodes' certificates are signed with
    std::vector<TicketPublicKey> ticket_keys{};
    std::string control_host{};  // where control streams go
    std::uint16_t control_port = 0;
    Micros begins = 0;  // of the certificate
    Micros ends = 0;

    bool operator==(const NodeEnrolment&) const = default;
    bool holds(Micros now) const noexcept { return begins <= now && now < ends; }
};

// The registry's answer, which is also what is kept. An empty host of control streams becomes `host`. bad_request.
Result<NodeEnrolment> parse_enrolment(std::string_view json, const std::string& host);
std::string enrolment_json(const NodeEnrolment& enrolment);
// The same node with the certificate that it has renewed, and other authorities where there are any: PEM, one after
// the other. bad_request.
Result<NodeEnrolment>
renewed_enrolment(NodeEnrolment before, const std::string& certificate, std::string_view authorities);
// The same node where control streams go elsewhere now, by the registry's answer. bad_request.
Result<NodeEnrolment> moved_enrolment(NodeEnrolment before, std::string_view json, const std::string& host);

// What a node shows who it is with: its key, made once, and what the registry has given for it, kept in a directory
// beside it. The key's file is its owner's alone. One thread at a time.
class NodeCredentials {
public:
    // Blocks. The directory is made where it is missing. corrupt: the key's file holds none, and is left alone;
    // unavailable: the disk. An enrolment that cannot be read, or is of another key, counts as none.
    static Result<NodeCredentials> open(std::filesystem::path directory, Random& random);

    const NodeKey& key() const noexcept { return key_; }
    // nullopt: the registry doesn't know this node yet, or never again. It may have expired.
    const std::optional<NodeEnrolment>& enrolment() const noexcept { return enrolment_; }
    // bad_request: not of our key, or no authorities.
    Result<std::shared_ptr<const PeerTlsContext>> tls(const NodeEnrolment& enrolment) const;

    void use(NodeEnrolment enrolment) { enrolment_ = std::move(enrolment); }
    // Writes the enrolment in use, in place of the one before. Blocks. unavailable, storage_full.
    static Result<> keep(const std::filesystem::path& directory, const std::string& json);
    // Takes away all that open() and keep() have written, and the directory where nothing else is in it. Blocks.
    // unavailable.
    static Result<> remove(const std::filesystem::path& directory);
    const std::filesystem::path& directory() const noexcept { return directory_; }

private:
    NodeCredentials(std::filesystem::path directory, NodeKey key)
        : directory_{std::move(directory)}, key_{std::move(key)}
    {
    }

    std::filesystem::path directory_;
    NodeKey key_;
    std::optional<NodeEnrolment> enrolment_;
};

}  // namespace entrepot
