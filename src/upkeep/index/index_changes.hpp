#pragma once

#include "core/task.hpp"
#include "ports/event.hpp"
#include "ports/manifest_catalog.hpp"
#include "ports/project_catalog.hpp"
#include "upkeep/index/index_record.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace entrepot {

// A repository or a project that is called something else since an event.
struct IndexRename {
    std::int64_t sequence = 0;
    bool of_project = false;
    std::string from;
    std::string into;
};

// What events have changed, as records for the journal. What is there is read from the catalog now, under the name that
// it has now, and recorded under the name of the event: the renames in between follow as records of their own.
class IndexChanges {
public:
    IndexChanges(ManifestCatalog& manifests, ProjectCatalog& projects) : manifests_{manifests}, projects_{projects} {}

    // nullopt: the event is no rename.
    static std::optional<IndexRename> rename_of(const Event& event);

    // What it tells of must not be repeated on a catalog that has it already: a rename, a removal with all that was in
    // it.
    static bool is_done_once(const Event& event);

    // `renames`: those that have happened up to now, as far as they are newer than the first of these events.
    // `taken` says how many events are in it: fewer than all when the records get long.
    struct Records {
        std::string bytes;
        std::size_t taken = 0;
    };
    Task<Records> of(const std::vector<Event>& events, const std::vector<IndexRename>& renames);

private:
    class Batch;

    ManifestCatalog& manifests_;
    ProjectCatalog& projects_;
};

}  // namespace entrepot
