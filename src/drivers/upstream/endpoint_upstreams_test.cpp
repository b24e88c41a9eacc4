#include "drivers/upstream/endpoint_upstreams.hpp"

#include "drivers/upstream/scripted_registry.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

class OneEndpoint final : public EndpointCatalog {
public:
    Task<ListPage<RegistryEndpoint>> list(ListQuery /*query*/) override { co_return ListPage<RegistryEndpoint>{}; }
    Task<RegistryEndpoint> find(std::int64_t id) override
    {
        if (id != saved.id) co_return fail(Errc::not_found, "there is no such endpoint");
        co_return saved;
    }
    Task<RegistryEndpoint> create(RegistryEndpoint endpoint, Actor /*actor*/) override { co_return endpoint; }
    Task<RegistryEndpoint> change(RegistryEndpoint endpoint, Actor /*actor*/) override { co_return endpoint; }
    Task<> remove(std::int64_t /*id*/, Actor /*actor*/) override { co_return Result<>{}; }
    Task<> note_health(std::int64_t /*id*/, EndpointHealth /*health*/) override { co_return Result<>{}; }
    Task<std::vector<EndpointHealth>> health(std::int64_t /*id*/) override { co_return std::vector<EndpointHealth>{}; }

    RegistryEndpoint saved;
};

class Reversed final : public SecretBox {
public:
    std::string seal(std::string_view secret, std::string_view /*context*/) override
    {
        return {secret.rbegin(), secret.rend()};
    }
    Result<std::string> open(std::string_view sealed, std::string_view context) const override
    {
        if (context != endpoint_secret_context) return fail(Errc::corrupt, "sealed for something else");
        return std::string{sealed.rbegin(), sealed.rend()};
    }
};

TEST(EndpointUpstreams, open_an_endpoint_once_until_it_changes)
{
    ScriptedRegistry registry{[](const std::string& request) {
        if (field_of(request, "Authorization") == "Basic dXNlcjpzZWNyZXQ=") return answer_of("200 OK");
        return answer_of("401 Unauthorized", {}, "WWW-Authenticate: Basic realm=\"x\"\r\n");
    }};
    OneEndpoint catalog;
    Reversed box;
    const SystemClock clock;
    EndpointUpstreams upstreams{catalog, box, OutboundRules::parse({"127.0.0.1"}).value(), clock};
    catalog.saved = with_account(endpoint_at(registry.url()));
    catalog.saved.access_secret = "terces";
    catalog.saved.id = 3;
    catalog.saved.version = 1;
    const auto site = run_to_end(upstreams.open(std::int64_t{3})).value();
    EXPECT_TRUE(run_to_end(site->ping()));
    EXPECT_EQ(run_to_end(upstreams.open(std::int64_t{3})).value(), site);
    catalog.saved.version = 2;
    EXPECT_NE(run_to_end(upstreams.open(std::int64_t{3})).value(), site);
    EXPECT_EQ(run_to_end(upstreams.open(std::int64_t{4})).error().code(), Errc::not_found);
    EXPECT_TRUE(run_to_end(run_to_end(upstreams.open(with_account(endpoint_at(registry.url())))).value()->ping()));
    EXPECT_EQ(run_to_end(upstreams.open(endpoint_at("http://x", "nothing"))).error().code(), Errc::bad_request);
    EXPECT_EQ(upstreams.adapters().front().type, "docker-registry");
    // By default nothing leads to this machine.
    EndpointUpstreams strict{catalog, box, OutboundRules::parse({}).value(), clock};
    const auto closed = run_to_end(strict.open(std::int64_t{3})).value();
    EXPECT_EQ(run_to_end(closed->ping()).error().code(), Errc::denied);
}

}  // namespace
}  // namespace entrepot
