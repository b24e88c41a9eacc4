#include "delivery/preheat_selection.hpp"

#include "core/bytes.hpp"
#include "swarm/crypto/sha256_stream.hpp"
#include "swarm/identity/node_identity.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {
namespace {

constexpr std::size_t most_zones = 64;
constexpr std::size_t most_names = 1024;
constexpr std::uint64_t places = 1'000'000;

// 0 to places - 1.
std::uint64_t place_of(std::string_view seed, std::string_view id)
{
    const auto text = std::string{seed} + " " + std::string{id};
    const auto hash = sha256_of(as_bytes(text));
    std::uint64_t number = 0;
    for (std::size_t at = 0; at < sizeof(number); ++at) number = number << 8U | hash.bytes[at];
    return number % places;
}

}  // namespace

std::string selection_seed(const PreheatEntry& preheat)
{
    return std::to_string(preheat.created_at) + " " + preheat.digest;
}

Result<> check_selection(const PreheatSelection& selection)
{
    const auto refuse = [](std::string why) { return fail(Errc::bad_request, std::move(why)); };
    if (selection.zones.size() > most_zones) return refuse("at most 64 zones can be named");
    if (selection.names.size() > most_names) return refuse("at most 1024 nodes can be named");
    for (const auto& zone : selection.zones) {
        if (zone.empty() || !is_zone_name(zone)) return refuse("a zone is plain text of 1 to 64 bytes");
    }
    for (const auto& name : selection.names) {
        if (!is_node_name(name)) return refuse("this can't be the name of a node");
    }
    if (selection.percent < 1 || selection.percent > 100) return refuse("a percentage is from 1 to 100");
    return {};
}

bool is_meant(const PreheatSelection& selection, std::string_view name, std::string_view zone) noexcept
{
    const auto holds = [](const std::vector<std::string>& wanted, std::string_view one) {
        return wanted.empty() || std::ranges::find(wanted, one) != wanted.end();
    };
    return holds(selection.zones, zone) && holds(selection.names, name);
}

std::vector<std::string>
chosen_nodes(const PreheatSelection& selection, std::string_view seed, const std::vector<NodeEntry>& nodes)
{
    std::vector<std::pair<std::uint64_t, std::string>> meant;
    for (const auto& node : nodes) {
        if (is_meant(selection, node.name, node.zone)) meant.emplace_back(place_of(seed, node.id), node.id);
    }
    std::ranges::sort(meant);
    meant.resize((meant.size() * static_cast<std::size_t>(selection.percent) + 99) / 100);
    std::vector<std::string> ids;
    ids.reserve(meant.size());
    for (auto& [place, id] : meant) ids.push_back(std::move(id));
    return ids;
}

bool is_chosen_later(
    const PreheatSelection& selection,
    std::string_view seed,
    std::string_view id,
    std::string_view name,
    std::string_view zone
)
{
    const auto share = static_cast<std::uint64_t>(selection.percent) * places / 100;
    return is_meant(selection, name, zone) && place_of(seed, id) < share;
}

}  // namespace entrepot
