#pragma once

#include "core/flights.hpp"
#include "core/task.hpp"
#include "oci/digest.hpp"
#include "ports/blob_store.hpp"
#include "ports/chunk_catalog.hpp"

#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <cstdint>
#include <memory>

namespace entrepot {

// The hashes of blobs' chunks from the blobs' bytes: each blob is read once, however many wait for it, and what came of
// it is kept in the catalog. Takes 1 MiB and 32 bytes for each chunk while it reads. Safe from any loop.
class BlobHashing {
public:
    using ListPtr = std::shared_ptr<const ChunkList>;

    // As many blobs at a time as `pool` has threads; it outlives this, and drain() comes before.
    BlobHashing(BlobReader& blobs, ChunkCatalog& chunks, asio::thread_pool& pool)
        : blobs_{blobs}, chunks_{chunks}, flights_{pool}
    {
    }

    Flights<ListPtr>::FlightPtr begin(Digest blob, std::uint64_t size);
    // blob_unknown; corrupt: these are other bytes than its digest and size say; unsupported: more than a descriptor
    // can have; unavailable.
    static Task<ListPtr> wait(Flights<ListPtr>::FlightPtr flight);
    // Ends what is being read within a piece of it.
    asio::awaitable<void> drain();

private:
    Task<ListPtr> hash(Digest blob, std::uint64_t size);
    Task<ListPtr> hash_content(Digest blob, BlobContent content);

    BlobReader& blobs_;
    ChunkCatalog& chunks_;
    std::atomic<bool> stopping_{false};
    Flights<ListPtr> flights_;
};

}  // namespace entrepot
