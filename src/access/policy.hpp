#pragma once

#include "access/identity.hpp"
#include "access/permission.hpp"
#include "access/role.hpp"
#include "core/clock.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace entrepot {

// Who may create the project that a push names.
enum class ProjectCreation { nobody, admins, everyone };

// Who holds a grant: a principal, a team or an external group.
enum class SubjectKind : std::uint8_t { principal, team, group };
struct SubjectKey {
    SubjectKind kind = SubjectKind::principal;
    std::int64_t id = 0;
    auto operator<=>(const SubjectKey&) const = default;
};

// One row of the grants table, as decisions see it. It names a role, or carries permissions of its own (robots).
struct GrantEntry {
    std::int64_t id = 0;
    SubjectKey subject;
    std::int64_t role_id = 0;                            // 0: `permissions`
    std::shared_ptr<const PermissionSet> permissions{};  // null where a role is named
    std::string pattern;  // repositories (doublestar, below the project) or "cluster/partition"; empty: all
    ObjectKind kind = ObjectKind::project;
    Micros expires_at = 0;  // 0: never
};

struct ProjectAccess {
    std::int64_t id = 0;
    std::string name;
    std::int64_t tenant_id = 0;
    std::int64_t owner_id = 0;
    bool is_public = false;
    bool shared = false;  // every user of every tenant may read it
    bool frozen = false;
    std::vector<GrantEntry> grants;  // on the project and on repository patterns in it
};

struct TenantAccess {
    std::int64_t id = 0;
    std::string name;
    bool frozen = false;
    std::vector<GrantEntry> grants;  // on the tenant and on what other systems administer in it
};

// What decisions need to know of a principal.
struct PrincipalAccess {
    std::int64_t id = 0;
    bool disabled = false;
    std::int64_t credential_version = 0;
    Micros expires_at = 0;                    // of a robot; 0: never
    std::vector<SubjectKey> subjects;         // teams (with the implicit ones of its tenants) and groups; not itself
    std::vector<std::int64_t> tenants;        // it is a member of
    std::vector<std::int64_t> access_tokens;  // live personal access tokens, ascending
};

// What changed in the metadata store: whole new entries in place of older ones. `complete`: all there is.
struct AccessChanges {
    std::int64_t version = 0;
    bool complete = false;
    std::vector<ProjectAccess> projects;
    std::vector<TenantAccess> tenants;
    std::vector<PrincipalAccess> principals;
    std::optional<std::vector<GrantEntry>> platform_grants;
    std::optional<std::vector<Role>> custom_roles;
    std::vector<std::int64_t> removed_projects;
    std::vector<std::int64_t> removed_tenants;
    std::vector<std::int64_t> removed_principals;
};

// Why a decision fell as it did.
struct Explanation {
    bool allowed = false;
    std::string reason;         // one sentence
    std::int64_t grant_id = 0;  // of the grant that allows; 0: none, or the project is public
    std::int64_t role_id = 0;
    std::optional<SubjectKey> through;  // the subject that holds it: the principal itself, a team or a group
};

// Who may do what, decided from memory alone: entries for all projects, tenants and principals (about 200 bytes each
// and 100 a grant), each immutable and replaced whole. Safe from any thread; a change is seen by the next decision.
class AccessPolicy {
public:
    AccessPolicy(ProjectCreation creation, const Clock& clock) : creation_{creation}, clock_{clock} {}

    // In one step for readers. Changes are applied in the order of their versions, by one caller at a time.
    void apply(AccessChanges changes);
    std::int64_t version() const;

    std::shared_ptr<const ProjectAccess> project(std::string_view name) const;  // null when there is none
    std::shared_ptr<const ProjectAccess> project(std::int64_t id) const;
    std::shared_ptr<const TenantAccess> tenant(std::int64_t id) const;
    std::shared_ptr<const TenantAccess> tenant(std::string_view name) const;
    std::shared_ptr<const Role> custom_role(std::int64_t id) const;

    // Whether the caller's credential still stands: not disabled, expired or replaced since. Anonymous always does.
    bool is_current(const Caller& caller) const;

    // Everything the caller may do to an object; `scopes` don't count here (they are about repositories only).
    bool may(const Caller& caller, Permission permission, const ObjectRef& object) const;
    PermissionSet permissions(const Caller& caller, const ObjectRef& object) const;
    Explanation explain(const Identity& identity, Permission permission, const ObjectRef& object) const;

    // The distribution API's question. On a project that does not exist: what the caller could do once a push had
    // created it, so the answer does not tell whether it exists. allowed() leaves the token's scopes aside.
    ActionSet allowed(const Caller& caller, std::string_view repository) const;
    bool may(const Caller& caller, std::string_view repository, Action action) const;

    bool may_create_project(const Caller& caller) const;  // by a push, in the default tenant
    bool may_list_catalog(const Caller& caller) const noexcept { return !caller.identity->anonymous(); }

    // The projects that the caller may read, ascending ids; nullopt: every one.
    std::optional<std::vector<std::int64_t>> visible_projects(const Caller& caller) const;
    // The tenants the caller may read; nullopt: every one.
    std::optional<std::vector<std::int64_t>> visible_tenants(const Caller& caller) const;

    void set_creation(ProjectCreation creation);

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
    };
    template <class T>
    using ById = std::unordered_map<std::int64_t, std::shared_ptr<const T>>;
    template <class T>
    using ByName = std::unordered_map<std::string, std::shared_ptr<const T>, Hash, std::equal_to<>>;

    ProjectCreation creation_;
    const Clock& clock_;
    mutable std::shared_mutex mutex_;
    std::int64_t version_ = 0;
    ById<ProjectAccess> projects_;
    ByName<ProjectAccess> projects_by_name_;
    ById<TenantAccess> tenants_;
    ById<PrincipalAccess> principals_;
    ById<Role> custom_roles_;
    std::vector<GrantEntry> platform_grants_;
    // Which projects and tenants hold a grant for a subject, for the lists of what somebody sees.
    std::map<SubjectKey, std::vector<std::int64_t>> projects_of_subject_;
    std::map<SubjectKey, std::vector<std::int64_t>> tenants_of_subject_;
    std::map<std::int64_t, std::vector<std::int64_t>> projects_of_tenant_;
};

}  // namespace entrepot
