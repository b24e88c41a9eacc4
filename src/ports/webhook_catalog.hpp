#pragma once

#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/actor.hpp"
#include "ports/list_query.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace entrepot {

// How a target has done lately. It is left alone from a number of failures in a row on, until the time has come to try
// it once.
struct WebhookCircuit {
    std::int64_t failures = 0;  // in a row
    Micros open_until = 0;      // 0: it was not left alone since the last success
    std::string last_error{};
};

struct WebhookTarget {
    std::string type;         // "http", "slack"
    std::string address;      // URL
    std::string format;       // "Default", "CloudEvents"
    std::string auth_header;  // of the request's Authorization; sealed, or empty
    std::string secret;       // what it is signed with; sealed, or empty
    bool any_certificate = false;
    WebhookCircuit circuit{};  // read only
};

struct WebhookPolicy {
    std::int64_t id = 0;
    std::int64_t project_id = 0;  // 0: of the whole installation
    std::string name;             // unique in its project
    std::string description;
    bool enabled = true;
    std::vector<std::string> event_types;  // by Harbor's names and those like them
    std::string repositories;              // a glob of names below the project, or of full names without one
    std::string tags;                      // a glob; only what happens to a tag then
    std::vector<WebhookTarget> targets;
    std::int64_t creator_id = 0;
    std::string creator;
    Micros created_at = 0;
    Micros updated_at = 0;
};

struct WebhookTrigger {
    std::int64_t policy_id = 0;
    std::string event_type;
    Micros at = 0;
};

// Every method is one transaction; changes are events too and durable when acknowledged. unavailable, storage_full.
class WebhookCatalog {
public:
    virtual ~WebhookCatalog() = default;

    // Of one project, or of the installation for 0. Fields: id, name, creation_time, update_time. bad_request.
    virtual Task<ListPage<WebhookPolicy>> list(std::int64_t project_id, ListQuery query) = 0;
    virtual Task<WebhookPolicy> find(std::int64_t id) = 0;  // not_found
    // Those that are enabled, without their circuits; none while the setting notification_enable is off.
    virtual Task<std::vector<WebhookPolicy>> enabled() = 0;

    virtual Task<WebhookPolicy> create(WebhookPolicy policy, Actor actor) = 0;  // conflict; not_found: the project
    // All but project, creator and time of creation; its circuits are closed. not_found, conflict.
    virtual Task<WebhookPolicy> change(WebhookPolicy policy, Actor actor) = 0;
    virtual Task<> remove(std::int64_t id, Actor actor) = 0;  // not_found

    // What is shown of when each was last set off. May be lost by a crash.
    virtual Task<> triggered(std::vector<WebhookTrigger> triggers) = 0;
    virtual Task<std::vector<WebhookTrigger>> last_triggers(std::int64_t project_id) = 0;

    // Whether this caller may try the open target: one of those who saw that `seen` has passed, and nobody else before
    // `until`.
    virtual Task<bool> claim_probe(std::int64_t policy_id, std::size_t target, Micros seen, Micros until) = 0;
    virtual Task<> succeeded(std::int64_t policy_id, std::size_t target) = 0;
    // From `most` failures in a row on the target is open, `pause` long, and each time twice as long up to 32 times.
    struct Failure {
        std::string error;
        std::int64_t most = 0;
        Micros pause = 0;
        Micros now = 0;
    };
    virtual Task<> failed(std::int64_t policy_id, std::size_t target, Failure failure) = 0;
    virtual Task<std::int64_t> open_circuits(Micros now) = 0;
};

}  // namespace entrepot
