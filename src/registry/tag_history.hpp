#pragma once

#include "access/policy.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/tag_history_catalog.hpp"

#include <chrono>

namespace entrepot {

// What tags pointed at, for who may read the repository (its members: the history names people), and the way back for
// who may push. Safe from any loop.
class TagHistory {
public:
    // `keep`: how long states that have ended are remembered.
    TagHistory(
        TagHistoryCatalog& catalog, const AccessPolicy& policy, const Clock& clock, std::chrono::microseconds keep
    )
        : catalog_{catalog}, policy_{policy}, clock_{clock}, keep_{keep}
    {
    }

    Task<ListPage<TagChange>> of_tag(Caller caller, RepositoryName repository, Tag tag, ListQuery query);
    // nullopt: now.
    Task<ListPage<TagChange>> at(Caller caller, RepositoryName repository, std::optional<Micros> time, ListQuery query);
    Task<Digest> restore(Caller caller, RepositoryName repository, Tag tag, TagHistoryCatalog::Moment moment);
    // Some of what is older than is kept: to be called again and again.
    Task<> forget_old();

private:
    TagHistoryCatalog& catalog_;
    const AccessPolicy& policy_;
    const Clock& clock_;
    std::chrono::microseconds keep_;
};

}  // namespace entrepot
