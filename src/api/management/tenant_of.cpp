#include "api/management/tenant_of.hpp"

#include "core/ascii.hpp"

namespace entrepot {

Result<std::shared_ptr<const TenantAccess>>
tenant_of(const ApiCall& call, const AccessPolicy& policy, std::string_view text)
{
    static const Permission read = need(ObjectKind::tenant, "tenant", "read");
    const bool is_name = call.request.header("x-is-resource-name").value_or("false") == "true";
    const auto id = is_name ? std::nullopt : parse_decimal(text);
    auto tenant =
        id && *id < std::uint64_t{1} << 63U ? policy.tenant(static_cast<std::int64_t>(*id)) : policy.tenant(text);
    if (tenant && policy.may(call.caller, read, object_of(*tenant))) return tenant;
    return fail(Errc::not_found, "there is no such tenant");
}

}  // namespace entrepot
