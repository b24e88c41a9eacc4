#pragma once

#include "agent/agent_image.hpp"
#include "agent/tracker_stream.hpp"
#include "swarm/ticket/ticket.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace entrepot {

// One image that an agent takes part in the swarm of. For AgentSwarm's own files; on its loop.
struct SwarmLife {
    using Time = std::chrono::steady_clock::time_point;
    using Duration = std::chrono::steady_clock::duration;

    AgentImagePtr image{};
    std::string ticket{};           // our right, as others are shown it
    std::string judged{};           // the one that the tracker was shown last, or gave
    std::optional<Ticket> right{};  // what it says; nullopt: nothing
    bool urgent = false;
    std::uint64_t rate = no_rate_limit;            // bytes a second, of one that is fetched ahead
    TrackerStream* at = nullptr;                   // the stream that it is announced on; null: on none
    SwarmHandle handle = SwarmHandle::connection;  // there
    std::optional<PeerEndpoint> owner{};           // the instance that tracks it, by what a tracker has said
    Time moved{};                                  // when that was
    unsigned moves = 0;                            // that followed each other closely
    bool here = false;                             // it can't be reached: tracked at home all the same
    Time here_since{};
    Time used{};  // when a runtime or another node asked for some of it last

    Time begun{};               // when it was brought
    std::uint64_t missing = 0;  // bytes, then; 0: it was complete, or its time has been told

    // Since the last PROGRESS.
    std::uint64_t from_registry = 0;  // bytes
    Time arrived{};                   // the latest chunk, or the report before
    Duration idle{};                  // in which pieces were missing and none came, up to `arrived`
    std::uint16_t told_progress = 0;  // permille
    std::uint8_t told_neighbours = 0;

    // What false chunks hashed to, until they are reported.
    std::map<ChunkIndex, Sha256> false_chunks{};

    void note_arrival(Time now) noexcept
    {
        note_idle(now);
        arrived = now;
        used = std::max(used, now);
    }
    // Chunks that follow each other closely are none of it.
    void note_idle(Time now) noexcept
    {
        constexpr Duration breath = std::chrono::milliseconds{100};
        if (now - arrived > breath) idle += now - arrived;
        arrived = now;
    }
};

}  // namespace entrepot
