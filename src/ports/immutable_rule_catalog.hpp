#pragma once

#include "access/selectors.hpp"
#include "core/task.hpp"
#include "ports/actor.hpp"
#include "ports/list_query.hpp"

#include <cstdint>

namespace entrepot {

// Tags that it chooses stay where they are: they can't be moved to another digest nor deleted, and what they point at
// can't be removed, by anybody.
struct ImmutableRule {
    std::int64_t id = 0;
    std::int64_t project_id = 0;
    bool disabled = false;
    std::int64_t priority = 0;  // kept for clients; all rules count alike
    Selectors repositories;
    Selectors tags;
};

// The immutability rules of projects, at most 15 each. A change counts for every push and deletion that is decided
// after it was acknowledged. Durable when acknowledged; unavailable, storage_full.
class ImmutableRuleCatalog {
public:
    static constexpr std::int64_t most = 15;

    virtual ~ImmutableRuleCatalog() = default;

    virtual Task<ListPage<ImmutableRule>> list(std::int64_t project_id, ListQuery query) = 0;  // fields: id, disabled
    virtual Task<ImmutableRule> find(std::int64_t project_id, std::int64_t id) = 0;            // not_found
    // Answers its id. conflict when the project has such a rule already, bad_request when it has too many.
    virtual Task<std::int64_t> create(ImmutableRule rule, Actor actor) = 0;
    virtual Task<> change(ImmutableRule rule, Actor actor) = 0;           // not_found, conflict
    virtual Task<> remove(std::int64_t project_id, std::int64_t id) = 0;  // not_found
};

}  // namespace entrepot
