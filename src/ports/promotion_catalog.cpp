#include "ports/promotion_catalog.hpp"

#include <algorithm>
#include <array>

namespace entrepot {
namespace {

constexpr std::array<std::string_view, 7> state_names{
    "pending", "approved", "done", "rejected", "failed", "expired", "cancelled"
};

}  // namespace

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
