#include "ports/promotion_catalog.hpp"

#include <algorithm>
#include <array>

namespace entrepot {
namespace {

constexpr std::array<std::string_view, 9> state_names{
    "waiting", "pending", "approved", "done", "rejected", "failed", "expired", "cancelled", "superseded"
};
constexpr std::array<std::string_view, 2> trigger_names{"manual", "event_based"};

}  // namespace

std::string_view name_of(PromotionPolicy::Trigger trigger) noexcept
{
    return trigger_names[static_cast<std::size_t>(trigger)];
}

std::optional<PromotionPolicy::Trigger> promotion_trigger_named(std::string_view name) noexcept
{
    const auto found = std::ranges::find(trigger_names, name);
    if (found == trigger_names.end()) return std::nullopt;
    return static_cast<PromotionPolicy::Trigger>(found - trigger_names.begin());
}

std::string_view name_of(PromotionState state) noexcept
{
    return state_names[static_cast<std::size_t>(state)];
}

std::optional<PromotionState> promotion_state_named(std::string_view name) noexcept
{
    const auto found = std::ranges::find(state_names, name);
    if (found == state_names.end()) return std::nullopt;
    return static_cast<PromotionState>(found - state_names.begin());
}

}  // namespace entrepot
