#pragma once

#include "core/task.hpp"
#include "ports/account_catalog.hpp"
#include "ports/actor.hpp"
#include "ports/list_query.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace entrepot {

// What people may say about themselves.
struct UserProfile {
    std::string email;  // empty: none; nobody else's otherwise
    std::string realname;
    std::string comment;
};

// People as they are managed. Accounts from here carry no secrets. Every change notes the principal's change of access
// in its own transaction; the last enabled platform admin can't be disabled, removed or lose the grant
// (precondition_failed).
class PeopleCatalog {
public:
    virtual ~PeopleCatalog() = default;

    // Fields: username, email, realname, user_id, creation_time. bad_request for others.
    virtual Task<ListPage<Account>> list(ListQuery query) = 0;
    // People whose name contains `part`, whatever its case: all, or those who share a tenant with `seen_by`.
    virtual Task<ListPage<Account>>
    search(std::string part, std::int64_t seen_by, std::int64_t offset, std::int64_t limit) = 0;
    static constexpr std::int64_t everybody = 0;
    virtual Task<bool> has_name(std::string name) = 0;
    virtual Task<bool> has_email(std::string email) = 0;

    // In one step with set_disabled() where that is given. not_found, conflict, and what set_disabled() answers.
    virtual Task<> set_profile(std::int64_t id, UserProfile profile, std::optional<bool> disabled, Actor actor) = 0;
    virtual Task<> set_disabled(std::int64_t id, bool disabled, Actor actor) = 0;  // not_found; ends sessions
    virtual Task<> set_admin(std::int64_t id, bool admin, Actor actor) = 0;        // not_found
    // The name is free again; the id stays referable. Credentials, tokens, sessions, memberships and grants go.
    virtual Task<> remove(std::int64_t id, Actor actor) = 0;  // not_found
};

}  // namespace entrepot
