#include "api/management/swarm_api.hpp"

#include "tests/support/access_entries_of.hpp"
#include "tests/support/authentication_fixture.hpp"
#include "tests/support/fake_request.hpp"
#include "tests/support/memory_audit.hpp"
#include "tests/support/memory_settings.hpp"
#include "tests/support/swarm_registry.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

// Alice administers the platform.
class SwarmApiTest : public AuthenticationFixture {
protected:
    SwarmApiTest()
    {
        access.more.platform_grants = {grant_to(principal_key(alice), role::platform_admin, ObjectKind::platform)};
        ++accounts.version;
        noticed();
        api.add_to(router);
    }
    static Task<Response> answered(ApiRouter& by, const Request& request, ByteSource& body)
    {
        co_return co_await by.handle(request, body);
    }
    Response send(ApiRouter& by, Method method, const std::string& path, std::string body = {})
    {
        StringSource source{std::move(body)};
        FakeRequest request{method, "/api/v2.0/swarm/" + path};
        request.with_basic("alice", "Secret123");
        return *run_to_end(answered(by, request, source));
    }
    Response send(Method method, const std::string& path, std::string body = {})
    {
        return send(router, method, path, std::move(body));
    }
    static json::value value_of(const Response& response) { return json::parse(std::get<std::string>(response.body)); }
    void add_node(char digit, std::string zone)
    {
        const std::string id(64, digit);
        registry.catalog.kept[id] = NodeEntry{.id = id, .name = "n1", .zone = std::move(zone)};
    }

    SwarmRegistry registry;
    NodeDesk desk{registry.catalog, policy, registry.secrets, random, clock};
    MemorySessions session_catalog;
    Sessions sessions{session_catalog, authenticator, clock, random, [] { return std::chrono::minutes{60}; }};
    Gate gate{authenticator, sessions, policy, "entrepot", ""};
    MemoryTrail trail;
    ApiAudit audit{trail, clock};
    ApiRouter router{gate, nullptr, nullptr, &audit};
    MemorySettings settings;
    SwarmLimitsDesk limits{settings, policy, clock};
    SwarmApi api{desk, limits};
};

TEST_F(SwarmApiTest, shows_a_token_once)
{
    const auto made = send(Method::post, "tokens", R"({"description":"racks","zones":["a"],"nodes":3})");
    ASSERT_EQ(made.status, 201U);
    const auto object = value_of(made).as_object();
    const std::string id{object.at("id").as_string()};
    const std::string text{object.at("token").as_string()};
    EXPECT_EQ(NodeToken::parse(text)->id(), id);
    EXPECT_EQ(object.at("nodes").as_int64(), 3);
    EXPECT_EQ(object.at("expires_at").as_int64(), clock.now() / 1'000'000 + 24 * 3600);
    EXPECT_EQ(made.header("Cache-Control"), "no-store");
    const auto listed = send(Method::get, "tokens");
    EXPECT_EQ(listed.header("X-Total-Count"), "1");
    EXPECT_FALSE(std::get<std::string>(listed.body).contains(text));
    EXPECT_FALSE(value_of(listed).as_array().at(0).as_object().contains("token"));
    EXPECT_EQ(send(Method::del, "tokens/" + id).status, 200U);
    EXPECT_EQ(send(Method::del, "tokens/" + id).status, 404U);
    const auto records = trail.records();
    ASSERT_EQ(records.size(), 3U);
    EXPECT_EQ(records[0].resource_type, "node-token");
    EXPECT_EQ(records[0].resource, id);
    EXPECT_FALSE(records[0].after.contains(text));
    EXPECT_EQ(records[1].operation, "delete");
    EXPECT_EQ(records[2].result, "failed");
}

TEST_F(SwarmApiTest, refuses_tokens_for_no_node_or_no_time)
{
    for (const auto* body :
         {R"({"nodes":0})",
          R"({"nodes":-1})",
          R"({"nodes":4294967297})",
          R"({"duration_seconds":0})",
          R"({"duration_seconds":9223372036854775807})",
          R"({"zones":"a"})",
          R"({"zones":[""]})"})
        EXPECT_EQ(send(Method::post, "tokens", body).status, 400U) << body;
    EXPECT_TRUE(registry.catalog.kept_tokens.empty());
}

TEST_F(SwarmApiTest, lists_nodes_from_where_the_page_before_ended)
{
    add_node('1', "a");
    add_node('2', "b");
    add_node('3', "a");
    const auto first = send(Method::get, "nodes?page_size=2");
    ASSERT_EQ(first.status, 200U);
    EXPECT_EQ(value_of(first).as_array().size(), 2U);
    ASSERT_EQ(first.header("X-Next-Cursor"), std::string(64, '2'));
    const auto second = send(Method::get, "nodes?page_size=2&cursor=" + std::string(64, '2'));
    EXPECT_EQ(value_of(second).as_array().at(0).as_object().at("id").as_string(), std::string(64, '3'));
    EXPECT_EQ(second.header("X-Next-Cursor"), std::nullopt);
    EXPECT_EQ(value_of(send(Method::get, "nodes?zone=a")).as_array().size(), 2U);
    for (const auto* query : {"page=2", "page=0", "q=name=n1", "sort=name", "cursor=x", "zone=%01", "page_size=101"})
        EXPECT_EQ(send(Method::get, "nodes?" + std::string{query}).status, 400U) << query;
}

TEST_F(SwarmApiTest, removes_nodes)
{
    add_node('1', "a");
    EXPECT_EQ(send(Method::del, "nodes/" + std::string(64, '1')).status, 200U);
    EXPECT_EQ(send(Method::del, "nodes/" + std::string(64, '1')).status, 404U);
    ASSERT_FALSE(trail.records().empty());
    EXPECT_EQ(trail.records().front().resource_type, "node");
    EXPECT_EQ(trail.records().front().resource, std::string(64, '1'));
}

TEST_F(SwarmApiTest, sets_limits_and_says_who_changed_which)
{
    const auto none = R"({"default":{"up":null,"down":null,"across_zones":null,"polite":false},"zones":[]})";
    EXPECT_EQ(value_of(send(Method::get, "limits")), json::parse(none));
    ASSERT_EQ(send(Method::put, "limits", R"({"default":{"up":5},"zones":[{"zone":"a","polite":true}]})").status, 200U);
    const auto set = value_of(send(Method::get, "limits"));
    EXPECT_EQ(set.at("default").at("up"), 5);
    EXPECT_EQ(set.at("zones").at(0).at("zone"), "a");
    EXPECT_EQ(set.at("zones").at(0).at("polite"), true);
    for (const auto* body : {"[]", R"({"default":{"up":-5}})", R"({"zones":[{}]})"})
        EXPECT_EQ(send(Method::put, "limits", body).status, 400U) << body;
    EXPECT_EQ(value_of(send(Method::get, "limits")), set);
    const auto records = trail.records();
    ASSERT_FALSE(records.empty());
    const auto& record = records.front();
    EXPECT_EQ(record.resource_type, "swarm-limits");
    EXPECT_EQ(json::parse(record.before), json::parse(none));
    EXPECT_EQ(json::parse(record.after), set);
}

}  // namespace
}  // namespace entrepot
