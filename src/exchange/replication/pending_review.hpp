#pragma once

#include "exchange/copy/copy_run.hpp"
#include "exchange/replication/replication_filter.hpp"
#include "ports/replication_catalog.hpp"

#include <optional>
#include <vector>

namespace entrepot {

// Goes through what is noted as pending of a policy, before an execution walks, and settles what there is nothing to do
// about any more: both sides are equal, the source lacks it, the policy no longer wants it. Without that a row whose
// task failed for good, or whose task is gone, would count as lag for ever.
class PendingReview {
public:
    // All outlive it.
    PendingReview(
        ReplicationCatalog& catalog,
        CopyRun& copies,
        const ReplicationPolicy& policy,
        const ReplicationFilterSet& filters
    )
        : catalog_{catalog}, copies_{copies}, policy_{policy}, filters_{filters}
    {
    }

    // How many were settled. What can't be looked at stays; cancelled and what may pass come out.
    Task<std::int64_t> operator()();

private:
    Task<bool> is_obsolete(PendingCopy row);
    Task<bool> is_settled_between(RepositoryName from, RepositoryName into, Reference reference, PendingCopy row);
    Task<std::optional<Digest>> source_names(RepositoryName from, Reference reference);
    Task<std::optional<Digest>> target_names(RepositoryName into, Reference reference);

    ReplicationCatalog& catalog_;
    CopyRun& copies_;
    const ReplicationPolicy& policy_;
    const ReplicationFilterSet& filters_;
};

}  // namespace entrepot
