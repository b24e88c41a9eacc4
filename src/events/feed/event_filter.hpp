#pragma once

#include "access/policy.hpp"
#include "core/error.hpp"
#include "ports/event.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// Which events somebody wants. What is empty or 0 does not narrow.
struct EventFilter {
    std::vector<std::string> types;  // "artifact.pushed", or "artifact.*" for all of a kind
    std::int64_t tenant_id = 0;
    std::int64_t project_id = 0;
    std::string repository;  // a glob of full names (access/glob.hpp)

    bool admits(const Event& event) const noexcept;
};

// "artifact.pushed,tag.*". bad_request for a type that there is none of.
Result<std::vector<std::string>> parse_event_types(std::string_view text);

// Which events a caller may see, by their rights at the moment: those of the projects and tenants whose logs they may
// list; all of them with the platform's audit log.
class EventViewer {
public:
    EventViewer(const AccessPolicy& policy, Caller caller) : policy_{policy}, caller_{std::move(caller)} {}

    bool sees(const Event& event) const;
    // Whether the credential still counts at all.
    bool stands() const { return policy_.is_current(caller_); }

private:
    const AccessPolicy& policy_;
    Caller caller_;
};

}  // namespace entrepot
