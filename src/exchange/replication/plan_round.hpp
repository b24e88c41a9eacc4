#pragma once

#include "exchange/replication/replication_event.hpp"
#include "exchange/replication/replication_filter.hpp"
#include "exchange/replication/replication_plan.hpp"
#include "exchange/replication/state_comparison.hpp"
#include "exchange/replication_job.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// One run of an execution: where it is in the source's list, or in the ranges of both sites' tags, and what it has
// found and not handed over yet.
class PlanRound {
public:
    PlanRound(
        const ReplicationPlan::Parts& parts,
        JobRun& run,
        const ReplicationPolicy& policy,
        const ReplicationSites::Ends& ends,
        bool asked_by_somebody
    );

    // `later` while the policy's window is closed.
    Task<JobEnd> walk();
    Task<JobEnd> hand_over(ReplicationEvent event);

private:
    struct Found {
        std::string reference;
        std::string digest;
        std::int64_t bytes = 0;
    };
    struct Batch {
        std::string repository;
        std::string into;
        std::vector<Found> found;
    };

    struct Destination {
        RepositoryName from;
        RepositoryName into;
    };

    Task<bool> walk_everything();
    Task<bool> walk_states();
    Task<> plan_compared(std::vector<StateComparison::Compared> tags);
    Task<bool> walk_names(std::vector<std::string> names);
    Task<bool> walk_listing();
    std::optional<Destination> destination_of(const std::string& name);
    Task<> plan_repository(std::string name);
    Task<> plan_tags(RepositoryName repository, RepositoryName into, std::vector<std::string> tags);
    Task<std::optional<Found>> compare(RepositoryName repository, RepositoryName into, Tag tag);
    Task<bool> has_wanted_labels(RepositoryName repository, Reference reference);
    Task<bool> lacks_referrers(RepositoryName repository, RepositoryName into, Digest subject, int depth);
    Task<std::optional<ManifestHead>> look(CopySource* source, CopyTarget* target, RepositoryName in, Reference which);
    Task<> flush();
    Task<> save();
    NewJob job_of(const Batch& batch, const std::optional<std::string>& removed) const;
    bool halted() const { return run_.stop_requested() || window_wait() > 0; }
    Micros window_wait() const { return wait_for_window(policy_.window, parts_.clock.now()); }
    Task<JobEnd> interrupted();
    Result<> pass_over(const std::string& what, const Error& error);

    const ReplicationPlan::Parts& parts_;
    JobRun& run_;
    const ReplicationPolicy& policy_;
    const ReplicationSites::Ends& ends_;
    const ReplicationFilterSet filters_;
    const bool asked_by_somebody_;
    CopyRun copies_;          // for its patience
    std::string page_;        // PageRequest::last of the page it is in
    std::string repository_;  // the last one of it that is done
    TagPlace place_;          // the last one done where states are compared instead
    int referrers_deep_ = 1;  // how far they are looked at, of an artifact that is there
    ReplicationTally tally_;
    std::vector<Batch> batches_;
};

}  // namespace entrepot
