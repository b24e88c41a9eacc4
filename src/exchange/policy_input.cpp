#include "exchange/policy_input.hpp"

#include "access/glob.hpp"
#include "core/ascii.hpp"
#include "oci/names.hpp"
#include "oci/semantic_version.hpp"

#include <algorithm>
#include <set>

namespace entrepot {
namespace {

constexpr std::size_t longest_name = 256;
constexpr std::size_t longest_description = 1'024;
constexpr std::size_t most_filters = 32;
constexpr std::size_t most_values = 64;
constexpr std::size_t longest_value = 256;
constexpr std::size_t most_platforms = 32;
constexpr std::int32_t most_levels = 3;
constexpr std::int32_t last_priority = 9;
constexpr std::int32_t minutes_of_day = 24 * 60;

std::unexpected<Error> bad(std::string message)
{
    return fail(Errc::bad_request, std::move(message));
}

// Harbor's: lower-case letters and digits, parted by single '.', '_' or '-'.
bool is_policy_name(std::string_view name)
{
    if (name.empty() || name.size() > longest_name) return false;
    bool may_part = false;
    for (const char c : name) {
        const bool parts = c == '.' || c == '_' || c == '-';
        if (parts ? !may_part : !is_letter_or_digit(c) || lower(c) != c) return false;
        may_part = !parts;
    }
    return may_part;
}

bool has_control(std::string_view text)
{
    return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Result<> check_resource(const ReplicationFilter& filter)
{
    const auto& value = filter.values.front();
    if (filter.excludes) return bad("a filter of the type resource has no decoration excludes");
    if (value == "image" || value == "artifact") return {};
    return bad("a filter of the type resource has the value image or artifact");
}

Result<> check_labels(const ReplicationFilter& filter)
{
    if (filter.values.size() > most_values) return bad("a filter of the type label has at most 64 labels");
    for (const auto& label : filter.values) {
        if (label.empty() || label.size() > longest_value || has_control(label)) {
            return bad("a label in a filter has from 1 to 256 bytes");
        }
    }
    return {};
}

Result<> check_filter(const ReplicationFilter& filter)
{
    if (filter.values.empty()) return bad("a filter of the type " + filter.type + " needs a value");
    if (filter.type == "label") return check_labels(filter);
    const bool known = filter.type == "name" || filter.type == "tag" || filter.type == "resource";
    if (!known) return bad("there is no type of filters \"" + filter.type + "\": resource, name, tag and label are");
    if (filter.values.size() != 1) return bad("a filter of the type " + filter.type + " has one value");
    if (filter.type == "resource") return check_resource(filter);
    return filter.type == "name" ? check_glob(filter.values.front()) : check_tag_glob(filter.values.front());
}

Result<> check_filters(const std::vector<ReplicationFilter>& filters)
{
    if (filters.size() > most_filters) return bad("a policy has at most 32 filters");
    std::set<std::pair<std::string, bool>> seen;
    for (const auto& filter : filters) {
        CHECK(check_filter(filter));
        if (seen.emplace(filter.type, filter.excludes).second) continue;
        return bad("there are two filters of the type " + filter.type + "; {a,b} matches either of two patterns");
    }
    return {};
}

// "linux/amd64", "linux/arm64/v8", "windows/amd64"
bool is_platform(std::string_view text)
{
    std::size_t parts = 0;
    while (true) {
        const auto part = text.substr(0, text.find('/'));
        const auto is_part = [](char c) { return (is_letter_or_digit(c) && lower(c) == c) || c == '.' || c == '_'; };
        if (part.empty() || !std::ranges::all_of(part, is_part)) return false;
        ++parts;
        if (part.size() == text.size()) break;
        text.remove_prefix(part.size() + 1);
    }
    return parts == 2 || parts == 3;
}

Result<> check_platforms(const std::vector<std::string>& platforms)
{
    if (platforms.size() > most_platforms) return bad("a policy has at most 32 platforms");
    for (const auto& platform : platforms) {
        if (!is_platform(platform)) {
            return bad("\"" + platform + "\" is no platform such as linux/amd64 or linux/arm64/v8");
        }
        if (std::ranges::count(platforms, platform) > 1) return bad("the platform " + platform + " is there twice");
    }
    return {};
}

Result<> check_trigger(const ReplicationPolicy& policy, const Timetable& timetable)
{
    const auto& trigger = policy.trigger;
    if (trigger.type == "scheduled") {
        if (trigger.cron.empty()) return bad("a scheduled trigger needs trigger_settings with a cron");
        return timetable.check_cron(trigger.cron);
    }
    if (!trigger.cron.empty()) return bad("only a scheduled trigger has a cron");
    if (trigger.type == "manual") return {};
    if (trigger.type != "event_based") {
        return bad("there is no trigger \"" + trigger.type + "\": manual, scheduled and event_based are");
    }
    if (policy.source_id == 0) return {};
    return bad("a policy that pulls hears of no events over there: its trigger is manual or scheduled");
}

Result<> check_limits(const ReplicationPolicy& policy)
{
    if (policy.kilobytes_per_second < ReplicationPolicy::no_speed_limit || policy.kilobytes_per_second == 0) {
        return bad("speed is -1 (no limit) or kilobytes a second, from 1");
    }
    if (policy.bytes_per_second < 0) return bad("bytes_per_second is 0 (no limit) or more");
    if (policy.priority < 0 || policy.priority > last_priority) return bad("priority is from 0 (first) to 9 (last)");
    for (const auto minute : {policy.window.from, policy.window.until}) {
        if (minute < 0 || minute >= minutes_of_day) return bad("a window's ends are times of the day, such as 22:30");
    }
    return {};
}

Result<> check_target(const ReplicationPolicy& policy)
{
    if (policy.replaced_levels < ReplicationPolicy::flatten_all || policy.replaced_levels > most_levels) {
        return bad("dest_namespace_replace_count is -1 (all), 0 (none) or from 1 to 3");
    }
    if (policy.namespace_there.empty() || RepositoryName::parse(policy.namespace_there)) return {};
    return bad("dest_namespace is the first part of a repository's name, such as mirror or mirror/team");
}

bool names_something(const ReplicationPolicy& policy)
{
    return !policy.version_range.empty() || std::ranges::any_of(policy.filters, [](const ReplicationFilter& filter) {
        const bool every = filter.values.size() == 1 && filter.values.front() == "**";
        return filter.type != "resource" && !filter.excludes && !every;
    });
}

}  // namespace

Result<> check_replication_policy(const ReplicationPolicy& policy, const Timetable& timetable)
{
    if (!is_policy_name(policy.name)) {
        return bad("a policy's name has from 1 to 256 lower-case letters and digits, parted by '.', '_' or '-'");
    }
    if (policy.description.size() > longest_description || has_control(policy.description)) {
        return bad("a policy's description is plain text of at most 1,024 bytes");
    }
    if ((policy.source_id == 0) == (policy.target_id == 0)) {
        return bad("exactly one of src_registry and dest_registry is another registry; the other one is this registry");
    }
    CHECK(check_target(policy));
    CHECK(check_filters(policy.filters));
    CHECK(check_trigger(policy, timetable));
    CHECK(check_platforms(policy.platforms));
    if (!policy.version_range.empty()) {
        CHECK(VersionRange::parse(policy.version_range));
    }
    CHECK(check_limits(policy));
    if (!policy.replicates_deletion || policy.confirm_all || names_something(policy)) return {};
    return bad("this policy has no filter and deletes: what goes here goes there, whatever it is. Say \"confirm_all\": "
               "true if "
               "that is meant");
}

}  // namespace entrepot
