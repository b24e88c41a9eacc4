#pragma once

#include "access/access_entries.hpp"
#include "access/access_tables.hpp"
#include "access/identity.hpp"
#include "access/permission.hpp"
#include "core/clock.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// Who may create the project that a push names.
enum class ProjectCreation { nobody, admins, everyone };

// Who may do what, decided from memory alone: entries for all projects, tenants and principals (about 200 bytes each
// and 100 a grant), each immutable and replaced whole. A principal that is unknown, disabled or expired, or whose
// credential was replaced, may do nothing at all; rights add up, nearest objects first, and what is frozen and the
// caller's own limit take away from the sum (what anybody may do no limit takes away). Safe from any thread; a change
// is seen by the next decision.
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
    std::shared_ptr<const PrincipalAccess> principal(std::int64_t id) const;
    std::shared_ptr<const Role> custom_role(std::int64_t id) const;

    // What is named differently now: the name of the project or repository that had this one, as it is called today.
    // nullopt where nothing was renamed; whoever asks about a name that is in use pays for one look-up.
    std::optional<std::string> renamed(std::string_view name) const;

    // Where a pull of the repository looks, in this order: in it, and by the same name in the project's sources that
    // cover it and are there, as it is called there now. Theirs are not followed. Empty where the project has no
    // sources.
    struct Source {
        std::string repository;
        bool optional = false;
        bool own = false;    // it is the repository itself
        bool proxy = false;  // its project caches a registry elsewhere
    };
    std::vector<Source> sources(std::string_view repository) const;
    // The same for those who want to know no more: whether there are sources at all, and whether some may come first.
    enum class SourceOrder : std::uint8_t { alone, itself_first, others_first };
    SourceOrder source_order(std::string_view repository) const;

    // Whether the caller's credential still stands: not disabled, expired or replaced since. Anonymous always does.
    bool is_current(const Caller& caller) const;

    // Everything the caller may do to an object; `scopes` don't count here (they are about repositories only).
    bool may(const Caller& caller, Permission permission, const ObjectRef& object) const;
    bool may_once_thawed(const Caller& caller, Permission permission, const ObjectRef& object) const;
    PermissionSet permissions(const Caller& caller, const ObjectRef& object) const;
    // Those that somebody gave them, without what anybody has there for the moment.
    PermissionSet granted(const Caller& caller, const ObjectRef& object) const;
    Explanation explain(Caller caller, Permission permission, const ObjectRef& object) const;
    // Whether the caller has any right in the project, or on some repositories of it: that it exists is no secret then.
    bool sees_project(const Caller& caller, std::int64_t id) const;

    // The distribution API's question. On a project that does not exist: what the caller could do once a push had
    // created it, so the answer does not tell whether it exists. allowed() leaves the token's scopes aside.
    ActionSet allowed(const Caller& caller, std::string_view repository) const;
    bool may(const Caller& caller, std::string_view repository, Action action) const;

    bool may_create_project(const Caller& caller) const;  // by a push, in the default tenant
    bool may_list_catalog(const Caller& caller) const noexcept { return !caller.identity->anonymous(); }

    // Lists of ids, ascending; nullopt: every one. The projects that the caller sees (see sees_project()), those where
    // they hold one right on the whole project, and the tenants where they hold one.
    using Ids = std::optional<std::vector<std::int64_t>>;
    Ids visible_projects(const Caller& caller) const;
    Ids projects_with(const Caller& caller, Permission permission) const;
    Ids tenants_with(const Caller& caller, Permission permission) const;
    std::vector<std::int64_t> projects_of_tenant(std::int64_t id) const;

private:
    AccessTables tables_;
    const ProjectCreation creation_;
    const Clock& clock_;
    mutable std::shared_mutex mutex_;
};

}  // namespace entrepot
