#pragma once

#include "access/access_entries.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace entrepot {

// The memory of AccessPolicy: the entries and the indexes over them, without a lock of its own. Grants of an object
// are sorted by subject, so that a decision looks up the caller's own subjects and never walks all grants.
class AccessTables {
public:
    // All of `changes` in place of everything, or entry by entry.
    void apply(const AccessChanges& changes);

    const ProjectAccess* project(std::int64_t id) const noexcept { return find(projects_, id); }
    const TenantAccess* tenant(std::int64_t id) const noexcept { return find(tenants_, id); }
    const PrincipalAccess* principal(std::int64_t id) const noexcept { return find(principals_, id); }
    const ProjectAccess* project(std::string_view name) const noexcept;
    // The one that had this name; null when none had, or one has it now.
    const ProjectAccess* formerly(std::string_view name) const noexcept;
    // The permissions that a grant carries; null where it names a role that is gone.
    const PermissionSet* permissions_of(const GrantEntry& grant) const noexcept;
    const std::vector<GrantEntry>& platform_grants() const noexcept { return platform_grants_; }

    std::shared_ptr<const ProjectAccess> shared_project(std::int64_t id) const { return find_shared(projects_, id); }
    std::shared_ptr<const ProjectAccess> shared_project(std::string_view name) const;
    std::shared_ptr<const TenantAccess> shared_tenant(std::int64_t id) const { return find_shared(tenants_, id); }
    std::shared_ptr<const TenantAccess> shared_tenant(std::string_view name) const;
    std::shared_ptr<const PrincipalAccess> shared_principal(std::int64_t id) const
    {
        return find_shared(principals_, id);
    }
    std::shared_ptr<const Role> shared_role(std::int64_t id) const { return find_shared(custom_roles_, id); }

    // Ids of what holds a grant for the subject; of projects that are public or shared; of a tenant's projects.
    using IdSet = std::set<std::int64_t>;
    const IdSet& projects_of(const SubjectKey& subject) const { return find_ids(projects_of_subject_, subject); }
    const IdSet& tenants_of(const SubjectKey& subject) const { return find_ids(tenants_of_subject_, subject); }
    const IdSet& projects_of_tenant(std::int64_t id) const { return find_ids(projects_of_tenant_, id); }
    const IdSet& open_projects() const noexcept { return open_projects_; }
    IdSet all_projects() const;
    IdSet all_tenants() const;

    std::int64_t version() const noexcept { return version_; }

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
    };
    template <class T>
    using ById = std::unordered_map<std::int64_t, std::shared_ptr<const T>>;
    using IdByName = std::unordered_map<std::string, std::int64_t, Hash, std::equal_to<>>;

    template <class T>
    static const T* find(const ById<T>& map, std::int64_t id) noexcept
    {
        const auto found = map.find(id);
        return found == map.end() ? nullptr : found->second.get();
    }
    template <class T>
    static std::shared_ptr<const T> find_shared(const ById<T>& map, std::int64_t id)
    {
        const auto found = map.find(id);
        return found == map.end() ? nullptr : found->second;
    }
    template <class Key>
    static const IdSet& find_ids(const std::map<Key, IdSet>& map, const Key& key)
    {
        static const IdSet none;
        const auto found = map.find(key);
        return found == map.end() ? none : found->second;
    }

    void put(ProjectAccess project);
    void put(TenantAccess tenant);
    void put(PrincipalAccess principal);
    void remove_project(std::int64_t id);
    void remove_tenant(std::int64_t id);

    std::int64_t version_ = 0;
    ById<ProjectAccess> projects_;
    std::unordered_map<std::string, std::shared_ptr<const ProjectAccess>, Hash, std::equal_to<>> projects_by_name_;
    IdByName former_names_;
    ById<TenantAccess> tenants_;
    IdByName tenant_ids_;
    ById<PrincipalAccess> principals_;
    ById<Role> custom_roles_;
    std::vector<GrantEntry> platform_grants_;
    std::map<SubjectKey, IdSet> projects_of_subject_;
    std::map<SubjectKey, IdSet> tenants_of_subject_;
    std::map<std::int64_t, IdSet> projects_of_tenant_;
    IdSet open_projects_;
};

}  // namespace entrepot
