#pragma once

#include "core/task.hpp"
#include "oci/names.hpp"
#include "ports/actor.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace entrepot {

// The tenant of those who need none: projects go there that a push creates. It can't be deleted.
inline constexpr std::int64_t default_tenant_id = 1;

struct Project {
    std::int64_t id = 0;
    std::string name;
    std::int64_t tenant_id = 0;
    bool is_public = false;
    bool shared = false;                // every user of every tenant may read it
    bool frozen = false;                // read, listed and pulled only
    bool is_protected = false;          // can't be deleted
    std::int64_t bytes = 0;             // sizes of the distinct blobs linked in it, and of its manifests
    std::int64_t quota_bytes = -1;      // -1: no limit
    std::int64_t quota_artifacts = -1;  // -1: no limit
    std::int64_t repository_count = 0;
    std::int64_t artifact_count = 0;
    std::int64_t owner_id = 0;
    Micros created_at = 0;
    Micros updated_at = 0;
};

struct NewProject {
    ProjectName name;
    std::int64_t tenant_id = default_tenant_id;
    bool is_public = false;
};

// Projects. Every change raises the version of access. Durable when acknowledged; unavailable, storage_full.
class ProjectCatalog {
public:
    virtual ~ProjectCatalog() = default;

    virtual Task<std::vector<Project>> all() = 0;
    virtual Task<Project> find(ProjectName name) = 0;  // name_unknown
    // The actor becomes its owner, and its admin by a grant. conflict when it exists, not_found without the tenant.
    virtual Task<Project> create(NewProject project, Actor actor) = 0;
    virtual Task<Project> set_public(ProjectName name, bool is_public, Actor actor) = 0;  // name_unknown
    virtual Task<> remove(ProjectName name, Actor actor) = 0;  // name_unknown, conflict when not empty
};

}  // namespace entrepot
