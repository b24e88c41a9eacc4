#pragma once

#include "core/clock.hpp"
#include "core/task.hpp"

#include <cstdint>
#include <string>

namespace entrepot {

// One thing that happened, as auditors read it.
struct AuditRecord {
    Micros at = 0;
    std::int64_t user_id = 0;  // 0: anonymous
    std::string user;
    std::int64_t tenant_id = 0;   // of the object; 0: of none
    std::int64_t project_id = 0;  // of the object; 0: of none
    std::string operation;        // "create", "update", "delete", "pull", "push", "login", "logout"
    std::string resource_type;    // "project", "member", "robot", "artifact", "tag", "user" …
    std::string resource;         // its name: "library/app:1.0", "team-a/alice"
    std::string result = "ok";    // "ok", "denied", "failed"
    std::string detail;           // why it was denied or failed
    std::string request_id;
    std::string client;  // address
    std::string before;  // JSON of what changed, empty where it does not apply; never a secret
    std::string after;
};

// The audit trail. Changes are on disk before they are acknowledged; pulls are gathered and flushed within a second.
class AuditTrail {
public:
    virtual ~AuditTrail() = default;

    // Whether changes can be recorded now: storage_full, unavailable. Asked before a change is made.
    virtual Result<> ready() = 0;
    // Durable when it answers.
    virtual Task<> record(AuditRecord record) = 0;
    // Of a pull: into memory. Dropped, and counted as dropped, when the disk is full.
    virtual void pulled(AuditRecord record) noexcept = 0;
};

}  // namespace entrepot
