#include "ports/retention_policy.hpp"

#include <algorithm>
#include <array>

namespace entrepot {
namespace {

constexpr std::array<std::string_view, 8> names{
    "always",
    "latestPushedK",
    "latestPulledN",
    "nDaysSinceLastPush",
    "nDaysSinceLastPull",
    "nDaysSinceCreation",
    "semanticVersions",
    "latestPatchesK",
};

}  // namespace

std::string_view name_of(RetentionTemplate keeps) noexcept
{
    return names[static_cast<std::size_t>(keeps)];
}

std::optional<RetentionTemplate> retention_template_named(std::string_view name) noexcept
{
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) return std::nullopt;
    return static_cast<RetentionTemplate>(found - names.begin());
}

}  // namespace entrepot
