#pragma once

#include "access/policy.hpp"
#include "core/clock.hpp"
#include "core/random.hpp"
#include "core/task.hpp"
#include "ports/access_token_catalog.hpp"
#include "ports/account_catalog.hpp"
#include "tenancy/access_directory.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace entrepot {

// Personal access tokens: a person makes, sees and revokes their own; with user:read somebody else sees them, with
// user:update revokes them. Nobody ever gets a token of somebody else, and a token makes no tokens.
class AccessTokens {
public:
    struct Parts {
        AccessTokenCatalog& catalog;
        AccountCatalog& accounts;
        const AccessPolicy& policy;
        AccessDirectory& directory;
        const Clock& clock;
        Random& random;
    };
    explicit AccessTokens(Parts parts) : parts_{parts} {}

    // What a token is to be narrowed to, by names. A permission counts on the object and on everything below it that
    // knows its resource and action: {tenant, "red", repository:pull} is pulling from all projects of red.
    struct Scope {
        ObjectKind kind = ObjectKind::project;                         // platform, tenant or project
        std::string name;                                              // "*": all; nothing else for the platform
        std::vector<std::pair<std::string, std::string>> permissions;  // resource and action
    };
    struct Wanted {
        std::string name;
        Micros expires_at = 0;                       // 0: never
        std::optional<std::vector<Scope>> scopes{};  // nullopt: everything its owner may
    };
    struct Made {
        AccessToken token;
        std::string text;  // the secret itself: this once
    };
    Task<Made> make(Wanted wanted, Caller caller);  // bad_request, conflict, not_found (an object of the scopes)
    Task<std::vector<AccessToken>> of_user(std::int64_t user_id, Caller caller);
    Task<AccessToken> remove(std::int64_t user_id, std::int64_t id, Caller caller);  // answers what it was
    // Those that expired a while ago; until then they are listed, for their owners to see why something stopped.
    Task<> remove_expired();

private:
    Result<AccessTokenScope> resolve(const Scope& scope, const Caller& caller) const;
    Result<> resolve_name(const Scope& scope, const Caller& caller, AccessLimit::Entry& into) const;

    Parts parts_;
};

}  // namespace entrepot
