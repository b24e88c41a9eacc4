#pragma once

#include "core/clock.hpp"

#include <cstdint>
#include <string_view>

namespace entrepot {

// By which way a change came, as the history of tags tells it.
enum class Via : std::uint8_t { api, push, client_delete, copy, restore, retention, expiry, promotion, replication };

constexpr std::string_view text_of(Via via) noexcept
{
    switch (via) {
        case Via::push: return "push";
        case Via::client_delete: return "client-delete";
        case Via::copy: return "copy";
        case Via::restore: return "restore";
        case Via::retention: return "retention";
        case Via::expiry: return "expiry";
        case Via::promotion: return "promotion";
        case Via::replication: return "replication";
        case Via::api: break;
    }
    return "api";
}

// Who makes a change, when, and how: every changing port method is told.
struct Actor {
    std::int64_t user_id = 0;  // 0: anonymous or the system itself
    Micros at = 0;
    Via via = Via::api;
    std::int64_t endpoint_id = 0;  // of replication: the registry that it came from
    std::int64_t home_epoch = 0;   // of what a project's home sends to a follower: the epoch it is the home of; else 0
};

}  // namespace entrepot
