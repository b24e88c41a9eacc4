#include "api/management/project_of.hpp"

#include "core/ascii.hpp"

namespace entrepot {

Result<std::shared_ptr<const ProjectAccess>>
project_of(const ApiCall& call, const AccessPolicy& policy, std::string_view text)
{
    const bool is_name = call.request.header("x-is-resource-name").value_or("false") == "true";
    const auto id = is_name ? std::nullopt : parse_decimal(text);
    auto project =
        id && *id < std::uint64_t{1} << 63U ? policy.project(static_cast<std::int64_t>(*id)) : policy.project(text);
    return require_project(policy, call.caller, std::move(project));
}

}  // namespace entrepot
