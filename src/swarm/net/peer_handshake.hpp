#pragma once

#include "core/address.hpp"
#include "core/asio.hpp"
#include "core/task.hpp"
#include "swarm/net/local_binding.hpp"
#include "swarm/net/peer_stream.hpp"
#include "swarm/net/peer_tls.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <span>

namespace entrepot {

// How connections begin, those between nodes and control streams. What they are given outlives them.

// Connects a fresh socket, out of where `binding` has it. unavailable; also when the socket is closed meanwhile.
Task<> reach(asio::ip::tcp::socket& socket, asio::ip::tcp::endpoint peer, const LocalBinding& binding);

// Succeeds in the same turn of the loop in which TLS has read the last of the handshake: what came behind it lies in
// `scratch`, which others may use, until TLS is read. connection_lost, also when the stream is closed meanwhile; or as
// PeerTls::shake_hands() has it.
Task<> shake_hands(PeerStream& stream, PeerTls& tls, std::span<std::byte> scratch);

// For the log: who connected is not let in. Who has only gone is not worth a line.
void log_refusal(const Address& who, const Error& why);

}  // namespace entrepot
