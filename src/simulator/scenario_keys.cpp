#include "simulator/scenario_keys.hpp"

#include "core/utf8.hpp"
#include "simulator/scenario_units.hpp"
#include "swarm/peer/swarm_peer.hpp"
#include "swarm/piece_layout.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <type_traits>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr double slowest = 1e3;  // bytes a second
constexpr SwarmTime hour = 3600 * swarm_second;
constexpr std::uint32_t most_layers = 10'000;
constexpr std::uint32_t most_nodes = 1'000'000;
constexpr std::uint32_t most_zones = 64;  // a node keeps a bit for each
constexpr std::uint32_t most_given = SwarmPeer::most_neighbours;

// Whole numbers as such: 300000000, not 3E8.
json::value number(double value)
{
    constexpr double exact = 1e15;
    if (value == std::floor(value) && value < exact) return static_cast<std::int64_t>(value);
    return value;
}

json::value microseconds(SwarmTime time)
{
    return json::value(fmt::format("{} us", time));
}

Result<std::string_view> single(const ScenarioSetting& setting)
{
    if (setting.is_list) return fail(Errc::bad_request, "must be a single value");
    return setting.values.front();
}

// The member at the end of a path of pointers to members.
template <auto... path>
constexpr auto& field(auto& scenario) noexcept
{
    return (scenario.*....*path);
}

template <auto... path>
json::value show_number(const Scenario& scenario)
{
    return number(static_cast<double>(field<path...>(scenario)));
}

template <std::uint32_t least, std::uint32_t most, auto... path>
constexpr ScenarioKey count(std::string_view name)
{
    const auto set = [](ScenarioDraft& draft, const ScenarioSetting& setting) -> Result<> {
        TRY(const auto text, single(setting));
        TRY(const auto value, count_in_words(text));
        if (value < least || value > most)
            return fail(Errc::bad_request, fmt::format("must be from {} to {}", least, most));
        auto& member = field<path...>(draft.scenario);
        member = static_cast<std::remove_reference_t<decltype(member)>>(value);
        return {};
    };
    return {name, set, show_number<path...>};
}

template <auto... path>
constexpr ScenarioKey rate(std::string_view name)
{
    const auto set = [](ScenarioDraft& draft, const ScenarioSetting& setting) -> Result<> {
        TRY(const auto text, single(setting));
        TRY(const auto value, rate_in_words(text));
        if (value < slowest || value > 1e12) return fail(Errc::bad_request, "must be from 1 kB/s to 1 TB/s");
        field<path...>(draft.scenario) = value;
        return {};
    };
    return {name, set, show_number<path...>};
}

template <SwarmTime least, SwarmTime most, auto... path>
constexpr ScenarioKey time(std::string_view name)
{
    const auto set = [](ScenarioDraft& draft, const ScenarioSetting& setting) -> Result<> {
        TRY(const auto text, single(setting));
        TRY(const auto value, time_in_words(text));
        if (value < least || value > most)
            return fail(Errc::bad_request, fmt::format("must be from {} us to {} s", least, most / swarm_second));
        field<path...>(draft.scenario) = value;
        return {};
    };
    return {name, set, [](const Scenario& scenario) { return microseconds(field<path...>(scenario)); }};
}

// `thousandths`: no less than so many.
template <int thousandths, auto... path>
constexpr ScenarioKey share(std::string_view name)
{
    const auto set = [](ScenarioDraft& draft, const ScenarioSetting& setting) -> Result<> {
        TRY(const auto text, single(setting));
        TRY(const auto value, share_in_words(text));
        if (value * 1000 < thousandths)
            return fail(Errc::bad_request, fmt::format("must be at least {}", thousandths / 1000.0));
        field<path...>(draft.scenario) = value;
        return {};
    };
    return {name, set, show_number<path...>};
}

// A time, or a share of the bound, which is known when all else is.
template <
    SwarmTime Scenario::* moment,
    std::optional<double> ScenarioDraft::* of_bound,
    bool (*happens)(const Scenario&)>
