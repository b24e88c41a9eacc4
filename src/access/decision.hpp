#pragma once

#include "access/access_tables.hpp"
#include "access/identity.hpp"

#include <algorithm>
#include <span>

namespace entrepot {

// One look at AccessPolicy's memory for one caller and one object, under the policy's lock. Part of the policy: nobody
// else makes one.

// The caller as the memory knows them.
struct Asker {
    const PrincipalAccess* principal = nullptr;  // null for anonymous, and for somebody unknown
    bool anonymous = false;
    bool stands = false;  // anonymous, or a principal whose credential counts
};
Asker asker_of(const AccessTables& tables, const Caller& caller, const Clock& clock);

class Decision {
public:
    Decision(const AccessTables& tables, const Asker& asker, const ObjectRef& object, const Clock& clock) noexcept;

    // Whether the object is there; kinds that other systems administer are there when their tenant is.
    bool exists() const noexcept { return exists_; }
    std::int64_t tenant_id() const noexcept { return tenant_ == nullptr ? 0 : tenant_->id; }
    bool frozen() const noexcept { return (project_ && project_->frozen) || (tenant_ && tenant_->frozen); }
    // What anybody, or any user, may do there without a grant: public_permissions() or nothing.
    bool open_to_all() const noexcept { return project_ && project_->is_public; }
    bool open() const noexcept { return open_to_all() || (project_ && project_->shared && !asker_.anonymous); }
    bool is_platform_admin() const;

    bool holds(Permission permission) const;
    bool holds_once_thawed(Permission permission) const;
    PermissionSet permissions() const;
    PermissionSet granted() const;  // without those that are open to all
    // Those of the distribution API's actions that are held, in one walk that ends once all of `wanted` are found.
    ActionSet actions(ActionSet wanted) const;
    // Whether some repository pattern of the project gives the asker a right.
    bool has_repository_grant() const;

    // A right: a grant and what it carries. For the role that membership of a tenant brings: no grant.
    struct Right {
        const GrantEntry* grant = nullptr;
        SubjectKey through;
        std::int64_t role_id = 0;
        const PermissionSet& permissions;
    };
    // Calls visit(right) for each that counts on the object, nearest objects first, until it answers true.
    template <class Visit>
    bool visit_rights(Visit visit) const
    {
        if (asker_.principal == nullptr || !exists_) return false;
        if (project_ && visit_grants(project_->grants, visit)) return true;
        if (tenant_ && (visit_grants(tenant_->grants, visit) || visit_membership(visit))) return true;
        return visit_grants(tables_.platform_grants(), visit);
    }

private:
    template <class Visit>
    bool visit_grants(std::span<const GrantEntry> grants, Visit& visit) const
    {
        if (grants.empty()) return false;
        const SubjectKey itself{.kind = SubjectKind::principal, .id = asker_.principal->id};
        if (visit_subject(grants, itself, visit)) return true;
        for (const auto& subject : asker_.principal->subjects) {
            if (visit_subject(grants, subject, visit)) return true;
        }
        return false;
    }

    template <class Visit>
    bool visit_subject(std::span<const GrantEntry> grants, const SubjectKey& subject, Visit& visit) const
    {
        for (auto grant = std::ranges::lower_bound(grants, subject, {}, &GrantEntry::subject);
             grant != grants.end() && grant->subject == subject;
             ++grant) {
            if (!counts(*grant)) continue;
            const auto* set = tables_.permissions_of(*grant);
            if (set && visit(Right{&*grant, subject, grant->role_id, *set})) return true;
        }
        return false;
    }

    template <class Visit>
    bool visit_membership(Visit& visit) const
    {
        if (!std::ranges::binary_search(asker_.principal->tenants, tenant_->id)) return false;
        const SubjectKey itself{.kind = SubjectKind::principal, .id = asker_.principal->id};
        return visit(Right{nullptr, itself, role::tenant_member, builtin_role(role::tenant_member)->permissions});
    }

    bool counts(const GrantEntry& grant) const noexcept;
    bool live(const GrantEntry& grant) const noexcept;

    const AccessTables& tables_;
    const Asker& asker_;
    const ObjectRef& object_;
    const Clock& clock_;
    const ProjectAccess* project_ = nullptr;
    const TenantAccess* tenant_ = nullptr;
    bool exists_ = false;
};

// What the limit of the caller's credential leaves of `permissions` on the object: what it names, and what anybody may
// do there, which no credential can lack.
PermissionSet left_by_limit(
    const Caller& caller, const Decision& decision, PermissionSet permissions, const ObjectRef& object
) noexcept;
bool limit_leaves(
    const Caller& caller, const Decision& decision, Permission permission, const ObjectRef& object
) noexcept;

// "app/web" of "team/app/web".
constexpr std::string_view below_project(std::string_view repository) noexcept
{
    const auto slash = repository.find('/');
    return slash == std::string_view::npos ? std::string_view{} : repository.substr(slash + 1);
}

}  // namespace entrepot
