#pragma once

#include "core/clock.hpp"
#include "core/task.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// Where the audit trail lies: per instance one chain of numbered segments, bytes that are only ever appended. What the
// bytes mean is docs/formats/audit.md and events/audit. All of these block; they are called on the audit's own threads.

struct AuditSegment {
    std::uint64_t number = 0;  // from 1 on
    std::uint64_t bytes = 0;
};

// Reading, from any thread. unavailable; not_found for a segment that is not there (any more).
class AuditSegments {
public:
    virtual ~AuditSegments() = default;
    // Every instance that has a chain here, by name.
    virtual Result<std::vector<std::string>> instances() = 0;
    // Ascending numbers.
    virtual Result<std::vector<AuditSegment>> segments(const std::string& instance) = 0;
    // Fewer bytes than asked for at the segment's end.
    virtual Result<std::string>
    read(const std::string& instance, std::uint64_t number, std::uint64_t offset, std::size_t length) = 0;
};

// Writing the chain of one instance, by one thread. storage_full, unavailable.
class AuditSegmentWriter {
public:
    virtual ~AuditSegmentWriter() = default;
    // Goes on with a segment, its bytes behind `length` cut off.
    virtual Result<> resume(std::uint64_t number, std::uint64_t length) = 0;
    // Makes an empty segment of that number the current one. When that fails, the one before it stays current.
    virtual Result<> begin(std::uint64_t number) = 0;
    // Durable when it answers; a failure leaves nothing of it.
    virtual Result<> append(std::string_view bytes) = 0;
    // Bytes that can still be appended without asking the disk for more.
    virtual std::uint64_t room() const = 0;
    // Raises room() to `bytes` at least.
    virtual Result<> make_room(std::uint64_t bytes) = 0;
    virtual Result<> remove(std::uint64_t number) = 0;
    // Gives back what was reserved.
    virtual void close() = 0;
};

// Places in a chain that readers have come to, by name. Durable when it answers.
class AuditCursors {
public:
    virtual ~AuditCursors() = default;
    virtual Result<std::string> load(const std::string& name) = 0;  // empty: there is none
    virtual Result<> save(const std::string& name, std::string_view text) = 0;
};

// Where records are forwarded to.
struct AuditMessage {
    Micros at = 0;
    std::string_view operation;
    bool ok = true;
    std::string_view json;  // the record's line, without the newline
};
class AuditSink {
public:
    virtual ~AuditSink() = default;
    // In order; the other side has them all when it answers. After a failure some may have arrived. unavailable.
    virtual Result<> send(std::span<const AuditMessage> messages) = 0;
};

// What the metadata store attests of a chain.
struct AuditAnchor {
    std::int64_t block = 0;
    std::string hash;          // of that block
    std::int64_t records = 0;  // the chain's records up to its end
    Micros at = 0;
};
class AuditAnchors {
public:
    virtual ~AuditAnchors() = default;
    // In place of the instance's anchors from block `from` on that lie before it; one that stands is never changed.
    virtual Task<> anchor(std::string instance, AuditAnchor anchor, std::int64_t from) = 0;
    virtual Task<std::vector<AuditAnchor>> anchors(std::string instance) = 0;  // ascending blocks
    virtual Task<std::vector<std::string>> instances() = 0;
};

}  // namespace entrepot
