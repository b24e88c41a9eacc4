#include "access/access_tables.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {
namespace {

void sort_grants(std::vector<GrantEntry>& grants)
{
    std::ranges::sort(grants, {}, [](const GrantEntry& grant) { return std::pair{grant.subject, grant.id}; });
}

template <class Key>
void take_away(std::map<Key, std::set<std::int64_t>>& index, const Key& key, std::int64_t id)
{
    const auto found = index.find(key);
    if (found == index.end()) return;
    found->second.erase(id);
    if (found->second.empty()) index.erase(found);
}

}  // namespace

void AccessTables::apply(const AccessChanges& changes)
{
    if (changes.complete) *this = AccessTables{};
    version_ = changes.version;
    for (const auto id : changes.removed_projects) remove_project(id);
    for (const auto id : changes.removed_tenants) remove_tenant(id);
    for (const auto id : changes.removed_principals) principals_.erase(id);
    for (const auto& project : changes.projects) put(project);
    for (const auto& tenant : changes.tenants) put(tenant);
    for (const auto& principal : changes.principals) put(principal);
    if (changes.platform_grants) {
        platform_grants_ = *changes.platform_grants;
        sort_grants(platform_grants_);
    }
    if (changes.custom_roles) {
        custom_roles_.clear();
        for (const auto& role : *changes.custom_roles) custom_roles_[role.id] = std::make_shared<const Role>(role);
    }
}

void AccessTables::put(ProjectAccess project)
{
    remove_project(project.id);
    sort_grants(project.grants);
    const auto entry = std::make_shared<const ProjectAccess>(std::move(project));
    for (const auto& grant : entry->grants) projects_of_subject_[grant.subject].insert(entry->id);
    if (entry->is_public || entry->shared) open_projects_.insert(entry->id);
    projects_of_tenant_[entry->tenant_id].insert(entry->id);
    projects_by_name_.insert_or_assign(entry->name, entry);
    for (const auto& name : entry->former_names) former_names_.insert_or_assign(name, entry->id);
    projects_.insert_or_assign(entry->id, entry);
}

void AccessTables::put(TenantAccess tenant)
{
    remove_tenant(tenant.id);
    sort_grants(tenant.grants);
    const auto entry = std::make_shared<const TenantAccess>(std::move(tenant));
    for (const auto& grant : entry->grants) tenants_of_subject_[grant.subject].insert(entry->id);
    tenant_ids_.insert_or_assign(entry->name, entry->id);
    tenants_.insert_or_assign(entry->id, entry);
}

void AccessTables::put(PrincipalAccess principal)
{
    std::ranges::sort(principal.subjects);
    std::ranges::sort(principal.tenants);
    std::ranges::sort(principal.access_tokens);
    const auto id = principal.id;
    principals_.insert_or_assign(id, std::make_shared<const PrincipalAccess>(std::move(principal)));
}

void AccessTables::remove_project(std::int64_t id)
{
    const auto found = projects_.find(id);
    if (found == projects_.end()) return;
    const auto entry = found->second;
    for (const auto& grant : entry->grants) take_away(projects_of_subject_, grant.subject, id);
    open_projects_.erase(id);
    take_away(projects_of_tenant_, entry->tenant_id, id);
    for (const auto& name : entry->former_names) {
        const auto former = former_names_.find(name);
        if (former != former_names_.end() && former->second == id) former_names_.erase(former);
    }
    // A project of the same name may have been put there since.
    const auto named = projects_by_name_.find(entry->name);
    if (named != projects_by_name_.end() && named->second->id == id) projects_by_name_.erase(named);
    projects_.erase(found);
}

void AccessTables::remove_tenant(std::int64_t id)
{
    const auto found = tenants_.find(id);
    if (found == tenants_.end()) return;
    const auto entry = found->second;
    for (const auto& grant : entry->grants) take_away(tenants_of_subject_, grant.subject, id);
    const auto named = tenant_ids_.find(entry->name);
    if (named != tenant_ids_.end() && named->second == id) tenant_ids_.erase(named);
    tenants_.erase(found);
}

const ProjectAccess* AccessTables::project(std::string_view name) const noexcept
{
    const auto found = projects_by_name_.find(name);
    return found == projects_by_name_.end() ? nullptr : found->second.get();
}

const ProjectAccess* AccessTables::formerly(std::string_view name) const noexcept
{
    if (former_names_.empty() || projects_by_name_.contains(name)) return nullptr;
    const auto found = former_names_.find(name);
    return found == former_names_.end() ? nullptr : project(found->second);
}

std::shared_ptr<const ProjectAccess> AccessTables::shared_project(std::string_view name) const
{
    const auto found = projects_by_name_.find(name);
    return found == projects_by_name_.end() ? nullptr : found->second;
}

std::shared_ptr<const TenantAccess> AccessTables::shared_tenant(std::string_view name) const
{
    const auto found = tenant_ids_.find(name);
    return found == tenant_ids_.end() ? nullptr : shared_tenant(found->second);
}

const PermissionSet* AccessTables::permissions_of(const GrantEntry& grant) const noexcept
{
    if (grant.permissions) return grant.permissions.get();
    if (const auto* builtin = builtin_role(grant.role_id)) return &builtin->permissions;
    const auto* custom = find(custom_roles_, grant.role_id);
    return custom == nullptr ? nullptr : &custom->permissions;
}

AccessTables::IdSet AccessTables::all_projects() const
{
    IdSet ids;
    for (const auto& [id, project] : projects_) ids.insert(id);
    return ids;
}

AccessTables::IdSet AccessTables::all_tenants() const
{
    IdSet ids;
    for (const auto& [id, tenant] : tenants_) ids.insert(id);
    return ids;
}

}  // namespace entrepot
