#include "events/audit/audit_purge.hpp"

#include "core/ascii.hpp"
#include "events/audit/audit_format.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <string>

namespace entrepot {

namespace {

namespace json = boost::json;

constexpr std::string_view kept_limit = "audit_purged_before";
constexpr std::size_t longest_header = 1024;
constexpr Micros hour = 3'600'000'000;

struct Wanted {
    Micros keep = 0;
    bool dry_run = false;
};

Result<Wanted> wanted_of(std::string_view parameters)
{
    boost::system::error_code failed;
    const auto value = json::parse(parameters, failed);
    const auto* object = failed ? nullptr : value.if_object();
    const auto* hours = object ? object->if_contains("audit_retention_hour") : nullptr;
    if (!hours || !hours->is_int64()) return fail(Errc::bad_request, "audit_retention_hour is missing");
    const auto* dry_run = object->if_contains("dry_run");
    return Wanted{hours->as_int64() * hour, dry_run && dry_run->is_bool() && dry_run->as_bool()};
}

Result<Micros> created_at(AuditSegments& segments, const std::string& instance, std::uint64_t number)
{
    TRY(const auto start, segments.read(instance, number, 0, longest_header));
    const auto header = parse_header_line(std::string_view{start}.substr(0, start.find('\n')));
    if (!header) return fail(Errc::corrupt, "segment " + std::to_string(number) + " has no header");
    return header->created;
}

}  // namespace

// A segment goes when the one behind it is old enough: all its records are older, then.
Result<AuditPurge::Found> AuditPurge::find(Micros limit) const
{
    Found found;
    TRY(const auto instances, segments_.instances());
    for (const auto& instance : instances) {
        TRY(const auto list, segments_.segments(instance));
        std::int64_t bytes = 0;
        std::size_t count = 0;
        for (; count + 1 < list.size(); ++count) {
            TRY(const auto next, created_at(segments_, instance, list[count + 1].number));
            if (next >= limit) break;
            bytes += static_cast<std::int64_t>(list[count].bytes);
        }
        found.segments += static_cast<std::int64_t>(count);
        found.bytes += bytes;
        found.lines.push_back(
            "chain " + instance + ": " + std::to_string(count) + " of " + std::to_string(list.size()) + " segments, " +
            std::to_string(bytes) + " bytes"
        );
    }
    return found;
}

Task<JobEnd> AuditPurge::run(JobRun& run)
{
    const auto wanted = wanted_of(run.parameters());
    if (!wanted) co_return JobEnd{.kind = JobEnd::Kind::failed, .result = wanted.error().message()};
    const auto limit = clock_.now() - wanted->keep;
    run.log((wanted->dry_run ? "would drop" : "drops") + std::string{" segments from before "} + rfc3339(limit));
    const auto found = co_await offload(reading_, [this, limit] { return find(limit); });
    if (!found) co_return std::unexpected{found.error()};
    for (const auto& line : found->lines) run.log(line);
    if (!wanted->dry_run) {
        SettingsCatalog::Changes changes;
        changes.emplace(kept_limit, std::to_string(limit));
        CO_CHECK(co_await settings_.change(std::move(changes), {.at = clock_.now()}));
        CO_CHECK(co_await obey());
    }
    const json::object result{{"segments", found->segments}, {"bytes", found->bytes}, {"dry_run", wanted->dry_run}};
    co_return JobEnd{.result = json::serialize(result)};
}

Task<> AuditPurge::obey()
{
    CO_TRY(const auto kept, co_await settings_.all());
    const auto limit = kept.find(kept_limit);
    if (limit == kept.end()) co_return Result<>{};
    const auto time = parse_decimal(limit->second);
    if (!time) co_return fail(Errc::corrupt, "audit_purged_before is no time");
    log_.drop_before(static_cast<Micros>(*time));
    co_return Result<>{};
}

}  // namespace entrepot
