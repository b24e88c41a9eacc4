#include "exchange/endpoints.hpp"

#include "access/require.hpp"
#include "exchange/endpoint_input.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {
namespace {

constexpr Micros between_looks = 300'000'000;
constexpr std::int64_t looks_at_once = 50;
constexpr Micros longest_run = 10'000'000;
constexpr std::size_t longest_detail = 500;
constexpr std::string_view hidden = "*****";

const Permission list_in_tenant = need(ObjectKind::tenant, "registry", "list");

std::unexpected<Error> no_such_endpoint()
{
    return fail(Errc::not_found, "there is no such registry endpoint");
}

// Of the other side, for the person who entered its address.
std::unexpected<Error> bad_address(const Error& error)
{
    return fail(Errc::bad_request, std::string{error.message()}, std::string{error.detail()});
}

EndpointHealth health_of(const Result<>& look, Micros now)
{
    if (look) return {.at = now, .status = "healthy", .detail = {}};
    std::string detail{look.error().message()};
    detail.resize(std::min(detail.size(), longest_detail));
    return {.at = now, .status = "unhealthy", .detail = std::move(detail)};
}

Task<> try_out(Result<std::shared_ptr<CopySite>> site)
{
    CO_CHECK(site);
    co_return co_await (*site)->ping();
}

template <class Field, class Value>
void take(std::optional<Field>& given, Value& into)
{
    if (given) into = static_cast<Value>(*std::move(given));
}

}  // namespace

// The platform's refusal is the answer, also to who can't see the tenant.
Result<> Endpoints::require_on(const Caller& caller, std::int64_t tenant_id, std::string_view action) const
{
    const auto of_platform =
        require(parts_.policy, caller, need(ObjectKind::platform, "registry", action), the_platform);
    const auto tenant = parts_.policy.tenant(tenant_id);
    if (of_platform || !tenant) return of_platform;
    const auto needed = need(ObjectKind::tenant, "registry", action);
    if (parts_.policy.may(caller, needed, object_of(*tenant))) return {};
    return of_platform;
}

// Who has endpoints of their own learns of no others; who has none is denied, whatever there is.
Task<RegistryEndpoint> Endpoints::require_endpoint(Caller caller, std::int64_t id, std::string_view action)
{
    auto endpoint = co_await parts_.catalog.find(id);
    const bool missing = !endpoint && endpoint.error().code() == Errc::not_found;
    if (!endpoint && !missing) co_return endpoint;
    const auto tenant_id = missing ? 0 : endpoint->tenant_id;
    const auto allowed = require_on(caller, tenant_id, action);
    if (allowed) co_return endpoint;
    const auto tenants = parts_.policy.tenants_with(caller, list_in_tenant);
    const bool has_some = !tenants || !tenants->empty();
    const bool is_theirs = !tenants || std::ranges::binary_search(*tenants, tenant_id);
    if (has_some && !is_theirs) co_return no_such_endpoint();
    co_return std::unexpected{allowed.error()};
}

Result<> Endpoints::check_type(const std::string& type) const
{
    const auto& known = parts_.upstreams.adapters();
    if (std::ranges::find(known, type, &AdapterInfo::type) != known.end()) return {};
    return fail(Errc::bad_request, "there is no type of registries \"" + type + "\"");
}

