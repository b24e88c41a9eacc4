#pragma once

#include "events/audit/audit_scan.hpp"
#include "ports/audit_store.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace entrepot {

// What a walk through all segments of an instance has shown.
struct AuditProof {
    std::uint64_t segments = 0;
    std::uint64_t first_record = 0;  // 0: there are none
    AuditHead head;
    std::size_t anchors = 0;           // that were found in the chain
    bool torn = false;                 // the last write never ended; nothing of it was acknowledged
    std::optional<AuditBreak> broken;  // the first thing that is wrong
};

// Proves one instance's chain: every block's hash, every segment's place, every anchor. Read the anchors before the
// call, so that a chain that grows meanwhile has them all. Blocks; holds one segment in memory at a time.
Result<AuditProof>
verify_chain(AuditSegments& segments, const std::string& instance, std::span<const AuditAnchor> anchors);

// Of the record that says so: segments up to this number were dropped because of their age.
inline constexpr std::string_view audit_segment_type = "audit-segment";

Result<std::string> read_segment(AuditSegments& segments, const std::string& instance, const AuditSegment& segment);

}  // namespace entrepot
