#pragma once

#include "api/management/api_audit.hpp"
#include "api/management/idempotency.hpp"
#include "api/management/path_turns.hpp"
#include "api/oci/call.hpp"
#include "api/oci/gate.hpp"
#include "core/task.hpp"
#include "http/message.hpp"
#include "ports/audit_trail.hpp"
#include "tenancy/settings.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// One request to the management API, its caller known. `path` holds the values of the route's {…} parts in order,
// percent-decoded once (repository names come encoded twice: api_values.hpp).
struct ApiCall {
    const Request& request;
    ByteSource& body;
    Caller caller;
    Query query;
    std::vector<std::string> path;
    // Of a request that changes something: the handler fills in resource_type, resource, tenant_id, project_id, before
    // and after; who, when and with what result the router knows. Null for reads.
    std::shared_ptr<AuditRecord> audit;

    const Identity& identity() const noexcept { return *caller.identity; }
};
using ApiHandler = std::function<Task<Response>(ApiCall)>;

// Who is let through to a handler at all; what they may there is the handler's business.
enum class ApiAudience { anyone, signed_in };

// A route of /api/v2.0. Patterns have no leading slash: "projects/{project_name_or_id}/members/{mid}".
struct ApiRoute {
    Method method;
    std::string_view pattern;
    ApiAudience audience;
    ApiHandler handler;
};

// The management API: finds the route, identifies the caller, refuses what is wrong on the way in, and gives every
// answer its X-Request-Id, every error its shape and every single object its ETag. Changes of one path come one after
// another in this process, so that If-Match holds against each of them; a change that another instance makes between
// the comparison and ours is not seen. Routes are added before the first request. Safe from any thread afterwards.
class ApiRouter {
public:
    // `settings`: refuses changes while they say read_only; `idempotency`: for POST with an Idempotency-Key; `audit`:
    // told of every change and every denial. Each may be null: then it is not looked at.
    explicit ApiRouter(
        Gate& gate, const Settings* settings = nullptr, Idempotency* idempotency = nullptr, ApiAudit* audit = nullptr
    )
        : gate_{gate}, settings_{settings}, idempotency_{idempotency}, audit_{audit}
    {
    }

    // Where what the request names has moved to, as a path; nullopt: nowhere. Before the first request.
    using Redirect = std::function<std::optional<std::string>(const ApiCall&, std::string_view pattern)>;
    void redirect_with(Redirect redirect) { redirect_ = std::move(redirect); }

    void get(std::string_view pattern, ApiHandler handler, ApiAudience audience = ApiAudience::signed_in);
    void head(std::string_view pattern, ApiHandler handler, ApiAudience audience = ApiAudience::signed_in);
    void post(std::string_view pattern, ApiHandler handler, ApiAudience audience = ApiAudience::signed_in);
    void put(std::string_view pattern, ApiHandler handler, ApiAudience audience = ApiAudience::signed_in);
    void patch(std::string_view pattern, ApiHandler handler, ApiAudience audience = ApiAudience::signed_in);
    void del(std::string_view pattern, ApiHandler handler, ApiAudience audience = ApiAudience::signed_in);

    asio::awaitable<Response> handle(const Request& request, ByteSource& body);

    // "GET projects/{project_name_or_id}", sorted; for the test that holds them against the OpenAPI file.
    std::vector<std::string> routes() const;

private:
    struct Match {
        const ApiRoute* route = nullptr;
        std::vector<std::string> values;
        std::string allowed;  // methods that the path has, when it has not this one
    };
    void add(Method method, std::string_view pattern, ApiAudience audience, ApiHandler handler);
    Result<Match> find(Method method, std::string_view path) const;
    Task<Response> answer(const Request& request, ByteSource& body, ApiTrace& trace);
    Task<Response> read(const ApiRoute& route, ApiCall call);
    Task<Response> create(const ApiRoute& route, ApiCall call);
    Task<Response> change(const ApiRoute& route, ApiCall call);
    Task<> check_precondition(const Request& request, Caller caller, std::string wanted) const;
    Task<> check_still_seen(const Request& request, Caller caller, const Response& answer) const;
    Task<Response> look_at(const Request& request, Caller caller, std::string_view path) const;

    Gate& gate_;
    const Settings* settings_;
    Idempotency* idempotency_;
    ApiAudit* audit_;
    Redirect redirect_;
    PathTurns turns_;
    std::map<std::string, std::vector<ApiRoute>, std::less<>> routes_;  // by the first segment
};

}  // namespace entrepot