constexpr ScenarioKey moment_key(std::string_view name)
{
    const auto set = [](ScenarioDraft& draft, const ScenarioSetting& setting) -> Result<> {
        TRY(const auto text, single(setting));
        (draft.*of_bound).reset();
        if (const auto part = share_of_bound_in_words(text)) {
            draft.*of_bound = *part;
            return {};
        } else if (part.error().code() != Errc::not_found) {
            return std::unexpected{part.error()};
        }
        TRY(draft.scenario.*moment, time_in_words(text));
        if (draft.scenario.*moment > hour) return fail(Errc::bad_request, "must be within an hour");
        return {};
    };
    const auto show = [](const Scenario& scenario) {
        return happens(scenario) ? microseconds(scenario.*moment) : json::value();
    };
    return {name, set, show};
}

bool some_die(const Scenario& scenario)
{
    return scenario.dying > 0;
}

bool tracker_dies(const Scenario& scenario)
{
    return scenario.tracker_dies;
}

bool seeds_die(const Scenario& scenario)
{
    return scenario.seeds_die;
}

Result<> set_seeds_death(ScenarioDraft& draft, const ScenarioSetting& setting)
{
    constexpr auto key = moment_key<&Scenario::seeds_die_at, &ScenarioDraft::seeds_at_bound, seeds_die>("");
    CHECK(key.set(draft, setting));
    draft.scenario.seeds_die = true;
    return {};
}

json::value show_seeds_death(const Scenario& scenario)
{
    return seeds_die(scenario) ? microseconds(scenario.seeds_die_at) : json::value();
}

Result<> set_tracker_death(ScenarioDraft& draft, const ScenarioSetting& setting)
{
    constexpr auto key = moment_key<&Scenario::tracker_dies_at, &ScenarioDraft::tracker_at_bound, tracker_dies>("");
    CHECK(key.set(draft, setting));
    draft.scenario.tracker_dies = true;
    return {};
}

json::value show_tracker_death(const Scenario& scenario)
{
    return tracker_dies(scenario) ? microseconds(scenario.tracker_dies_at) : json::value();
}

Result<> set_name(ScenarioDraft& draft, const ScenarioSetting& setting)
{
    constexpr std::size_t longest = 100;
    TRY(const auto text, single(setting));
    if (text.empty() || text.size() > longest || !is_plain_text(text))
        return fail(Errc::bad_request, "must be 1 to 100 plain characters");
    draft.scenario.name = text;
    return {};
}

json::value show_name(const Scenario& scenario)
{
    return scenario.name.empty() ? json::value() : json::value(scenario.name);
}

Result<> set_seed(ScenarioDraft& draft, const ScenarioSetting& setting)
{
    TRY(const auto text, single(setting));
    TRY(draft.scenario.seed, count_in_words(text));
    return {};
}

template <std::optional<std::uint64_t> ScenarioDraft::* member>
Result<> set_bytes(ScenarioDraft& draft, const ScenarioSetting& setting)
{
    TRY(const auto text, single(setting));
    TRY(draft.*member, bytes_in_words(text));
    return {};
}

// A count of equal layers, or the size of each.
Result<> set_layers(ScenarioDraft& draft, const ScenarioSetting& setting)
{
    if (!setting.is_list) {
        TRY(const auto value, count_in_words(setting.values.front()));
        if (value == 0 || value > most_layers)
            return fail(Errc::bad_request, fmt::format("must be 1 to {}, or a list of sizes", most_layers));
        draft.layers = static_cast<std::uint32_t>(value);
        return {};
    }
    if (setting.values.empty() || setting.values.size() > most_layers)
        return fail(Errc::bad_request, fmt::format("must be a list of 1 to {} sizes", most_layers));
    for (const auto& text : setting.values) {
        TRY(const auto bytes, bytes_in_words(text));
        draft.scenario.layers.push_back(bytes);
    }
    return {};
}

json::value show_layers(const Scenario& scenario)
{
    json::array sizes;
    for (const auto bytes : scenario.layers) sizes.emplace_back(bytes);
    return sizes;
}

// A count of zones in which nodes take turns, or the nodes of each.
Result<> set_zones(ScenarioDraft& draft, const ScenarioSetting& setting)
{
    auto& scenario = draft.scenario;
    scenario.zone_sizes.clear();
    std::uint64_t zones = setting.values.size();
    if (setting.is_list) {
        for (const auto& text : setting.values) {
            TRY(const auto size, count_in_words(text));
            if (size == 0 || size > most_nodes) return fail(Errc::bad_request, "each must have from 1 node on");
            scenario.zone_sizes.push_back(static_cast<std::uint32_t>(size));
        }
    } else {
        TRY(zones, count_in_words(setting.values.front()));
    }
    if (zones == 0 || zones > most_zones)
        return fail(Errc::bad_request, fmt::format("must be from 1 to {}, or a list of as many sizes", most_zones));
    scenario.zones = static_cast<std::uint32_t>(zones);
    return {};
}

