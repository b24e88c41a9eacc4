#include "ports/grant_catalog.hpp"

#include <algorithm>
#include <array>

namespace entrepot {
namespace {

constexpr std::array<std::string_view, 5> type_names{"user", "robot", "workload", "team", "group"};

}  // namespace

std::string_view name_of(SubjectType type) noexcept
{
    return type_names[static_cast<std::size_t>(type)];
}

std::optional<SubjectType> subject_type_named(std::string_view name) noexcept
{
    const auto found = std::ranges::find(type_names, name);
    if (found == type_names.end()) return std::nullopt;
    return static_cast<SubjectType>(found - type_names.begin());
}

}  // namespace entrepot
