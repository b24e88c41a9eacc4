#pragma once

#include "core/task.hpp"
#include "events/audit/audit_format.hpp"
#include "ports/audit_store.hpp"
#include "ports/list_query.hpp"

#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace entrepot {

struct AuditQuery {
    // Conditions on username, operation, resource, resource_type, operation_result, client, request_id, op_time; order
    // by op_time.
    ListQuery list;
    // Records of these projects and of these tenants alone; without either, of everything.
    std::optional<std::vector<std::int64_t>> projects;
    std::optional<std::vector<std::int64_t>> tenants;
    std::string cursor;  // of an earlier page, in place of the offset
};

struct AuditPage {
    std::vector<AuditEntry> entries;
    std::int64_t total = 0;   // of all pages; at least so many where `complete` is false
    bool complete = true;     // false: there was more to read than one question may
    std::string next_cursor;  // empty: nothing comes after this page
};

// Reads the chains of every instance in the directory as one list, newest first unless asked otherwise. There is no
// index: records are found by reading backwards, whole segments left out by their times and numbers, and at most 72 MiB
// are read for one question. Safe from any loop; two threads of its own.
class AuditReader {
public:
    explicit AuditReader(AuditSegments& segments, std::uint64_t budget = std::uint64_t{72} << 20U)
        : segments_{segments}, budget_{budget}
    {
    }

    // bad_request for a field or an order that the list does not have.
    Task<AuditPage> read(AuditQuery query);
    // The same, blocking.
    Result<AuditPage> read_now(const AuditQuery& query);
    // Waits for what is being read; later questions answer unavailable.
    void stop();

private:
    AuditSegments& segments_;
    std::uint64_t budget_;
    asio::thread_pool threads_{2};
    std::atomic<int> waiting_{0};
};

}  // namespace entrepot
