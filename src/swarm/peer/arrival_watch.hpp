#pragma once

#include "swarm/peer/peer_policy.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace entrepot {

// How fast data comes in, and how long answers take: what sizes the pipeline and tells slow from lost.
class ArrivalWatch {
public:
    void note(SwarmTime answer, std::uint64_t bytes, SwarmTime now) noexcept
    {
        // As TCP's round-trip estimate (RFC 6298): a smoothed time and its smoothed deviation.
        const auto took = static_cast<double>(answer);
        if (answer_ == 0) {
            answer_ = took;
            deviation_ = took / 2;
        } else {
            deviation_ += (std::abs(took - answer_) - deviation_) / 4;
            answer_ += (took - answer_) / 8;
        }
        if (since_ == 0) since_ = now - answer;
        bytes_ += bytes;
        if (const auto span = now - since_; span >= window) {
            const auto rate = static_cast<double>(bytes_) / static_cast<double>(span);
            rate_ = rate_ == 0 ? rate : rate_ + (rate - rate_) / 2;
            since_ = now;
            bytes_ = 0;
        }
    }

    // Bytes per microsecond; 0 while nobody knows.
    double rate() const noexcept { return rate_; }
    SwarmTime timeout(SwarmTime shortest) const noexcept
    {
        if (answer_ == 0) return std::max(shortest, before_the_first);
        return std::max(shortest, static_cast<SwarmTime>(2 * (answer_ + 4 * deviation_)));
    }

private:
    static constexpr SwarmTime window = 50 * swarm_millisecond;
    static constexpr SwarmTime before_the_first = 500 * swarm_millisecond;

    double answer_ = 0;
    double deviation_ = 0;
    double rate_ = 0;
    std::uint64_t bytes_ = 0;
    SwarmTime since_ = 0;
};

}  // namespace entrepot
