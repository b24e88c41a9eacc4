#pragma once

#include "core/duration_histogram.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>

namespace entrepot {

// Where the bytes of blobs came from that runtimes were given.
enum class ByteOrigin : std::uint8_t {
    store,     // they were on the node's disk before anybody asked
    swarm,     // somebody else than the registry's HTTP brought them
    registry,  // by Range from the registry, and kept
    passed,    // from the registry, and not kept
};

// What the agent's HTTP side counts. Safe from any thread.
struct AgentCounters {
    std::atomic<std::uint64_t> images{0};             // that a runtime began to pull and that this node has room for
    std::atomic<std::uint64_t> blobs_served{0};       // from the node's disk, or while they arrive on it
    std::atomic<std::uint64_t> blobs_passed{0};       // straight from the registry
    std::atomic<std::uint64_t> bytes[4]{};            // given to runtimes, by ByteOrigin
    std::atomic<std::uint64_t> fallbacks{0};          // times that a reader had waited in vain and asked the registry
    std::atomic<std::uint64_t> grants{0};             // rights that the registry has confirmed
    std::atomic<std::uint64_t> grants_refused{0};     // and those that it has not
    std::atomic<std::uint64_t> registry_failures{0};  // requests that the registry didn't answer
    std::atomic<std::uint64_t> store_failures{0};     // chunks or images that the disk didn't take
    std::atomic<std::uint64_t> preheats_done{0};      // images that were fetched before anybody asked
    std::atomic<std::uint64_t> preheats_failed{0};    // and those that were not
    std::atomic<std::int64_t> store_failure_told{0};  // steady seconds
    DurationHistogram authorising;  // until the registry had said that a puller may have an image, or may not
    // Of blobs that were still arriving when they were asked for: until there was a first byte, and until the last one.
    DurationHistogram first_byte;
    DurationHistogram transfer;

    void count(ByteOrigin origin, std::uint64_t amount) noexcept
    {
        bytes[static_cast<std::size_t>(origin)].fetch_add(amount, std::memory_order_relaxed);
    }
    // Counts it; true once a minute: it is to be logged.
    bool store_failed() noexcept
    {
        store_failures.fetch_add(1, std::memory_order_relaxed);
        const auto now =
            std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now().time_since_epoch())
                .count();
        auto told = store_failure_told.load();
        return (told == 0 || now - told >= 60) && store_failure_told.compare_exchange_strong(told, now);
    }
};

}  // namespace entrepot
