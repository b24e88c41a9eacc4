#pragma once

#include "core/bell.hpp"
#include "core/task.hpp"
#include "drivers/chunk_files/chunk_files.hpp"
#include "swarm/descriptor/image_descriptor.hpp"
#include "swarm/picker/piece_set.hpp"

#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace entrepot {

// An image on this node, as far as it is here: its descriptor, and the store's room for each of its blobs, which stays
// as long as this does. Chunks are numbered through the image. Safe from any thread.
class AgentImage {
public:
    using Clock = std::chrono::steady_clock;

    // Room for all blobs of an image whose `hashes` came from whomever. Blocks: on a pool. digest_mismatch,
    // size_invalid: not the descriptor's hashes; conflict, storage_full, unavailable as the store has them.
    static Result<std::shared_ptr<AgentImage>>
    open(ChunkFiles& store, asio::thread_pool& pool, ImageDescriptor descriptor, std::string_view hashes);

    const ImageDescriptor& descriptor() const noexcept { return descriptor_; }
    // Of all blobs: pieces whose chunks are all here.
    PieceSet pieces() const;
    bool has(ChunkIndex chunk) const;
    // Of a blob's chunks, numbered within it: those that can be read.
    ChunkSet here(std::size_t blob) const { return pins_[blob].here(); }
    // What a chunk has to hash to. range_invalid.
    Result<Sha256> expected(ChunkIndex chunk) const;
    // What no chunk is missing of.
    bool complete() const;

    // A chunk that came, from wherever: compared and kept, on the pool. Again is fine. Whoever waits is woken. Errors
    // as ChunkFiles::write() has them (digest_mismatch, size_invalid, range_invalid: the sender's fault).
    Task<> store(ChunkIndex chunk, std::span<const std::byte> bytes);
    // All bytes of a chunk that is here, on the pool. not_found, corrupt (it has to come again), unavailable.
    Task<> read(ChunkIndex chunk, std::span<std::byte> into);
    // Where a run of chunks of one blob that are all here lies in a file; on the pool. Errors as read().
    Task<ChunkExtent> extent(ChunkSpan chunks);

    // Rung whenever a chunk was stored.
    Bell& arrivals() noexcept { return arrivals_; }
    // Bytes of a chunk have come.
    void note_coming() noexcept { last_arrival_ = Clock::now().time_since_epoch().count(); }
    // When any have, last; the clock's beginning where none ever has.
    Clock::time_point last_arrival() const noexcept { return Clock::time_point{Clock::duration{last_arrival_.load()}}; }
    // Others say that they get it.
    void note_news() noexcept { last_news_ = Clock::now().time_since_epoch().count(); }
    Clock::time_point last_news() const noexcept { return Clock::time_point{Clock::duration{last_news_.load()}}; }

private:
    AgentImage(ChunkFiles& store, asio::thread_pool& pool, ImageDescriptor descriptor, std::vector<ChunkPin> pins);

    ChunkFiles& store_;
    asio::thread_pool& pool_;
    const ImageDescriptor descriptor_;
    const std::vector<ChunkPin> pins_;  // by blob
    Bell arrivals_;
    std::atomic<Clock::rep> last_arrival_{0};
    std::atomic<Clock::rep> last_news_{0};
};

using AgentImagePtr = std::shared_ptr<AgentImage>;

}  // namespace entrepot
