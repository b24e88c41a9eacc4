#pragma once

#include "access/policy.hpp"
#include "core/clock.hpp"
#include "core/metrics.hpp"
#include "core/task.hpp"
#include "ports/garbage_catalog.hpp"
#include "ports/trash_catalog.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>

namespace entrepot {

// What was deleted and can be brought back: for who may read repositories (members: it names people) to see, for who
// may push to bring back, and for who may delete to let go of at once. Safe from any loop.
class Trash {
public:
    // `keep`: how long what is deleted can be brought back; 0: not at all.
    Trash(
        TrashCatalog& catalog,
        GarbageCatalog& garbage,
        const AccessPolicy& policy,
        const Clock& clock,
        std::chrono::microseconds keep
    )
        : catalog_{catalog}, garbage_{garbage}, policy_{policy}, clock_{clock}, keep_{keep}
    {
    }

    Task<ListPage<TrashEntry>> list(Caller caller, std::int64_t project_id, ListQuery query);
    Task<TrashEntry> find(Caller caller, std::int64_t project_id, std::int64_t id);
    Task<RestoredTrash> restore(Caller caller, std::int64_t project_id, std::int64_t id, bool force_tags);
    Task<> empty(Caller caller, std::int64_t project_id, std::int64_t id);
    Task<std::int64_t> empty_all(Caller caller, std::int64_t project_id);  // how many entries went

    // The tags of a repository as they were at a time; with `exact`, and none that came later. A `dry_run` only tells.
    struct Return {
        Micros time = 0;
        bool exact = false;
        bool dry_run = false;
    };
    Task<TagsAt> go_back(Caller caller, RepositoryName repository, Return to);

    // Tells the catalog how long: before anything is deleted.
    Task<> start();
    // Lets go of some of what has expired: to be called again and again.
    Task<> forget_old();
    // As forget_old() last found it.
    TrashTotals totals() const noexcept { return {entries_, bytes_}; }
    void add_metrics(MetricsText& text) const;

private:
    TrashCatalog& catalog_;
    GarbageCatalog& garbage_;
    const AccessPolicy& policy_;
    const Clock& clock_;
    std::chrono::microseconds keep_;
    std::atomic<std::int64_t> entries_ = 0;
    std::atomic<std::int64_t> bytes_ = 0;
};

}  // namespace entrepot