Result<> Endpoints::apply(RegistryEndpoint& endpoint, EndpointInput& input) const
{
    if (input.access_secret == hidden) input.access_secret.reset();
    const bool moves = (input.url && !endpoint.url.empty() && !same_origin(*input.url, endpoint.url)) ||
                       (input.token_host && *input.token_host != endpoint.token_host);
    if (moves && !endpoint.access_secret.empty() && !input.access_secret) {
        return fail(Errc::bad_request, "another host needs the access_secret again: it is not sent there by itself");
    }
    take(input.name, endpoint.name);
    take(input.description, endpoint.description);
    take(input.url, endpoint.url);
    while (endpoint.url.ends_with('/')) endpoint.url.pop_back();
    take(input.credential_type, endpoint.credential_type);
    take(input.access_key, endpoint.access_key);
    take(input.insecure, endpoint.insecure);
    take(input.ca_certificate, endpoint.ca_certificate);
    take(input.certificate_pin, endpoint.certificate_pin);
    take(input.token_host, endpoint.token_host);
    take(input.bytes_per_second, endpoint.limits.bytes_per_second);
    constexpr std::int64_t too_many = 1'000'000;
    if (input.requests_at_once) *input.requests_at_once = std::clamp(*input.requests_at_once, -1L, too_many);
    take(input.requests_at_once, endpoint.limits.requests_at_once);
    if (input.access_secret) {
        const auto& secret = *input.access_secret;
        endpoint.access_secret = secret.empty() ? std::string{} : parts_.secrets.seal(secret, endpoint_secret_context);
    }
    return check_endpoint(endpoint);
}

Result<RegistryEndpoint> Endpoints::in_clear(RegistryEndpoint endpoint) const
{
    if (endpoint.access_secret.empty()) return endpoint;
    TRY(endpoint.access_secret, parts_.secrets.open(endpoint.access_secret, endpoint_secret_context));
    return endpoint;
}

// Whether requests may go there, before anything is kept or sent.
Task<> Endpoints::check_address(RegistryEndpoint endpoint)
{
    CO_CHECK(co_await parts_.outbound.check(endpoint.url));
    CO_TRY(auto clear, in_clear(std::move(endpoint)));
    const auto site = co_await parts_.upstreams.open(std::move(clear));
    if (!site) co_return bad_address(site.error());
    co_return Result<>{};
}

Task<RegistryEndpoint> Endpoints::looked_at(RegistryEndpoint endpoint)
{
    auto health = health_of(co_await try_out(co_await parts_.upstreams.open(endpoint.id)), parts_.clock.now());
    endpoint.status = health.status;
    endpoint.status_detail = health.detail;
    endpoint.checked_at = health.at;
    CO_CHECK(co_await parts_.catalog.note_health(endpoint.id, std::move(health)));
    co_return endpoint;
}

Task<ListPage<RegistryEndpoint>> Endpoints::list(Caller caller, ListQuery query)
{
    const auto everywhere = require_on(caller, 0, "list");
    if (!everywhere) {
        const auto tenants = parts_.policy.tenants_with(caller, list_in_tenant);
        if (tenants && tenants->empty()) co_return std::unexpected{everywhere.error()};
        ListCondition condition{.field = "tenant_id", .kind = ListCondition::Kind::any_of, .values = {}};
        if (tenants) {
            for (const auto id : *tenants) condition.values.push_back(std::to_string(id));
            query.conditions.push_back(std::move(condition));
        }
    }
    co_return co_await parts_.catalog.list(std::move(query));
}

Task<RegistryEndpoint> Endpoints::find(Caller caller, std::int64_t id)
{
    return require_endpoint(std::move(caller), id, "read");
}

Task<RegistryEndpoint> Endpoints::create(Caller caller, EndpointInput input)
{
    RegistryEndpoint endpoint;
    endpoint.tenant_id = input.tenant_id.value_or(0);
    CO_CHECK(require_on(caller, endpoint.tenant_id, "create"));
    endpoint.type = std::move(input.type).value_or("");
    CO_CHECK(check_type(endpoint.type));
    CO_CHECK(apply(endpoint, input));
    CO_CHECK(co_await check_address(endpoint));
    CO_TRY(auto made, co_await parts_.catalog.create(std::move(endpoint), actor(caller)));
    co_return co_await looked_at(std::move(made));
}

Task<Endpoints::Changed> Endpoints::change(Caller caller, std::int64_t id, EndpointInput input)
{
    CO_TRY(auto before, co_await require_endpoint(caller, id, "update"));
    auto endpoint = before;
    CO_CHECK(apply(endpoint, input));
    CO_CHECK(co_await check_address(endpoint));
    CO_TRY(auto changed, co_await parts_.catalog.change(std::move(endpoint), actor(caller)));
    CO_TRY(auto after, co_await looked_at(std::move(changed)));
    co_return Changed{std::move(before), std::move(after)};
}

