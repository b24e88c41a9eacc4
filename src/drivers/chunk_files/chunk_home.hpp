#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"
#include "drivers/chunk_files/chunk_disk.hpp"
#include "drivers/chunk_files/chunk_folder.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace entrepot {

// Keeps a store from a disk that has refused something: for a while nothing is written, and everybody hears why. Safe
// from any thread.
class WritePause {
public:
    WritePause(const Clock& clock, std::chrono::seconds length) noexcept : clock_{clock}, length_{length} {}

    // The error that began the pause, as long as it lasts; with how long that is yet.
    Result<> may_write() const;
    // Begins a pause, with one line in the log; answers `error`.
    std::unexpected<Error> begin(Error error);

private:
    const Clock& clock_;
    const std::chrono::seconds length_;
    mutable std::mutex mutex_;
    std::chrono::steady_clock::time_point until_;
    std::optional<Error> error_;
};

// Counted since the start.
struct ChunkCounters {
    std::atomic<std::uint64_t> reads{0};
    std::atomic<std::uint64_t> read_bytes{0};
    std::atomic<std::uint64_t> writes{0};
    std::atomic<std::uint64_t> written_bytes{0};
    std::atomic<std::uint64_t> corrupt_chunks{0};
    std::atomic<std::uint64_t> evictions{0};
    std::atomic<std::uint64_t> evicted_bytes{0};
};

// What all blobs of a store share. Lives as long as the last of them that somebody uses.
struct ChunkHome {
    ChunkHome(
        ChunkFolder where,
        std::shared_ptr<ChunkDisk> calls,
        const Clock& time,
        std::chrono::seconds pause_length,
        std::uint64_t sync_bytes
    )
        : folder{std::move(where)},
          disk{std::move(calls)},
          clock{time},
          pause{time, pause_length},
          sync_after_bytes{sync_bytes}
    {
    }

    ChunkFolder folder;
    std::shared_ptr<ChunkDisk> disk;
    const Clock& clock;
    WritePause pause;
    ChunkCounters counters;
    const std::uint64_t sync_after_bytes;
};

}  // namespace entrepot
