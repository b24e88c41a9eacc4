#pragma once

#include "core/task.hpp"
#include "oci/names.hpp"
#include "ports/actor.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace entrepot {

struct Project {
    std::int64_t id = 0;
    std::string name;
    bool is_public = false;
    std::int64_t bytes = 0;  // sizes of the distinct blobs linked in it, and of its manifests
    std::int64_t owner_id = 0;
    Micros created_at = 0;
    Micros updated_at = 0;
};

// Projects. Durable when acknowledged; unavailable, storage_full.
class ProjectCatalog {
public:
    virtual ~ProjectCatalog() = default;

    virtual Task<std::vector<Project>> all() = 0;
    virtual Task<Project> find(ProjectName name) = 0;                                     // name_unknown
    virtual Task<Project> create(ProjectName name, bool is_public, Actor actor) = 0;      // conflict when it exists
    virtual Task<Project> set_public(ProjectName name, bool is_public, Actor actor) = 0;  // name_unknown
    virtual Task<> remove(ProjectName name, Actor actor) = 0;  // name_unknown, conflict when not empty
};

}  // namespace entrepot
