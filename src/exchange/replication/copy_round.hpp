#pragma once

#include "exchange/copy/artifact_copier.hpp"
#include "exchange/replication/replication_copy.hpp"
#include "exchange/replication_job.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace entrepot {

// One run of a task.
class CopyRound {
public:
    CopyRound(
        const ReplicationCopy::Parts& parts,
        ReplicationCopy::Counters& counters,
        JobRun& run,
        const ReplicationPolicy& policy,
        const ReplicationTask& task,
        const ReplicationSites::Ends& ends
    );

    Task<JobEnd> all();

private:
    Task<> one(std::string text);
    Task<> copy(Reference reference);
    enum class Removed { removed, is_back, was_not_there, something_else, not_said };
    Task<Removed> remove_once(Reference reference, Digest deleted);
    Task<> remove(Reference reference);
    std::optional<std::string> objection() const;
    Task<JobEnd> refuse(std::string why);
    Task<> note_failure(const Reference& reference, const Error& error);
    void note_copied(const Reference& reference, const CopiedArtifact& copied, std::chrono::nanoseconds took);
    Task<> save();
    Task<> write();
    CopyHalt halt() const;
    void add_up();
    bool is_done() const;
    asio::awaitable<void> give_up_uploads();
    JobEnd ending();
    std::string name(const Reference& reference) const;
    ReplicationCatalog::Settled row(const Reference& reference, const std::optional<Digest>& digest) const;

    const ReplicationCopy::Parts& parts_;
    ReplicationCopy::Counters& counters_;
    JobRun& run_;
    const ReplicationPolicy& policy_;
    const ReplicationTask& task_;
    std::set<std::string> done_;  // references
    ReplicationTally tally_;
    std::optional<CopyRun> copies_;
    std::optional<RepositoryName> from_;
    std::optional<RepositoryName> into_;
    std::optional<Error> passing_;                      // something that may be gone with the next run
    CopyTally counted_;                                 // of copies_, in counters_ already
    std::vector<ReplicationCatalog::Settled> settled_;  // and not written yet
    bool saving_ = false;
};

}  // namespace entrepot
