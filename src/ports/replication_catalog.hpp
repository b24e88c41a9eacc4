#pragma once

#include "core/task.hpp"
#include "ports/actor.hpp"
#include "ports/list_query.hpp"
#include "ports/replication_policy.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace entrepot {

// Something that a policy has to bring over (or to remove over there) and has not yet: what its lag is counted from.
struct PendingCopy {
    std::int64_t policy_id = 0;
    std::string repository{};  // at the source
    std::string reference{};   // a tag, or a digest where there is none
    bool removal = false;
    std::string digest{};    // at the source, when it was noted; empty: unknown
    std::int64_t bytes = 0;  // as far as known: of the manifest and what it names
    Micros since = 0;        // when it came to differ
    std::int32_t failures = 0;
    std::string last_error{};
};

struct ReplicationLag {
    std::int64_t policy_id = 0;
    std::int64_t artifacts = 0;
    std::int64_t bytes = 0;
    Micros oldest = 0;        // `since` of the first one; 0: nothing is pending
    std::int64_t failed = 0;  // of them: tried and failed
};

// Each method is one transaction; changes of policies are events too and durable when acknowledged. unavailable,
// storage_full.
class ReplicationCatalog {
public:
    virtual ~ReplicationCatalog() = default;

    // Fields: id, name, enabled, source_id, target_id, trigger, creation_time, update_time. bad_request.
    virtual Task<ListPage<ReplicationPolicy>> list(ListQuery query) = 0;
    virtual Task<ReplicationPolicy> find(std::int64_t id) = 0;  // not_found
    // Enabled ones with the trigger event_based; grows with those, not with all policies.
    virtual Task<std::vector<ReplicationPolicy>> event_based() = 0;
    // conflict: the name; not_found: an endpoint. Of scheduled ones the caller sets the schedule.
    virtual Task<ReplicationPolicy> create(ReplicationPolicy policy, Actor actor) = 0;
    virtual Task<ReplicationPolicy> change(ReplicationPolicy policy, Actor actor) = 0;  // not_found, conflict
    virtual Task<> remove(std::int64_t id, Actor actor) = 0;                            // not_found

    // Adds them, or takes the place of those that are there of the same policy, repository and reference; `since` and
    // `failures` stay then. Passes over those of policies that are gone.
    virtual Task<> note_pending(std::vector<PendingCopy> pending) = 0;
    // It is there now (or is gone there): the row goes, if it still stands for this (of a copy: for this digest, or for
    // none that is known; an empty one: for whichever).
    struct Settled {
        std::int64_t policy_id = 0;
        std::string repository{};
        std::string reference{};
        std::string digest{};
        bool removal = false;
    };
    virtual Task<> settle(std::vector<Settled> settled) = 0;
    // It was tried in vain. Nothing happens where settle() would do nothing.
    virtual Task<> note_failure(Settled what, std::string error) = 0;
    // Of one policy in the order of repository and reference, after a place.
    struct PendingPage {
        std::vector<PendingCopy> pending;
        bool more = false;
    };
    virtual Task<PendingPage>
    pending(std::int64_t policy_id, std::string after_repository, std::string after_reference, std::int64_t limit) = 0;
    // Of all policies that have any, or of one, whether it has any or not.
    virtual Task<std::vector<ReplicationLag>> lag(std::optional<std::int64_t> policy_id) = 0;
};

}  // namespace entrepot
