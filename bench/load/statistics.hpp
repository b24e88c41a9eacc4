#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot::load {

using Clock = std::chrono::steady_clock;

// What a run saw. Latencies are of units.
struct Statistics {
    std::uint64_t requests = 0;
    std::uint64_t bytes_in = 0;   // bodies only
    std::uint64_t bytes_out = 0;  // bodies only, as sent over the wire
    std::uint64_t errors = 0;
    std::uint64_t reconnects = 0;
    std::uint64_t open_at_once = 0;
    double seconds = 0;
    std::vector<float> latencies_ms;

    // The first few are printed to stderr with their reason.
    void error(std::string_view what);
    // One line of JSON.
    std::string json();
};

}  // namespace entrepot::load
