#pragma once

#include "core/task.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace entrepot {

// What a decision that fell here asks of somebody else.
struct AuthorisationQuestion {
    std::int64_t user_id = 0;  // 0: anonymous
    std::string user;
    std::string action;  // "pull", "push", "delete"; of the management API its method: "POST"
    std::string object;  // the repository "project/app"; of the management API the path of the request
    std::string client;  // address
    std::string request_id;
};

// A second opinion that may only narrow: it is asked after our own decision has allowed, and what it refuses is
// refused. Safe from any thread.
class ExternalAuthoriser {
public:
    virtual ~ExternalAuthoriser() = default;

    // What was answered lately to the same user, action and object; nullopt: ask. Nothing is allocated.
    virtual std::optional<bool>
    remembered(std::int64_t user_id, std::string_view action, std::string_view object) const noexcept = 0;
    // Success: it does not object. denied with its reason; while it can't be asked, denied or success, as configured.
    virtual Task<> ask(AuthorisationQuestion question) = 0;
};

}  // namespace entrepot
