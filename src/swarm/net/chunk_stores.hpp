#pragma once

#include "core/task.hpp"
#include "swarm/piece.hpp"
#include "swarm/wire/wire_values.hpp"

#include <cstddef>
#include <span>

namespace entrepot {

// Where chunks that came from other nodes go.
class PeerChunkSink {
public:
    virtual ~PeerChunkSink() = default;

    // The bytes of one chunk, numbered through the image: compared with what the image's hashes say (ImageVerifier) and
    // stored. Awaited on the network's loop, so hashing and writing belong on a pool; several are under way at a time.
    // `bytes` stay until it has ended. A chunk may come twice, also at once, and while it is read for others.
    // digest_mismatch, size_invalid, range_invalid: the sender is blamed for it; anything else: it is our own failure,
    // and the chunk is asked for again.
    virtual Task<> store(SwarmId swarm, ChunkIndex chunk, std::span<const std::byte> bytes) = 0;
    // Bytes of a chunk that was asked for are coming: on a slow link it is long until there is one to store.
    virtual void coming(const SwarmId&) {}
};

// Where chunks for other nodes come from.
class PeerChunkSource {
public:
    virtual ~PeerChunkSource() = default;

    // Fills `into`, which has as many bytes as the chunk. Awaited on the network's loop; several at a time. Any failure
    // is ours: whoever asked hears BUSY.
    virtual Task<> read(SwarmId swarm, ChunkIndex chunk, std::span<std::byte> into) = 0;
};

}  // namespace entrepot