Task<RegistryEndpoint> Endpoints::remove(Caller caller, std::int64_t id)
{
    CO_TRY(auto endpoint, co_await require_endpoint(caller, id, "delete"));
    CO_CHECK(co_await parts_.catalog.remove(id, actor(caller)));
    co_return endpoint;
}

Task<> Endpoints::ping(Caller caller, std::optional<std::int64_t> id, EndpointInput input)
{
    // Where or how a saved secret is sent is for those to say who may change it.
    const bool as_saved = id && !input.url && !input.access_key && !input.access_secret && !input.insecure &&
                          !input.ca_certificate && !input.certificate_pin && !input.token_host &&
                          !input.credential_type;
    RegistryEndpoint endpoint;
    if (id) {
        CO_TRY(endpoint, co_await require_endpoint(caller, *id, as_saved ? "read" : "update"));
    } else {
        endpoint.name = "ping";
        endpoint.tenant_id = input.tenant_id.value_or(0);
        CO_CHECK(require_on(caller, endpoint.tenant_id, "create"));
        endpoint.type = std::move(input.type).value_or("");
        CO_CHECK(check_type(endpoint.type));
    }
    if (as_saved) {
        CO_TRY(const auto looked, co_await looked_at(std::move(endpoint)));
        if (looked.status != "healthy") co_return fail(Errc::bad_request, looked.status_detail);
        co_return Result<>{};
    }
    CO_CHECK(apply(endpoint, input));
    CO_CHECK(co_await parts_.outbound.check(endpoint.url));
    CO_TRY(auto clear, in_clear(std::move(endpoint)));
    const auto tried = co_await try_out(co_await parts_.upstreams.open(std::move(clear)));
    if (!tried) co_return bad_address(tried.error());
    co_return Result<>{};
}

Task<AdapterInfo> Endpoints::info(Caller caller, std::int64_t id)
{
    std::string type = "entrepot";
    if (id == 0) {
        CO_CHECK(require_on(caller, 0, "read"));
    } else {
        CO_TRY(auto endpoint, co_await require_endpoint(std::move(caller), id, "read"));
        type = std::move(endpoint.type);
    }
    const auto& known = parts_.upstreams.adapters();
    const auto found = std::ranges::find(known, type, &AdapterInfo::type);
    if (found != known.end()) co_return *found;
    co_return AdapterInfo{.type = type, .title = {}, .known_urls = {}, .credential_pattern = {}};
}

Task<std::vector<EndpointHealth>> Endpoints::health(Caller caller, std::int64_t id)
{
    CO_CHECK(co_await require_endpoint(std::move(caller), id, "read"));
    co_return co_await parts_.catalog.health(id);
}

Result<std::vector<AdapterInfo>> Endpoints::adapters(const Caller& caller) const
{
    const auto allowed =
        require(parts_.policy, caller, need(ObjectKind::platform, "replication-adapter", "list"), the_platform);
    const auto tenants = parts_.policy.tenants_with(caller, list_in_tenant);
    if (!allowed && tenants && tenants->empty()) return std::unexpected{allowed.error()};
    return parts_.upstreams.adapters();
}

Task<> Endpoints::look_at_due()
{
    ListQuery query{.conditions = {}, .order = {{.field = "check_time", .descending = false}}};
    query.limit = looks_at_once;
    CO_TRY(auto page, co_await parts_.catalog.list(std::move(query)));
    const auto start = parts_.clock.now();
    for (auto& endpoint : page.items) {
        if (endpoint.checked_at > start - between_looks) break;
        CO_CHECK(co_await looked_at(std::move(endpoint)));
        // The rest comes with the next run: who ends the program waits for this one.
        if (parts_.clock.now() - start > longest_run) break;
    }
    co_return Result<>{};
}

Task<std::vector<RegistryEndpoint>> Endpoints::all(std::int64_t most)
{
    ListQuery query;
    query.limit = most;
    CO_TRY(auto page, co_await parts_.catalog.list(std::move(query)));
    co_return std::move(page.items);
}

}  // namespace entrepot
