#pragma once

#include "core/error.hpp"
#include "core/json_text.hpp"
#include "ports/audit_trail.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace entrepot {

// The lines of a segment (docs/formats/audit.md). A segment is a header line and then blocks: record lines, closed by a
// block line. Every line is one JSON object whose first key tells its kind.

// A record with its place in a chain.
struct AuditEntry {
    std::string instance;
    std::uint64_t number = 0;  // from 1 on, without a gap
    AuditRecord record;
};

// Where a chain stands: its last block and the number of its last record. The default: before the first one.
struct AuditHead {
    std::uint64_t block = 0;
    std::uint64_t record = 0;
    std::string hash = std::string(64, '0');

    bool operator==(const AuditHead&) const = default;
};

struct AuditHeader {
    std::uint64_t segment = 0;
    std::string instance;
    AuditHead before;  // the chain at the segment's start
    Micros created = 0;
};

struct AuditBlock {
    std::uint64_t block = 0;
    std::uint64_t records = 0;
    std::string hash;
};

enum class AuditLineKind { record, block, header, none };
AuditLineKind kind_of(std::string_view line) noexcept;

// Texts are cut after 1,024 bytes, larger objects than 16 KiB left out. Members of before and after whose names speak
// of passwords, secrets or tokens lose their values here, whoever put them in.
void append_record_line(std::string& text, std::uint64_t number, const AuditRecord& record);
std::optional<AuditEntry> parse_record_line(std::string_view line);
// The two fields that every record line starts with, without parsing the rest.
struct AuditLineStart {
    std::uint64_t number = 0;
    Micros at = 0;
};
std::optional<AuditLineStart> parse_line_start(std::string_view line) noexcept;

std::string header_line(const AuditHeader& header);
std::optional<AuditHeader> parse_header_line(std::string_view line);

// The line that closes `lines` (everything since the last block line) after `before`; the block's hash covers the hash
// before it, those lines and its own fields.
struct SealedBlock {
    std::string line;
    AuditHead head;
};
SealedBlock seal_block(const AuditHead& before, std::string_view lines, std::uint64_t records);
std::optional<AuditBlock> parse_block_line(std::string_view line);

// "2026-11-21T22:51:00.123456Z"
std::string audit_time(Micros time);

}  // namespace entrepot
