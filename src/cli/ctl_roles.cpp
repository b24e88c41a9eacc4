#include "cli/ctl_roles.hpp"

#include <array>

#include <fmt/format.h>

namespace entrepot {
namespace {

struct ProjectRole {
    std::string_view name;
    std::int64_t id;
};
constexpr std::array<ProjectRole, 5> roles{{
    {"project-admin", 1},
    {"maintainer", 4},
    {"developer", 2},
    {"guest", 3},
    {"limited-guest", 5},
}};

}  // namespace

Result<std::int64_t> project_role_id(std::string_view name)
{
    for (const auto& role : roles) {
        if (role.name == name) return role.id;
    }
    return fail(Errc::bad_request, fmt::format("{} is no role of a project's members", name));
}

std::string_view project_role_name(std::int64_t id) noexcept
{
    for (const auto& role : roles) {
        if (role.id == id) return role.name;
    }
    return {};
}

std::vector<std::string_view> project_role_names()
{
    std::vector<std::string_view> names;
    for (const auto& role : roles) names.push_back(role.name);
    return names;
}

}  // namespace entrepot
