#pragma once

#include "oci/names.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// Who somebody is, as established by a credential. The default is anonymous.
struct Identity {
    std::int64_t user_id = 0;
    std::string name;
    bool is_admin = false;

    bool anonymous() const noexcept { return user_id == 0; }
};

// What can be done to a repository.
enum class Action : std::uint8_t { pull = 1, push = 2, remove = 4 };
using ActionSet = std::uint8_t;  // of Action bits
constexpr ActionSet bit(Action action) noexcept
{
    return static_cast<ActionSet>(action);
}
inline constexpr ActionSet all_actions = 7;

// What a token was granted: repositories with actions, and whether it may list the catalog. Immutable.
struct TokenScopes {
    struct Entry {
        std::string repository;
        ActionSet actions = 0;
    };
    std::vector<Entry> entries;
    bool catalog = false;

    ActionSet actions_on(std::string_view repository) const noexcept;
};

// Somebody at work: an identity, narrowed by the token that carried it. Without `scopes` (Basic credentials) the
// identity's own rights count in full.
struct Caller {
    std::shared_ptr<const Identity> identity;
    std::shared_ptr<const TokenScopes> scopes;
};

}  // namespace entrepot
