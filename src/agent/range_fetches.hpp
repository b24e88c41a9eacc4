#pragma once

#include "agent/agent_counters.hpp"
#include "agent/image_carrier.hpp"
#include "agent/registry_blob.hpp"
#include "agent/served_image.hpp"
#include "core/task_group.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

namespace entrepot {

// How what one reader has fetched goes. Safe from any thread.
struct FetchNote {
    std::atomic<unsigned> running{0};
    std::atomic<unsigned> failures{0};        // in a row
    std::atomic<std::int64_t> not_before{0};  // of the steady clock: when to try again
    // The disk takes nothing, or the registry gives no ranges: what is left has to be passed on.
    std::atomic<bool> in_vain{false};
};

// Brings chunks from the registry by Range, with the credentials of who wants them, into images on this node. No chunk
// of an image is fetched twice at a time, however many read it. Safe from any thread; what it was made with outlives
// the tasks.
class RangeFetches {
public:
    struct Amount {
        std::uint32_t most_chunks;  // of one request
        unsigned parallel;          // requests of one reader
    };

    // `carrier` may be null.
    RangeFetches(RegistryClient& registry, ImageCarrier* carrier, AgentCounters& counters, TaskGroup& tasks)
        : registry_{registry}, carrier_{carrier}, counters_{counters}, tasks_{tasks}
    {
    }

    // Sees to it that what is missing of `within`, chunks of `blob`, is fetched, its front first; returns at once.
    void start(
        const asio::any_io_executor& where,
        const ServedImagePtr& image,
        const PulledBlob& blob,
        ChunkSpan within,
        Amount amount,
        const std::shared_ptr<FetchNote>& note
    );

private:
    struct Run {
        ServedImagePtr image;
        PulledBlob blob;
        ChunkSpan chunks;
        std::shared_ptr<FetchNote> note;
    };
    class Claim;

    asio::awaitable<void> fetch(Run run);
    Task<> bring(const Run& run, Claim& claim);
    Task<> keep(const Run& run, ChunkIndex chunk, std::span<const std::byte> bytes);
    void failed(FetchNote& note, const Error& error);

    RegistryClient& registry_;
    ImageCarrier* const carrier_;
    AgentCounters& counters_;
    TaskGroup& tasks_;
};

}  // namespace entrepot
