#pragma once

#include "core/clock.hpp"

#include <cstdint>

namespace entrepot {

// Who makes a change, and when: every changing port method is told.
struct Actor {
    std::int64_t user_id = 0;  // 0: anonymous or the system itself
    Micros at = 0;
};

}  // namespace entrepot
