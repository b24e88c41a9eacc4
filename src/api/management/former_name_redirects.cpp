#include "api/management/former_name_redirects.hpp"

#include "access/require.hpp"
#include "api/management/api_values.hpp"
#include "core/ascii.hpp"

namespace entrepot {
namespace {

constexpr std::string_view of_project = "projects/{project_name";
constexpr std::string_view of_repository = "projects/{project_name}/repositories/{repository_name}";
constexpr std::string_view base = "/api/v2.0/projects/";
const Permission read_repository = need(ObjectKind::project, "repository", "read");

// What follows the first `segments` ones, with its slash.
std::string_view tail_of(std::string_view path, int segments)
{
    std::size_t at = 0;
    for (; segments > 0 && at != std::string_view::npos; --segments) at = path.find('/', at + 1);
    return at == std::string_view::npos ? std::string_view{} : path.substr(at);
}

}  // namespace

std::optional<std::string> FormerNameRedirects::operator()(const ApiCall& call, std::string_view pattern) const
{
    if (!pattern.starts_with(of_project)) return std::nullopt;
    const auto& project = call.path.at(0);
    if (pattern.starts_with(of_repository)) {
        const auto asked = repository_of(project, call.path.at(1));
        const auto now = asked ? policy_.renamed(asked->text()) : std::nullopt;
        const auto name = now ? RepositoryName::parse(*now) : asked;
        if (!now || !name) return std::nullopt;
        const auto access = policy_.project(name->project());
        const ObjectRef object{.kind = ObjectKind::repository, .id = access ? access->id : 0, .name = name->text()};
        if (!access || !policy_.may(call.caller, read_repository, object)) return std::nullopt;
        return location_of(*name) + std::string{tail_of(call.request.path, 6)};
    }
    const bool is_name = call.request.header("x-is-resource-name").value_or("false") == "true";
    if (!is_name && parse_decimal(project)) return std::nullopt;
    const auto now = policy_.renamed(project);
    const auto access = now ? policy_.project(*now) : nullptr;
    if (!access || !require_project(policy_, call.caller, access)) return std::nullopt;
    return std::string{base} + *now + std::string{tail_of(call.request.path, 4)};
}

}  // namespace entrepot
