#pragma once

#include "events/audit/audit_format.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace entrepot {

// Where a segment stops being what was written.
struct AuditBreak {
    std::uint64_t segment = 0;
    std::uint64_t record = 0;  // the first one that is not proven
    std::string what;
};

// A segment held against the chain before it.
struct AuditScan {
    std::optional<AuditHeader> header;
    AuditHead head;                    // after the last block that is proven
    std::uint64_t end = 0;             // offset behind it
    bool torn = false;                 // more bytes follow, but no block: a write that never ended
    std::optional<AuditBreak> broken;  // a block that is not what it says; nothing behind it was looked at
};

// Walks a whole segment's bytes. `before` is where the chain stood; without it (the first segment that is left) the
// header is believed. Calls back for every record line and every block of what is proven.
struct AuditVisitor {
    std::function<void(std::string_view line)> record;
    std::function<void(const AuditHead& head)> block;
};
AuditScan scan_segment(
    std::string_view bytes,
    std::uint64_t number,
    const std::string& instance,
    const std::optional<AuditHead>& before,
    const AuditVisitor& visitor = {}
);

}  // namespace entrepot
