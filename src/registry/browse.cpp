#include "registry/browse.hpp"

#include "access/id_lists.hpp"
#include "access/permission.hpp"

namespace entrepot {

Task<NamePage> Browse::repositories(const Caller& caller, PageRequest page)
{
    static const auto list_repositories = need(ObjectKind::project, "repository", "list");
    return manifests_.repositories(policy_.projects_with(caller, list_repositories), std::move(page));
}

// Those whose tags the caller may list by either API: whoever copies by the distribution API alone must not take for
// gone what it lists.
std::optional<std::vector<std::int64_t>> Browse::projects_with_tags(const Caller& caller) const
{
    static const auto list_tags = need(ObjectKind::project, "tag", "list");
    static const auto pull = need(ObjectKind::project, "repository", "pull");
    return ids_in_either(policy_.projects_with(caller, list_tags), policy_.projects_with(caller, pull));
}

Task<std::vector<TagState>> Browse::tag_states(const Caller& caller, TagRange range)
{
    return manifests_.tag_states(projects_with_tags(caller), std::move(range));
}

}  // namespace entrepot
