#include "ports/robot_catalog.hpp"

namespace entrepot {

std::string_view name_of(RobotLevel level) noexcept
{
    switch (level) {
        case RobotLevel::system: return "system";
        case RobotLevel::tenant: return "tenant";
        case RobotLevel::project: return "project";
    }
    return "";
}

std::optional<RobotLevel> robot_level_named(std::string_view name) noexcept
{
    for (const auto level : {RobotLevel::system, RobotLevel::tenant, RobotLevel::project}) {
        if (name == name_of(level)) return level;
    }
    return std::nullopt;
}

}  // namespace entrepot