json::value show_zones(const Scenario& scenario)
{
    if (scenario.zone_sizes.empty()) return json::value(scenario.zones);
    json::array sizes;
    for (const auto size : scenario.zone_sizes) sizes.emplace_back(size);
    return sizes;
}

json::value show_trunk(const Scenario& scenario)
{
    return scenario.trunk == 0 ? json::value() : number(scenario.trunk);
}

Result<> set_across(ScenarioDraft& draft, const ScenarioSetting& setting)
{
    constexpr double most = 1e12;
    TRY(const auto text, single(setting));
    TRY(const auto value, rate_in_words(text));
    if (value > most) return fail(Errc::bad_request, "must be at most 1 TB/s");
    draft.scenario.across = value;
    return {};
}

json::value show_across(const Scenario& scenario)
{
    return scenario.across ? number(*scenario.across) : json::value();
}

Result<> set_piece(ScenarioDraft& draft, const ScenarioSetting& setting)
{
    TRY(const auto text, single(setting));
    TRY(const auto bytes, bytes_in_words(text));
    const auto chunks = bytes / chunk_bytes;
    if (bytes % chunk_bytes != 0 || !std::has_single_bit(chunks) || chunks > most_chunks_of_piece)
        return fail(Errc::bad_request, "must be 256 KiB, 512 KiB, 1 MiB, … or 16 MiB");
    draft.scenario.piece_chunks = static_cast<std::uint32_t>(chunks);
    return {};
}

json::value show_piece(const Scenario& scenario)
{
    return scenario.piece_chunks == 0 ? json::value() : json::value(scenario.piece_chunks * chunk_bytes);
}

Result<> set_arrivals(ScenarioDraft& draft, const ScenarioSetting& setting)
{
    TRY(const auto text, single(setting));
    if (text != "at_once" && text != "spread") return fail(Errc::bad_request, "must be at_once or spread");
    draft.scenario.arrivals = text == "spread" ? ArrivalKind::spread : ArrivalKind::at_once;
    return {};
}

json::value show_arrivals(const Scenario& scenario)
{
    return json::value(scenario.arrivals == ArrivalKind::spread ? "spread" : "at_once");
}

Result<> set_offered(ScenarioDraft& draft, const ScenarioSetting& setting)
{
    constexpr double most = 1e6;
    TRY(const auto text, single(setting));
    TRY(const auto copies, number_in_words(text));
    if (copies < 1 || copies > most) return fail(Errc::bad_request, "must be from 1 to 1000000");
    draft.scenario.origin.offered_copies = copies;
    return {};
}

json::value show_nothing(const Scenario&)
{
    return {};
}

// A thousandth of what is asked for often: what comes round every few microseconds would never let a run end.
constexpr SwarmTime shortest = 100;
constexpr SwarmTime latency_limit = 10 * swarm_second;
constexpr std::uint32_t many = 65'535;

using S = Scenario;
using P = PeerPolicy;
constexpr auto peer = &S::peer;
constexpr auto seed_policy = &S::origin;
constexpr auto tracker = &S::tracker;

