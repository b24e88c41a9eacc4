#pragma once

#include "access/identity.hpp"
#include "core/error.hpp"

#include <span>
#include <string>
#include <string_view>

namespace entrepot {

// The scopes a client asks for (Docker registry token authentication, "Token Scope Documentation"):
// type(class)?:name:action[,action], several separated by spaces, and the parameter may be repeated. A name may hold
// ':' (host:port), so a scope is split from both ends. The limits keep a token of all of them below 16 KiB.
inline constexpr std::size_t most_scopes = 64;
inline constexpr std::size_t longest_scopes = 6 * 1024;  // bytes of all scope parameters together

// What the parameters ask for, each repository once. Unknown types and actions and names that no repository can have
// ask for nothing. bad_request for text outside the grammar or beyond the limits.
Result<TokenScopes> parse_scopes(std::span<const std::string> parameters);

// "repository:p/r:pull,push registry:catalog:*": the same grammar back, for challenges and OAuth answers.
std::string scope_text(const TokenScopes& scopes);
std::string scope_text(std::string_view repository, ActionSet actions);
// What a token has to name for one action: who pushes asks for pull as well, as clients do.
std::string scope_for(std::string_view repository, Action action);

// The words of the grammar: "pull", "push", "delete"; all three for "*"; nothing for other words.
ActionSet action_named(std::string_view word) noexcept;
std::string_view name_of(Action action) noexcept;
std::string action_list(ActionSet actions, std::string_view separator);

}  // namespace entrepot
