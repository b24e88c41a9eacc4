#pragma once

#include "tenancy/tenant_user_maker.hpp"

namespace entrepot {

// For an installation where a tenant's admin can't make users.
class NoMemberMaker final : public TenantUserMaker {
public:
    Task<std::int64_t> make_member(Caller, std::int64_t, NewTenantUser) override
    {
        co_return fail(Errc::unsupported, "users can't be made here");
    }
};

}  // namespace entrepot
