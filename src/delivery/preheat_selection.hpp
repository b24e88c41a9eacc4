#pragma once

#include "ports/node_catalog.hpp"
#include "ports/preheat_catalog.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// Which nodes a preheat is for. `seed` makes the choice of a percentage another one for each preheat, and the same one
// for the same preheat: nodes have their place by the SHA-256 of seed and id.

// Another one also for the same image when it is asked for again.
std::string selection_seed(const PreheatEntry& preheat);

// bad_request: more, longer or other names than nodes and zones have.
Result<> check_selection(const PreheatSelection& selection);

// By zone and name alone.
bool is_meant(const PreheatSelection& selection, std::string_view name, std::string_view zone) noexcept;

// Ids of those of the nodes that are meant: of n of them the first n × percent / 100, rounded up.
std::vector<std::string>
chosen_nodes(const PreheatSelection& selection, std::string_view seed, const std::vector<NodeEntry>& nodes);

// Whether a node that comes later is one of them.
bool is_chosen_later(
    const PreheatSelection& selection,
    std::string_view seed,
    std::string_view id,
    std::string_view name,
    std::string_view zone
);

}  // namespace entrepot
