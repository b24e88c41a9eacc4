#pragma once

#include "ports/audit_trail.hpp"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace entrepot {

// Denials and log-ins between two flushes, so that whoever repeats one floods neither disk nor trail: the first of a
// kind passes, the others are counted. Kinds beyond the capacity (about 500 bytes each) are dropped and counted. Safe
// from any thread.
class RepeatedNotes {
public:
    enum class Verdict { first, repeated, dropped };

    // `first`: the caller writes the record itself.
    Verdict note(const AuditRecord& record);
    // Counts the record in any case.
    Verdict gather(AuditRecord record);
    // What was counted, with its count; everything is new again afterwards.
    std::vector<AuditRecord> take();

private:
    struct Entry {
        AuditRecord record;
        std::int64_t count = 0;
    };
    static constexpr std::size_t capacity = 8'192;
    std::mutex mutex_;
    std::unordered_map<std::string, Entry> entries_;
};

}  // namespace entrepot
