#pragma once

#include <chrono>
#include <optional>

namespace entrepot {

// Of a connected TCP socket, as its kernel measured it: the shortest of late (Linux takes some minutes), which is the
// way there and back without what waits in queues. nullopt: nobody knows, as before anything was acknowledged.
std::optional<std::chrono::microseconds> shortest_round_trip(int socket) noexcept;

}  // namespace entrepot
