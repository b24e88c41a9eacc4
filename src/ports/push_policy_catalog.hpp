#pragma once

#include "access/push_policy.hpp"
#include "core/task.hpp"
#include "ports/actor.hpp"
#include "ports/list_query.hpp"

#include <vector>

namespace entrepot {

// The push policies of projects, at most 15 each. A change counts for every push that is decided after it was
// acknowledged. Durable when acknowledged; unavailable, storage_full.
class PushPolicyCatalog {
public:
    virtual ~PushPolicyCatalog() = default;

    virtual Task<ListPage<PushPolicy>>
    list(std::int64_t project_id, ListQuery query) = 0;                           // fields: id, name, disabled
    virtual Task<PushPolicy> find(std::int64_t project_id, std::int64_t id) = 0;  // not_found
    // Answers its id. conflict when the project has one of that name, bad_request when it has too many.
    virtual Task<std::int64_t> create(PushPolicy policy, Actor actor) = 0;
    virtual Task<> change(PushPolicy policy, Actor actor) = 0;            // not_found, conflict
    virtual Task<> remove(std::int64_t project_id, std::int64_t id) = 0;  // not_found
};

}  // namespace entrepot
