#include "registry/browse.hpp"

#include "access/permission.hpp"

namespace entrepot {

Task<NamePage> Browse::repositories(const Caller& caller, PageRequest page)
{
    static const auto list_repositories = need(ObjectKind::project, "repository", "list");
    return manifests_.repositories(policy_.projects_with(caller, list_repositories), std::move(page));
}

Task<std::vector<TagState>> Browse::tag_states(const Caller& caller, TagRange range)
{
    static const auto list_tags = need(ObjectKind::project, "tag", "list");
    return manifests_.tag_states(policy_.projects_with(caller, list_tags), std::move(range));
}

}  // namespace entrepot
