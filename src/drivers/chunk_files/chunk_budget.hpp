#pragma once

#include "core/clock.hpp"
#include "swarm/descriptor/described_blob.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace entrepot {

// How many bytes of its disk a store may use, and how many are promised: all that a blob will need is taken before it
// begins, so what is on disk is never more than what is taken. Safe from any thread.
class ChunkBudget {
public:
    // Above `high` permille of `bytes` a store makes room down to `low`.
    ChunkBudget(std::uint64_t bytes, std::uint32_t high, std::uint32_t low) noexcept;

    std::uint64_t bytes() const noexcept { return bytes_; }
    std::uint64_t taken() const noexcept { return taken_.load(); }

    // False where that would be more than there is.
    bool try_take(std::uint64_t bytes) noexcept;
    // What is on disk already, whatever the budget.
    void take(std::uint64_t bytes) noexcept { taken_ += bytes; }
    void give_back(std::uint64_t bytes) noexcept { taken_ -= bytes; }

    // How many bytes have to go before so many can be taken, and how many should.
    std::uint64_t excess(std::uint64_t wanted) const noexcept;
    std::uint64_t above_low(std::uint64_t wanted) const noexcept;

private:
    const std::uint64_t bytes_;
    const std::uint64_t high_;
    const std::uint64_t low_;
    std::atomic<std::uint64_t> taken_{0};
};

// Bytes taken from a budget, given back with the last that uses them.
class ChunkRoom {
public:
    ChunkRoom(std::shared_ptr<ChunkBudget> budget, std::uint64_t bytes) noexcept
        : budget_{std::move(budget)}, bytes_{bytes}
    {
    }
    ~ChunkRoom() { budget_->give_back(bytes_); }
    ChunkRoom(const ChunkRoom&) = delete;
    ChunkRoom& operator=(const ChunkRoom&) = delete;

    std::uint64_t bytes() const noexcept { return bytes_; }

private:
    std::shared_ptr<ChunkBudget> budget_;
    std::uint64_t bytes_;
};

// What a blob with all of its chunks and its index may take on disk, in blocks of 4 KiB, with one more for what the
// file system keeps about it.
std::uint64_t chunk_room_for(const DescribedBlob& blob) noexcept;

// A blob that may go, seen by who makes room.
struct EvictionChoice {
    Micros idle = 0;                                            // since it was used last
    std::optional<std::uint32_t> other_holders = std::nullopt;  // in the zone; nullopt: nobody said
    std::uint64_t bytes = 0;
    std::size_t number = 0;  // the caller's own
};

// The first of `choices` that together have at least `bytes`, or all: first those that others have, the longest idle
// before the rest, and the sooner the more others have them; then the zone's last copies, the longest idle first.
std::vector<std::size_t> choose_evictions(std::vector<EvictionChoice> choices, std::uint64_t bytes);

}  // namespace entrepot
