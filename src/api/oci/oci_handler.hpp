#pragma once

#include "access/policy.hpp"
#include "api/oci/gate.hpp"
#include "api/oci/lists.hpp"
#include "api/oci/mirrors.hpp"
#include "api/oci/oci_audit.hpp"
#include "api/oci/reads.hpp"
#include "api/oci/route.hpp"
#include "api/oci/upload_endpoints.hpp"
#include "api/oci/writes.hpp"
#include "http/message.hpp"
#include "tenancy/settings.hpp"
#include "upkeep/accounting/quota_watch.hpp"

#include <functional>
#include <optional>
#include <string>

namespace entrepot {

// /v2: the OCI distribution API. Finds the route, admits the caller, hands over to the endpoints, and turns whatever
// error comes back into its answer.
class OciHandler final : public Handler {
public:
    // Brings the policy up to date with what is committed (AccessDirectory::catch_up()).
    using CatchUp = std::function<Task<>()>;

    OciHandler(
        Gate& gate,
        AccessPolicy& policy,
        const Settings& settings,
        OciReads& reads,
        OciWrites& writes,
        UploadEndpoints& uploads,
        OciLists& lists,
        OciAudit& audit,
        QuotaWatch& quotas,
        Mirrors mirrors,
        CatchUp catch_up
    )
        : gate_{gate},
          policy_{policy},
          settings_{settings},
          reads_{reads},
          writes_{writes},
          uploads_{uploads},
          lists_{lists},
          audit_{audit},
          quotas_{quotas},
          mirrors_{std::move(mirrors)},
          catch_up_{std::move(catch_up)}
    {
    }

    std::optional<Response> peek(const Request& request) noexcept override;
    asio::awaitable<Response> handle(const Request& request, ByteSource& body) override;

private:
    std::optional<Response> peek_route(const Request& request, const OciRoute& route);
    Task<Response> base(const Request& request);
    Task<Response> catalog(const Request& request);
    Task<Response> by_any_name(const Request& request, ByteSource& body, OciRoute route, Action action);
    Task<Response> in_repository(const Request& request, ByteSource& body, OciRoute route, Action action);
    Task<Response>
    by_former_name(const Request& request, ByteSource& body, OciRoute route, Action action, std::string now);
    Task<Response> serve(OciCall call, OciRoute route, std::string_view known_as);
    Task<Response> serve_from(std::string source, const OciCall& asked, OciRoute route);
    Task<Caller> admit_to(std::string source, const OciCall& asked);
    // Those besides its own that the caller may pull from.
    Task<std::vector<RepositoryName>> open_sources(std::vector<AccessPolicy::Source> sources, const OciCall& asked);
    Result<std::int64_t>
    judge_change(const Request& request, const RepositoryName& repository, const Caller& caller, Action action) const;
    asio::awaitable<Response> refuse(const Request& request, OciRoute route, std::string scope, Error error);
    Task<Response> dispatch(OciCall call, OciRoute::Kind kind);

    Gate& gate_;
    AccessPolicy& policy_;
    const Settings& settings_;
    OciReads& reads_;
    OciWrites& writes_;
    UploadEndpoints& uploads_;
    OciLists& lists_;
    OciAudit& audit_;
    QuotaWatch& quotas_;
    const Mirrors mirrors_;
    CatchUp catch_up_;
};

}  // namespace entrepot
