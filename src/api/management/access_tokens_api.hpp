#pragma once

#include "api/management/api_router.hpp"
#include "api/management/api_values.hpp"
#include "tenancy/access_tokens.hpp"

namespace entrepot {

// /api/v2.0/users/{user_id}/tokens, where the id may be "current": personal access tokens. An own resource in Harbor's
// style: a token's scopes are written as the permissions of Harbor's robots, times of expiry as theirs (seconds since
// 1970, -1 for never).
class AccessTokensApi {
public:
    AccessTokensApi(AccessTokens& tokens, const Clock& clock) : tokens_{tokens}, clock_{clock} {}
    void add_to(ApiRouter& router);

private:
    Task<Response> list(ApiCall call);
    Task<Response> make(ApiCall call);
    Task<Response> remove(ApiCall call);
    Result<Micros> expiry_of(const JsonBody& body) const;

    AccessTokens& tokens_;
    const Clock& clock_;
};

}  // namespace entrepot
