#include "events/audit/audit_filter.hpp"

#include "core/ascii.hpp"

#include <algorithm>
#include <array>

namespace entrepot {
namespace {

using Kind = ListCondition::Kind;

struct TextField {
    std::string_view asked;  // as the API calls it
    std::string_view key;    // in the line
    std::string AuditRecord::* member;
};
constexpr std::array text_fields{
    TextField{"username", "user", &AuditRecord::user},
    TextField{"operation", "operation", &AuditRecord::operation},
    TextField{"resource", "resource", &AuditRecord::resource},
    TextField{"resource_type", "resource_type", &AuditRecord::resource_type},
    TextField{"operation_result", "result", &AuditRecord::result},
    TextField{"client", "client", &AuditRecord::client},
    TextField{"request_id", "request_id", &AuditRecord::request_id},
};

const TextField* text_field(std::string_view name)
{
    const auto* const found = std::ranges::find(text_fields, name, &TextField::asked);
    return found == text_fields.end() ? nullptr : found;
}

// Harbor's answers and ours: "true" and "false" are what its operation_result says.
std::string result_word(const std::string& value)
{
    if (value == "true") return "ok";
    return value;
}

}  // namespace

Result<AuditFilter> AuditFilter::of(const AuditQuery& query)
{
    AuditFilter filter;
    for (const auto& condition : query.list.conditions) CHECK(filter.add(condition));
    filter.projects_ = query.projects;
    filter.tenants_ = query.tenants;
    for (auto* ids : {&filter.projects_, &filter.tenants_}) {
        if (*ids) std::ranges::sort(**ids);
    }
    const auto one = [](const auto& ids) { return ids && ids->size() == 1; };
    if (one(filter.tenants_) && !filter.projects_) {
        filter.needles_.push_back("\"tenant_id\":" + std::to_string(filter.tenants_->front()) + ",");
    }
    if (one(filter.projects_) && !filter.tenants_) {
        filter.needles_.push_back("\"project_id\":" + std::to_string(filter.projects_->front()));
    }
    return filter;
}

Result<> AuditFilter::add(const ListCondition& asked)
{
    Condition condition{asked, {}};
    if (const auto* field = text_field(asked.field)) {
        if (asked.kind == Kind::range) return fail(Errc::bad_request, asked.field + " has no ranges");
        if (asked.field == "operation_result") {
            for (auto& value : condition.asked.values) value = result_word(value);
        }
        if (asked.kind == Kind::equal) {
            std::string needle = "\"" + std::string{field->key} + "\":";
            append_json_text(needle, condition.asked.values.at(0));
            needles_.push_back(std::move(needle));
        } else if (asked.kind == Kind::fuzzy) {
            condition.asked.values[0] = lowered(asked.values.at(0));
        }
    } else if (asked.field == "op_time") {
        if (asked.kind == Kind::fuzzy) return fail(Errc::bad_request, "op_time can't be searched for a part of it");
        for (const auto& value : asked.values) {
            const auto time = value.empty() ? std::optional<Micros>{0} : parse_time(value);
            if (!time) return fail(Errc::bad_request, "\"" + value + "\" is no time");
            condition.times.push_back(*time);
        }
        if (asked.kind == Kind::range) {
            range_.from = std::max(range_.from, condition.times.at(0));
            const auto until = condition.times.at(1);
            if (until != 0) range_.until = range_.until == 0 ? until : std::min(range_.until, until);
        }
    } else {
        return fail(Errc::bad_request, "this list has no field " + asked.field + " to ask for");
    }
    conditions_.push_back(std::move(condition));
    return {};
}

bool AuditFilter::may_match(std::string_view line) const
{
    return std::ranges::all_of(needles_, [&](const std::string& needle) {
        return line.find(needle) != std::string_view::npos;
    });
}

bool AuditFilter::holds(const Condition& condition, const AuditEntry& entry)
{
    const auto& [asked, times] = condition;
    const auto* field = text_field(asked.field);
    if (!field) {
        const auto at = entry.record.at;
        if (asked.kind == Kind::range) return at >= times[0] && (times[1] == 0 || at <= times[1]);
        return std::ranges::find(times, at) != times.end();
    }
    const auto& value = entry.record.*(field->member);
    const auto equals = [&](const std::string& wanted) { return wanted == value; };
    switch (asked.kind) {
        case Kind::fuzzy: return lowered(value).contains(asked.values[0]);
        case Kind::all_of: return std::ranges::all_of(asked.values, equals);
        case Kind::equal:
        case Kind::any_of:
        case Kind::range: break;
    }
    return std::ranges::any_of(asked.values, equals);
}

bool AuditFilter::matches(const AuditEntry& entry) const
{
    const auto holds_id = [](const auto& ids, std::int64_t id) { return ids && std::ranges::binary_search(*ids, id); };
    const bool is_seen = (!projects_ && !tenants_) || holds_id(projects_, entry.record.project_id) ||
                         holds_id(tenants_, entry.record.tenant_id);
    if (!is_seen) return false;
    return std::ranges::all_of(conditions_, [&](const Condition& condition) { return holds(condition, entry); });
}

}  // namespace entrepot