constexpr std::array keys{
    ScenarioKey{"name", set_name, show_name},
    ScenarioKey{"seed", set_seed, [](const Scenario& scenario) { return json::value(scenario.seed); }},
    count<1, most_nodes, &S::nodes>("nodes"),
    ScenarioKey{"image.size", set_bytes<&ScenarioDraft::image_bytes>, show_nothing},
    ScenarioKey{"image.layer_size", set_bytes<&ScenarioDraft::layer_bytes>, show_nothing},
    ScenarioKey{"image.layers", set_layers, show_layers},
    ScenarioKey{"piece", set_piece, show_piece},
    rate<&S::up>("node.up"),
    rate<&S::down>("node.down"),
    rate<&S::origin_up>("origin.up"),
    count<1, 1024, &S::origins>("origin.instances"),
    ScenarioKey{"node.across", set_across, show_across},
    ScenarioKey{"network.zones", set_zones, show_zones},
    count<0, most_zones, &S::cut_off>("network.cut_off"),
    ScenarioKey{"network.trunk", rate<&S::trunk>("").set, show_trunk},
    time<0, latency_limit, &S::latency>("network.latency"),
    time<0, latency_limit, &S::cross_latency>("network.cross_latency"),
    share<100, &S::goodput>("network.goodput"),
    time<0, latency_limit, &S::handling>("network.handling"),
    time<0, hour, &S::fixed>("network.fixed"),
    time<0, latency_limit, &S::handshake>("network.handshake"),
    rate<&S::verify>("network.verify"),
    ScenarioKey{"arrivals.kind", set_arrivals, show_arrivals},
    time<0, hour, &S::arrivals_over>("arrivals.over"),
    share<0, &S::dying>("faults.dying.share"),
    moment_key<&S::dying_at, &ScenarioDraft::dying_at_bound, some_die>("faults.dying.at"),
    share<0, &S::slow>("faults.slow.share"),
    share<1, &S::slow_rate>("faults.slow.rate"),
    share<0, &S::silent>("faults.silent"),
    share<0, &S::lying>("faults.lying"),
    ScenarioKey{"faults.seeds.die_at", set_seeds_death, show_seeds_death},
    ScenarioKey{"faults.tracker.dies_at", set_tracker_death, show_tracker_death},
    count<1, many, peer, &P::pipeline_pieces>("policy.peer.pipeline_pieces"),
    time<0, hour, peer, &P::pipeline_time>("policy.peer.pipeline_time"),
    count<1, many, peer, &P::neighbour_pieces>("policy.peer.neighbour_pieces"),
    count<1, PieceLayout::most_pieces, peer, &P::window_pieces>("policy.peer.window_pieces"),
    count<0, 100, peer, &P::window_percent>("policy.peer.window_percent"),
    time<shortest, hour, peer, &P::widen_interval>("policy.peer.widen_interval"),
    time<shortest, hour, peer, &P::announce_interval>("policy.peer.announce_interval"),
    time<shortest, hour, peer, &P::look_interval>("policy.peer.look_interval"),
    time<shortest, hour, peer, &P::idle_until_rewire>("policy.peer.idle_until_rewire"),
    time<shortest, hour, peer, &P::neighbour_trial>("policy.peer.neighbour_trial"),
    time<shortest, hour, peer, &P::shortest_timeout>("policy.peer.shortest_timeout"),
    time<shortest, hour, peer, &P::turn_time>("policy.peer.turn_time"),
    count<1, 64, peer, &P::turns>("policy.peer.turns"),
    count<1, many, peer, &P::across_pieces>("policy.peer.across_pieces"),
    count<0, 100, peer, &P::duplicate_percent>("policy.peer.duplicate_percent"),
    time<0, hour, peer, &P::upload_queue_time>("policy.peer.upload_queue_time"),
    count<1, many, peer, &P::upload_queue_pieces>("policy.peer.upload_queue_pieces"),
    count<1, many, seed_policy, &SeedPolicy::shown_pieces>("policy.seed.shown_pieces"),
    time<shortest, hour, seed_policy, &SeedPolicy::shown_time>("policy.seed.shown_time"),
    time<shortest, hour, seed_policy, &SeedPolicy::asking_time>("policy.seed.asking_time"),
    ScenarioKey{"policy.seed.offered_copies", set_offered, show_number<seed_policy, &SeedPolicy::offered_copies>},
    count<1, most_given, tracker, &TrackerPolicy::given_neighbours>("policy.tracker.given_neighbours"),
    count<1, most_given, tracker, &TrackerPolicy::gateways>("policy.tracker.gateways"),
    count<0, most_given, tracker, &TrackerPolicy::given_across>("policy.tracker.given_across"),
    count<1, most_given, tracker, &TrackerPolicy::most_neighbours>("policy.tracker.most_neighbours"),
    count<1, many, tracker, &TrackerPolicy::seed_neighbours>("policy.tracker.seed_neighbours"),
};

}  // namespace

std::span<const ScenarioKey> scenario_keys() noexcept
{
    return keys;
}

}  // namespace entrepot
