#include "simulator/scenario.hpp"

#include "simulator/bound.hpp"
#include "simulator/scenario_file.hpp"
#include "swarm/piece_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace entrepot {
namespace {

// What a node keeps grows with the pieces, and a neighbour's with both: more than this is more than a machine has.
constexpr std::uint64_t most_pieces_in_all = std::uint64_t{1} << 31U;
constexpr std::uint64_t largest_layer = PieceLayout::most_chunks * chunk_bytes;
constexpr SwarmTime longest_bound = 24 * 3600 * swarm_second;

// What the keys say together.
class DraftReader {
public:
    explicit DraftReader(std::span<const ScenarioSetting> settings) : settings_{settings} {}

    Result<Scenario> read()
    {
        for (const auto& setting : settings_) CHECK(set(setting));
        CHECK(fill_image());
        CHECK(fill_rates());
        CHECK(check_times());
        CHECK(check_zones());
        CHECK(check_size());
        return std::move(draft_.scenario);
    }

private:
    bool has(std::string_view key) const
    {
        return std::ranges::find(settings_, key, &ScenarioSetting::key) != settings_.end();
    }

    std::unexpected<Error> wrong(std::string_view key, std::string_view what) const
    {
        const auto found = std::ranges::find(settings_, key, &ScenarioSetting::key);
        const auto place = found == settings_.end() ? std::string{} : found->place + ": ";
        return fail(Errc::bad_request, fmt::format("{}{}: {}", place, key, what));
    }

    Result<> set(const ScenarioSetting& setting)
    {
        const auto known = std::ranges::find(scenario_keys(), std::string_view{setting.key}, &ScenarioKey::name);
        if (known == scenario_keys().end()) return wrong(setting.key, "there is no such key" + hint(setting.key));
        if (const auto done = known->set(draft_, setting); !done) return wrong(setting.key, done.error().message());
        return {};
    }

    // The keys that stand where this one is.
    static std::string hint(std::string_view key)
    {
        const auto section = key.substr(0, key.rfind('.') + 1);
        std::string names;
        for (const auto& known : scenario_keys()) {
            const bool inside = known.name.starts_with(key) && known.name.substr(key.size()).starts_with('.');
            const bool beside = !section.empty() && known.name.starts_with(section);
            if (inside || beside) names += fmt::format("{}{}", names.empty() ? "; there are " : ", ", known.name);
        }
        return names;
    }

    Result<> fill_image()
    {
        auto& layers = draft_.scenario.layers;
        const bool listed = !layers.empty();
        if (has("image.size") && has("image.layer_size"))
            return wrong("image.layer_size", "does not go with image.size: one follows from the other");
        if (listed && has("image.size")) return wrong("image.size", "does not go with a list of layers");
        if (listed && has("image.layer_size")) return wrong("image.layer_size", "does not go with a list of layers");
        const std::uint64_t count = draft_.layers.value_or(1);
        if (draft_.layer_bytes) {
            layers.assign(count, *draft_.layer_bytes);
        } else if (draft_.image_bytes) {
            layers.assign(count, *draft_.image_bytes / count);
            for (std::uint64_t at = 0; at < *draft_.image_bytes % count; ++at) ++layers[at];
        } else if (!listed) {
            return wrong("image.size", "must be set: the size of the image");
        }
        if (std::ranges::max(layers) > largest_layer) return wrong("image", "is too large for a swarm");
        if (draft_.scenario.image_bytes() == 0) return wrong("image", "must not be empty");
        return {};
    }

    Result<> fill_rates()
    {
        auto& scenario = draft_.scenario;
        if (scenario.nodes == 0) return wrong("nodes", "must be set: how many pull the image");
        if (scenario.up == 0) return wrong("node.up", "must be set: the rate of a node's link");
        if (scenario.down == 0) scenario.down = scenario.up;
        if (scenario.origin_up == 0) scenario.origin_up = scenario.up;
        return {};
    }

    Result<> check_times()
    {
        const auto& scenario = draft_.scenario;
        const bool spread = scenario.arrivals == ArrivalKind::spread;
        if (spread && scenario.arrivals_over == 0)
            return wrong("arrivals.over", "must be set for arrivals that spread");
        if (!spread && scenario.arrivals_over != 0) return wrong("arrivals.over", "goes with kind: spread alone");
        if (scenario.dying > 0 && !has("faults.dying.at"))
            return wrong("faults.dying.at", "must be set: when nodes die");
        return {};
    }

    Result<> check_zones()
    {
        const auto& scenario = draft_.scenario;
        const auto& sizes = scenario.zone_sizes;
        const auto all = std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{0});
        if (!sizes.empty() && all != scenario.nodes)
            return wrong(
                "network.zones", fmt::format("have {} nodes together, and nodes says {}", all, scenario.nodes)
            );
        if (scenario.cut_off >= scenario.zones)
            return wrong("network.cut_off", "must leave the registry a zone to talk to");
        return {};
    }

    Result<> check_size()
    {
        auto& scenario = draft_.scenario;
        const auto chunks = scenario.piece_chunks != 0 ? scenario.piece_chunks
                                                       : PieceLayout::chunks_of_piece_for(scenario.image_bytes());
        const auto layout = PieceLayout::of(scenario.layers, chunks);
        if (!layout) return wrong("image", layout.error().message());
        if (std::uint64_t{scenario.nodes} * layout->pieces() > most_pieces_in_all)
            return wrong("nodes", "are too many for an image of so many pieces: take larger pieces");
        const auto bound = bound_of(scenario, *layout);
        if (bound > longest_bound) return wrong("node.up", "is too slow: the image needs more than a day at best");
        const auto of_bound = [=](double share) { return static_cast<SwarmTime>(share * static_cast<double>(bound)); };
        if (draft_.dying_at_bound) scenario.dying_at = of_bound(*draft_.dying_at_bound);
        if (draft_.seeds_at_bound) scenario.seeds_die_at = of_bound(*draft_.seeds_at_bound);
        if (draft_.tracker_at_bound) scenario.tracker_dies_at = of_bound(*draft_.tracker_at_bound);
        return {};
    }

    std::span<const ScenarioSetting> settings_;
    ScenarioDraft draft_;
};

}  // namespace

std::uint64_t Scenario::image_bytes() const noexcept
{
    return std::accumulate(layers.begin(), layers.end(), std::uint64_t{0});
}

Result<Scenario> scenario_of(std::span<const ScenarioSetting> settings)
{
    return DraftReader{settings}.read();
}

Result<Scenario> parse_scenario(std::string_view text)
{
    TRY(auto runs, parse_scenario_runs(text));
    if (runs.size() != 1) return fail(Errc::bad_request, "grid: asks for more than one run");
    return std::move(runs.front().scenario);
}

}  // namespace entrepot
