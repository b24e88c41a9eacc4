#include "cli/ctl_generic.hpp"
#include "cli/ctl_tables.hpp"

#include <boost/json/array.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace entrepot {
namespace {

namespace json = boost::json;

const CtlColumns limit_columns{
    {"ZONE", "zone"},
    {"UP/S", "up", CtlFormat::bytes},
    {"DOWN/S", "down", CtlFormat::bytes},
    {"ACROSS/S", "across_zones", CtlFormat::bytes},
    {"POLITE", "polite"},
};

struct RateOption {
    const char* option;
    const char* field;
};
constexpr std::array rate_options{
    RateOption{"up", "up"}, RateOption{"down", "down"}, RateOption{"across", "across_zones"}
};

bool changes_rates(const CtlRun& run)
{
    const auto given = [&](const RateOption& rate) { return run.has(rate.option); };
    return run.has("polite") || std::ranges::any_of(rate_options, given);
}

// As a table has it: no limit is one below 0.
json::object row_of(const json::object& limits, std::string_view zone)
{
    auto row = limits;
    row["zone"] = zone;
    for (const auto& rate : rate_options) {
        auto& value = row[rate.field];
        if (value.is_null()) value = -1;
    }
    return row;
}

Result<int> show_limits(CtlRun& run, const json::object& limits)
{
    if (run.has("output") && run.value("output") != "table") {
        run.print_object(limits, limit_columns);
        return ctl_exit::success;
    }
    json::array rows;
    for (const auto& zone : limits.at("zones").as_array()) {
        const auto name = field_text(zone.as_object(), "zone");
        if (!run.has("zone") || name == run.value("zone")) rows.push_back(row_of(zone.as_object(), name));
    }
    // A zone of which nothing is said has those of all others.
    if (!run.has("zone") || rows.empty())
        rows.push_back(row_of(limits.at("default").as_object(), run.has("zone") ? run.value("zone") : "(others)"));
    CHECK(run.print_rows(rows, limit_columns));
    return ctl_exit::success;
}

Result<> change_limits(const CtlRun& run, json::object& limits)
{
    for (const auto& rate : rate_options) {
        if (!run.has(rate.option)) continue;
        TRY(auto bytes, ctl_value({.name = rate.option, .kind = CtlValue::size}, run.value(rate.option), 0));
        limits[rate.field] = bytes.as_int64() < 0 ? json::value{} : std::move(bytes);
    }
    if (run.has("polite")) limits["polite"] = run.value("polite") == "on";
    return {};
}

// A zone has its own limits from its first change on, and begins with those of all others.
Result<> change_zone(const CtlRun& run, json::object& all)
{
    auto& zones = all.at("zones").as_array();
    const auto is_it = [&](const json::value& zone) {
        return field_text(zone.as_object(), "zone") == run.value("zone");
    };
    auto found = std::ranges::find_if(zones, is_it);
    if (run.has("clear")) {
        if (found != zones.end()) zones.erase(found);
        return {};
    }
    if (found == zones.end()) {
        auto limits = all.at("default").as_object();
        limits["zone"] = run.value("zone");
        zones.push_back(std::move(limits));
        found = std::prev(zones.end());
    }
    return change_limits(run, found->as_object());
}

bool are_limits(const json::value& answer)
{
    const auto* const object = answer.if_object();
    if (object == nullptr) return false;
    const auto* const others = object->if_contains("default");
    const auto* const zones = object->if_contains("zones");
    return others != nullptr && others->is_object() && zones != nullptr && zones->is_array() &&
           std::ranges::all_of(zones->get_array(), [](const json::value& zone) { return zone.is_object(); });
}

Result<int> limits_of_nodes(CtlRun& run)
{
    if (run.has("clear") && changes_rates(run))
        return fail(Errc::bad_request, "--clear takes limits away: it goes with none");
    TRY(auto* const api, run.api());
    TRY(auto answer, api->call("GET", "swarm/limits"));
    if (!are_limits(answer.body)) return fail(Errc::internal, "the server's answer are no limits");
    auto& all = answer.body.as_object();
    if (!run.has("clear") && !changes_rates(run)) return show_limits(run, all);
    if (run.has("zone")) {
        CHECK(change_zone(run, all));
    } else {
        auto& others = all.at("default").as_object();
        if (run.has("clear")) others.clear();
        CHECK(change_limits(run, others));
    }
    // Not over what somebody else has set meanwhile.
    TRY(const auto changed, api->call("PUT", "swarm/limits", all, answer.etag));
    CHECK(run.print_change(
        changed, run.has("zone") ? fmt::format("zone {}: the limits are set", run.value("zone")) : "the limits are set"
    ));
    return ctl_exit::success;
}

}  // namespace

std::vector<CtlCommand> swarm_limit_commands()
{
    return {
        {.path = "swarm limits",
         .text = "shows or sets what nodes may move, from the next second on",
         .options =
             {{.name = "zone", .value = "ZONE", .text = "of this zone alone; it begins with those of all others"},
              {.name = "up", .value = "BYTES", .text = "a second, that each node sends to others; or unlimited"},
              {.name = "down", .value = "BYTES", .text = "a second, that each node takes from others; or unlimited"},
              {.name = "across",
               .value = "BYTES",
               .text = "a second, both ways, that each node moves between zones; or unlimited"},
              {.name = "polite",
               .value = "ON",
               .text = "whether nodes make way for their other traffic",
               .choices = {"on", "off"}},
              {.name = "clear", .text = "takes the limits away; those of a zone: it has those of all others again"}},
         .traits = ctl_showing,
         .run = limits_of_nodes,
         .more =
             "A zone that has limits of its own has all of them: those of others don't count there. What an agent is "
             "configured with holds as well, and the strictest counts. With 0 nothing is moved; pulls go on, and the "
             "registry brings what is missing.",
         .example = "entrepot ctl swarm limits --zone fra1 --up 500MB --across 20MB --polite on"},
    };
}

}  // namespace entrepot
