#pragma once

#include "events/audit/audit_format.hpp"
#include "events/audit/audit_lines.hpp"
#include "events/audit/audit_reader.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// What a question asks of a record, in two steps: texts that its line must hold, and the parsed record itself.
class AuditFilter {
public:
    // bad_request.
    static Result<AuditFilter> of(const AuditQuery& query);

    bool is_open() const noexcept { return conditions_.empty() && !projects_ && !tenants_; }
    bool may_match(std::string_view line) const;
    bool matches(const AuditEntry& entry) const;
    const AuditLines::Range& range() const noexcept { return range_; }

private:
    struct Condition {
        ListCondition asked;
        std::vector<Micros> times;  // of op_time: as its values, 0 where a range is open
    };
    static bool holds(const Condition& condition, const AuditEntry& entry);
    Result<> add(const ListCondition& condition);

    std::vector<Condition> conditions_;
    std::optional<std::vector<std::int64_t>> projects_, tenants_;  // ascending
    std::vector<std::string> needles_;
    AuditLines::Range range_;
};

}  // namespace entrepot
