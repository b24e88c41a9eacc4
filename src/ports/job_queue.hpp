#pragma once

#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/actor.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace entrepot {

// Work that is kept in the metadata store until it is done, by whichever instance has a worker free. A job that is a
// whole execution in Harbor's sense has no parent; its tasks are the jobs whose parent it is.
struct NewJob {
    std::string kind;                // names its handler: "gc", "retention", "webhook" …
    std::int64_t parent_id = 0;      // 0: none
    std::int64_t subject_id = 0;     // what it is about, by kind: a policy, a rule, a project; 0: nothing
    std::int64_t tenant_id = 0;      // whose turn it takes among others of its priority; 0: the platform's
    std::int64_t project_id = 0;     // who may see it; 0: of none
    std::int32_t priority = 5;       // 0 first, 9 last
    std::string trigger = "manual";  // "manual", "schedule", "event"
    std::string parameters;          // JSON for the handler, up to 64 KiB
    std::string unique_key{};        // at most one unfinished job of a kind has this key; empty: any number
    Micros not_before = 0;
    std::int32_t most_attempts = 3;
    Actor actor{};
};

class JobQueue {
public:
    virtual ~JobQueue() = default;
    // Durable when it answers; the ids in the order of `jobs`, all or none. A job whose unique key is taken is not
    // added: its id is that of the unfinished one. `actor.at` is now. payload_too_large, storage_full, unavailable.
    virtual Task<std::vector<std::int64_t>> add(std::vector<NewJob> jobs) = 0;
};

}  // namespace entrepot
