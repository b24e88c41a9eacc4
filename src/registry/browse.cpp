#include "registry/browse.hpp"

#include "access/permission.hpp"

namespace entrepot {

Task<NamePage> Browse::repositories(const Caller& caller, PageRequest page)
{
    static const auto list_repositories = need(ObjectKind::project, "repository", "list");
    return manifests_.repositories(policy_.projects_with(caller, list_repositories), std::move(page));
}

}  // namespace entrepot
