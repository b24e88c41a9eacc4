#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// What an execution is about that an event set off: stands in its job's parameters beside ReplicationOrder.
struct ReplicationEvent {
    std::int64_t sequence = 0;
    Micros at = 0;
    std::string repository{};
    std::vector<std::string> references{};  // tags, or the digest of what refers to `subject`
    std::string digest{};  // of a removal: what the references named until then; empty in those of older versions
    std::string subject{};
    std::int64_t bytes = 0;
    bool removal = false;

    // With the fields of a ReplicationOrder of this policy.
    std::string parameters(std::int64_t policy_id) const;
    // nullopt: no event set it off. corrupt.
    static Result<std::optional<ReplicationEvent>> parse(std::string_view parameters);
};

}  // namespace entrepot
