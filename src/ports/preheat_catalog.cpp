#include "ports/preheat_catalog.hpp"

#include <algorithm>

namespace entrepot {
namespace {

constexpr std::array<std::string_view, 5> stage_names{"running", "done", "failed", "expired", "cancelled"};
constexpr std::array<std::string_view, node_preheats> state_names{"waiting", "running", "done", "failed", "refused"};

template <class Value, std::size_t Count>
std::optional<Value> named(const std::array<std::string_view, Count>& names, std::string_view name) noexcept
{
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) return std::nullopt;
    return static_cast<Value>(found - names.begin());
}

}  // namespace

std::string_view name_of(PreheatStage stage) noexcept
{
    return stage_names[static_cast<std::size_t>(stage)];
}

std::optional<PreheatStage> preheat_stage_named(std::string_view name) noexcept
{
    return named<PreheatStage>(stage_names, name);
}

std::string_view name_of(NodePreheat state) noexcept
{
    return state_names[static_cast<std::size_t>(state)];
}

std::optional<NodePreheat> node_preheat_named(std::string_view name) noexcept
{
    return named<NodePreheat>(state_names, name);
}

}  // namespace entrepot
