#pragma once

#include "core/task.hpp"
#include "oci/names.hpp"
#include "ports/actor.hpp"
#include "ports/list_query.hpp"
#include "ports/upload_catalog.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace entrepot {

struct RepositoryRecord {
    std::int64_t id = 0;
    std::int64_t project_id = 0;
    std::string name;  // with its project's
    std::string description;
    std::int64_t artifact_count = 0;  // listed ones
    std::int64_t pull_count = 0;
    Micros created_at = 0;
    Micros updated_at = 0;
};

// Repositories as people manage them. Lists are newest first unless the query says otherwise. What a changing method
// acknowledges is durable. Each may answer unavailable, lists bad_request, those that write storage_full.
class RepositoryCatalog {
public:
    virtual ~RepositoryCatalog() = default;

    virtual Task<ListPage<RepositoryRecord>> of_project(std::int64_t project_id, ListQuery query) = 0;
    // Of these projects, project by project; nullopt: all there are, newest first.
    virtual Task<ListPage<RepositoryRecord>>
    of_projects(std::optional<std::vector<std::int64_t>> project_ids, ListQuery query) = 0;
    virtual Task<RepositoryRecord> find(RepositoryName name) = 0;                            // name_unknown
    virtual Task<RepositoryRecord> of_id(std::int64_t id) = 0;                               // name_unknown
    virtual Task<> describe(RepositoryName name, std::string description, Actor actor) = 0;  // name_unknown

    // With everything in it, in several transactions: after a failure a part may be gone. Answers the uploads that were
    // under way; their bytes are to be discarded. name_unknown; conflict while others keep pushing into it;
    // precondition_failed while it has immutable tags.
    virtual Task<std::vector<UploadId>> remove(RepositoryName name, Actor actor) = 0;
};

}  // namespace entrepot
