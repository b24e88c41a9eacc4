#pragma once

#include "oci/digest.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// One small blob as the journal holds it (docs/formats/blob-layout.md, "The journal"). A segment is a run of entries of
// one epoch from its start; the first place that holds no entry of that epoch is its end.
struct JournalEntry {
    Digest digest;
    std::string_view bytes;  // points into the segment; may be damaged, so compare its digest
};

constexpr std::size_t journal_header_size = 96;

void append_entry(std::string& segment, std::uint64_t epoch, const Digest& digest, std::string_view bytes);
std::vector<JournalEntry> entries_of(std::string_view segment);

}  // namespace entrepot
