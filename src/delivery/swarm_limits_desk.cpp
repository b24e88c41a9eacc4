#include "delivery/swarm_limits_desk.hpp"

#include "core/log.hpp"
#include "swarm/identity/node_identity.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <limits>
#include <string>
#include <utility>

namespace entrepot {
namespace {

namespace json = boost::json;

const Permission list_all = need(ObjectKind::platform, "preheat-instance", "list");
const Permission update_all = need(ObjectKind::platform, "preheat-instance", "update");

// Numbers of JSON end here: what is more is as good as none.
constexpr std::uint64_t most_rate = std::numeric_limits<std::int64_t>::max();

json::value rate_json(std::uint64_t rate)
{
    return rate > most_rate ? json::value() : json::value(static_cast<std::int64_t>(rate));
}

json::object limits_json(const LimitsFrame& limits)
{
    return {
        {"up", rate_json(limits.rates.up)},
        {"down", rate_json(limits.rates.down)},
        {"across_zones", rate_json(limits.rates.across_zones)},
        {"polite", limits.polite},
    };
}

Result<std::uint64_t> parse_rate(const json::object& object, std::string_view name)
{
    const auto* const value = object.if_contains(name);
    if (value == nullptr || value->is_null()) return no_rate_limit;
    if (!value->is_int64() || value->get_int64() < 0)
        return fail(Errc::bad_request, std::string{name} + " is neither null nor a number of bytes per second");
    return static_cast<std::uint64_t>(value->get_int64());
}

Result<LimitsFrame> parse_limits(const json::object& object)
{
    LimitsFrame limits;
    TRY(limits.rates.up, parse_rate(object, "up"));
    TRY(limits.rates.down, parse_rate(object, "down"));
    TRY(limits.rates.across_zones, parse_rate(object, "across_zones"));
    const auto* const polite = object.if_contains("polite");
    if (polite == nullptr || polite->is_null()) return limits;
    if (!polite->is_bool()) return fail(Errc::bad_request, "polite is neither true nor false");
    limits.polite = polite->get_bool();
    return limits;
}

Result<> parse_zone(const json::value& value, SwarmLimits& into)
{
    if (!value.is_object()) return fail(Errc::bad_request, "zones is no list of objects");
    const auto* const name = value.get_object().if_contains("zone");
    if (name == nullptr || !name->is_string() || name->get_string().empty() || !is_zone_name(name->get_string()))
        return fail(Errc::bad_request, "a zone is plain text of 1 to 64 bytes");
    TRY(auto limits, parse_limits(value.get_object()));
    if (!into.zones.emplace(name->get_string(), limits).second)
        return fail(Errc::bad_request, "zones names each zone once");
    return {};
}

}  // namespace

json::object swarm_limits_json(const SwarmLimits& limits)
{
    json::array zones;
    for (const auto& [name, its] : limits.zones) {
        json::object zone{{"zone", name}};
        for (auto& [field, value] : limits_json(its)) zone.emplace(field, std::move(value));
        zones.push_back(std::move(zone));
    }
    return {{"default", limits_json(limits.others)}, {"zones", std::move(zones)}};
}

Result<SwarmLimits> parse_swarm_limits(const json::object& object)
{
    SwarmLimits limits;
    if (const auto* const others = object.if_contains("default"); others != nullptr && !others->is_null()) {
        if (!others->is_object()) return fail(Errc::bad_request, "default is no object");
        TRY(limits.others, parse_limits(others->get_object()));
    }
    const auto* const zones = object.if_contains("zones");
    if (zones == nullptr || zones->is_null()) return limits;
    if (!zones->is_array()) return fail(Errc::bad_request, "zones is no list");
    if (zones->get_array().size() > SwarmLimitsDesk::most_zones)
        return fail(Errc::bad_request, "zones has at most 1000 of them");
    for (const auto& zone : zones->get_array()) CHECK(parse_zone(zone, limits));
    return limits;
}

Task<SwarmLimits> SwarmLimitsDesk::read(Caller caller)
{
    CO_CHECK(require(policy_, caller, list_all, the_platform));
    co_return co_await current();
}

Task<> SwarmLimitsDesk::change(Caller caller, SwarmLimits limits)
{
    CO_CHECK(require(policy_, caller, update_all, the_platform));
    SettingsCatalog::Changes changes;
    auto& kept = changes[std::string{setting}];
    if (limits != SwarmLimits{}) kept = json::serialize(swarm_limits_json(limits));
    const Actor actor{.user_id = caller.identity->user_id, .at = clock_.now()};
    co_return co_await catalog_.change(std::move(changes), actor);
}

Task<SwarmLimits> SwarmLimitsDesk::current()
{
    CO_TRY(const auto all, co_await catalog_.all());
    const auto kept = all.find(setting);
    if (kept == all.end()) co_return SwarmLimits{};
    boost::system::error_code not_json;
    const auto value = json::parse(kept->second, not_json);
    if (!not_json && value.is_object()) {
        if (auto limits = parse_swarm_limits(value.get_object())) co_return *std::move(limits);
    }
    log::warning("the limits of the swarm that are kept can't be read: there are none", {});
    co_return SwarmLimits{};
}

}  // namespace entrepot
