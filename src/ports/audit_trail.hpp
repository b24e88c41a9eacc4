#pragma once

#include "access/identity.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/manifest_catalog.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace entrepot {

// One thing that happened, as auditors read it.
struct AuditRecord {
    Micros at = 0;
    std::int64_t user_id = 0;  // 0: anonymous
    std::string user;
    std::int64_t tenant_id = 0;   // of the object; 0: of none
    std::int64_t project_id = 0;  // of the object; 0: of none
    std::string operation;        // "create" (also a push), "update", "delete", "pull", "login", "logout"
    std::string resource_type;    // "project", "member", "robot", "artifact", "tag", "user" …
    std::string resource;         // its name: "library/app:1.0", "team-a/alice"
    std::string result = "ok";    // "ok", "denied", "failed"
    std::string detail;           // why it was denied or failed
    std::string request_id;
    std::string client;  // address
    std::string before;  // JSON of what changed, empty where it does not apply; never a secret
    std::string after;
    std::int64_t count = 1;  // how often it happened within the second that the record stands for
};

// What of the trail can be left out. Changes, denials and log-ins that failed can't.
struct AuditChoice {
    bool pulls = true;
    bool log_ins = true;  // that succeeded
    bool log_outs = true;
};

// A manifest's bytes that were handed out. Borrows all it names for the call.
struct AuditPull {
    const std::shared_ptr<const Identity>& caller;
    const RepositoryName& repository;
    std::string_view tag;  // empty: asked for by digest
    const StoredManifest& manifest;
    std::string_view client;
};

// The audit trail. Changes are on disk before they are acknowledged; pulls are gathered and flushed within a second.
// Safe from any thread.
class AuditTrail {
public:
    virtual ~AuditTrail() = default;

    // Whether changes can be recorded now: storage_full, unavailable. Asked before a change is made.
    virtual Task<> ready() = 0;
    // Durable when it answers. storage_full, unavailable.
    virtual Task<> record(AuditRecord record) = 0;
    // Of what must not fail because it can't be recorded: denials, log-ins. The first of its kind is durable when it
    // answers; what the same caller repeats within a second is counted in one more record. Dropped, and counted as
    // dropped, when it can't be written.
    virtual Task<> note(AuditRecord record) = 0;
    // As note(), but all of it from memory, within a second.
    virtual void gather(AuditRecord record) noexcept = 0;
    // Of a pull: into memory. The same pulls of a second are one record with a count. Dropped, and counted as dropped,
    // when the disk is full.
    virtual void pulled(const AuditPull& pull) noexcept = 0;
};

}  // namespace entrepot
