#pragma once

#include "api/management/api_router.hpp"
#include "tenancy/users.hpp"

namespace entrepot {

// /api/v2.0/users in Harbor's shapes: people, oneself, and what oneself may do.
class UsersApi {
public:
    UsersApi(Users& users, const AccessPolicy& policy) : users_{users}, policy_{policy} {}
    void add_to(ApiRouter& router);

private:
    Task<Response> list(ApiCall call);
    Task<Response> create(ApiCall call);
    Task<Response> search(ApiCall call);
    Task<Response> current(ApiCall call);
    Task<Response> permissions(ApiCall call);
    Task<Response> read(ApiCall call);
    Task<Response> update(ApiCall call);
    Task<Response> remove(ApiCall call);
    Task<Response> set_admin(ApiCall call);
    Task<Response> set_password(ApiCall call);
    Task<Response> set_cli_secret(ApiCall call);

    Users& users_;
    const AccessPolicy& policy_;
};

}  // namespace entrepot
