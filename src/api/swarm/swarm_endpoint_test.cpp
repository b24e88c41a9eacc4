#include "api/swarm/swarm_endpoint.hpp"

#include "swarm/hex32.hpp"
#include "swarm/identity/node_key.hpp"
#include "swarm/ticket/ticket_verifier.hpp"
#include "tests/support/access_entries_of.hpp"
#include "tests/support/authentication_fixture.hpp"
#include "tests/support/fake_request.hpp"
#include "tests/support/memory_audit.hpp"
#include "tests/support/swarm_images.hpp"
#include "tests/support/swarm_registry.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

// Alice may pull from "shop"; "other" has an image as well, which she may not know of.
class SwarmEndpointTest : public AuthenticationFixture, protected SwarmImages {
protected:
    SwarmEndpointTest()
    {
        access.more.projects = {
            project_entry(12, "shop", false, {grant_to(principal_key(alice), role::guest)}), project_entry(13, "other")
        };
        ++accounts.version;
        noticed();
        image = manifest(blob("{}"), {blob("a layer")});
        manifest(blob("{}"), {blob("a layer")}, there);
        const NewNodeToken wanted{.nodes = 1, .lifetime = 3600LL * 1'000'000};
        token_text = run_to_end(registry.desk.create_token(SwarmRegistry::caller(SwarmRegistry::admin), wanted))->text;
    }
    ~SwarmEndpointTest() override { pool.join(); }

    static Task<Response> answered(SwarmEndpoint& endpoint, const Request& request, ByteSource& body)
    {
        co_return co_await endpoint.handle(request, body);
    }
    Response send(const Request& request, std::string body = {})
    {
        StringSource source{std::move(body)};
        return *run_to_end(answered(endpoint, request, source));
    }
    Response get(const std::string& repository, const std::string& digest, const std::string& query = "")
    {
        FakeRequest request{Method::get, "/swarm/v1/images/" + repository + "/" + digest + query};
        return send(request.with_basic("alice", "Secret123"));
    }
    Response admit(const std::string& text, const std::string& name = "n1")
    {
        const json::object form{{"token", text}, {"name", name}, {"zone", "fra1"}, {"request", key.request().value()}};
        return send(FakeRequest{Method::post, "/swarm/v1/nodes"}, json::serialize(form));
    }
    static std::string text_of(const Response& response)
    {
        if (const auto* range = std::get_if<MemoryRange>(&response.body)) return *range->bytes;
        const auto* text = std::get_if<std::string>(&response.body);
        return text == nullptr ? std::string{} : *text;
    }

    struct Registry : SwarmRegistry {
        NodeDesk desk{catalog, policy, secrets, random, clock};
    };
    Registry registry;
    Digest image = digest_of("");
    std::string token_text;
    const NodeKey key = NodeKey::generate().value();
    MemorySessions session_catalog;
    Sessions sessions{session_catalog, authenticator, clock, random, [] { return std::chrono::minutes{60}; }};
    Gate gate{authenticator, sessions, policy, "entrepot", ""};
    MemoryTrail trail;
    OciAudit audit{trail, policy, clock};
    asio::thread_pool pool{1};
    ImageBundles bundles{manifests, links, blobs, chunks, pool};
    std::atomic<std::uint64_t> epoch{1};
    SwarmTickets tickets{registry.catalog, registry.secrets, registry.clock, epoch};
    SwarmEndpoint endpoint{
        {gate, policy, registry.desk, bundles, tickets, *registry.secrets, audit, trail, clock},
        {"control.example", 7400}
    };
};

TEST_F(SwarmEndpointTest, certifies_nodes_and_records_it)
{
    const auto answer = admit(token_text);
    ASSERT_EQ(answer.status, 200U) << text_of(answer);
    EXPECT_EQ(answer.header("Cache-Control"), "no-store");
    const auto body = json::parse(text_of(answer)).as_object();
    EXPECT_EQ(body.at("id").as_string(), hex_of(key.id()));
    EXPECT_TRUE(body.at("certificate").as_string().starts_with("-----BEGIN CERTIFICATE-----"));
    EXPECT_EQ(body.at("authorities").as_array().at(0).as_string(), registry.secrets->authority().certificate_pem());
    EXPECT_EQ(body.at("ticket_keys").as_array().at(0).as_string(), hex_of(registry.secrets->signer().public_key()));
    EXPECT_EQ(body.at("control").as_object().at("host").as_string(), "control.example");
    EXPECT_EQ(body.at("control").as_object().at("port").as_int64(), 7400);
    const auto entry = registry.catalog.kept.at(hex_of(key.id()));
    EXPECT_EQ(body.at("expires_at").as_string(), rfc3339(entry.expires_at));
    EXPECT_EQ(entry.zone, "fra1");
    ASSERT_EQ(trail.records().size(), 1U);
    const auto record = trail.records().front();
    EXPECT_EQ(record.operation, "create");
    EXPECT_EQ(record.resource_type, "node");
    EXPECT_EQ(record.resource, "n1");
    EXPECT_EQ(record.result, "ok");
    EXPECT_TRUE(record.after.contains(hex_of(key.id())));
    EXPECT_FALSE(record.after.contains(token_text));
}

TEST_F(SwarmEndpointTest, tells_nodes_that_it_knows_where_control_streams_go)
{
    const auto where = [&](const std::string& id) { return send(FakeRequest{Method::get, "/swarm/v1/nodes/" + id}); };
    const auto id = hex_of(key.id());
    EXPECT_EQ(where(id).status, 404U);
    ASSERT_EQ(admit(token_text).status, 200U);
    const auto answer = where(id);
    ASSERT_EQ(answer.status, 200U) << text_of(answer);
    const auto body = json::parse(text_of(answer)).as_object();
    EXPECT_EQ(body, (json::object{{"control", {{"host", "control.example"}, {"port", 7400}}}})) << "and nothing else";
    EXPECT_EQ(where("no-id").status, 404U);
    EXPECT_EQ(send(FakeRequest{Method::post, "/swarm/v1/nodes/" + id}).status, 405U);
    registry.catalog.away = true;
    EXPECT_EQ(where(id).status, 503U) << "that it isn't known doesn't say that there is none";
}

TEST_F(SwarmEndpointTest, does_not_acknowledge_what_could_not_be_recorded)
{
    trail.full = true;
    EXPECT_EQ(admit(token_text).status, 507U);
}

TEST_F(SwarmEndpointTest, refuses_other_tokens_and_notes_which)
{
    const auto other = NodeToken::make(random);
    const auto answer = admit(other.text());
    EXPECT_EQ(answer.status, 401U);
    EXPECT_TRUE(text_of(answer).contains("UNAUTHORIZED"));
    EXPECT_EQ(text_of(admit("nonsense")), text_of(answer));
    const auto records = trail.records();
    ASSERT_EQ(records.size(), 2U);
    EXPECT_EQ(records.front().result, "denied");
    EXPECT_TRUE(records.front().detail.contains(std::string{other.id()}));
    EXPECT_FALSE(records.front().detail.contains(other.text()));
}

TEST_F(SwarmEndpointTest, refuses_bodies_that_are_none)
{
    const auto post = [this](std::string body) {
        return send(FakeRequest{Method::post, "/swarm/v1/nodes"}, std::move(body)).status;
    };
    EXPECT_EQ(post(""), 400U);
    EXPECT_EQ(post("[]"), 400U);
    EXPECT_EQ(post("{}"), 400U);
    EXPECT_EQ(post(R"({"token":"t","name":1,"request":"r"})"), 400U);
    EXPECT_EQ(post(std::string(SwarmEndpoint::largest_body + 1, ' ')), 413U);
    EXPECT_EQ(admit(token_text, "-").status, 400U);
    EXPECT_TRUE(registry.catalog.kept.empty());
}

TEST_F(SwarmEndpointTest, has_these_paths_and_methods)
{
    EXPECT_EQ(send(FakeRequest{Method::get, "/swarm/v1/nodes"}).status, 405U);
    EXPECT_EQ(send(FakeRequest{Method::put, "/swarm/v1/images/shop/app/" + image.text()}).status, 405U);
    for (const auto* path : {"/swarm", "/swarm/v1", "/swarm/v2/nodes", "/swarm/v1/images/", "/swarm/v1/images/x"})
        EXPECT_EQ(send(FakeRequest{Method::get, path}).status, 404U) << path;
}

TEST_F(SwarmEndpointTest, gives_an_image_to_who_may_pull_it)
{
    const auto answer = get("shop/app", image.text());
    ASSERT_EQ(answer.status, 200U) << text_of(answer);
    EXPECT_EQ(answer.header("Content-Type"), "application/vnd.entrepot.swarm-bundle");
    EXPECT_EQ(answer.header("Cache-Control"), "no-store");
    const auto body = text_of(answer);
    ASSERT_GT(body.size(), 4U);
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length |= std::size_t{static_cast<std::uint8_t>(body[i])} << 8U * i;
    ASSERT_LE(4 + length, body.size());
    const auto descriptor = ImageDescriptor::parse(as_bytes(body.substr(4, length)));
    ASSERT_TRUE(descriptor);
    EXPECT_EQ(hex_of(descriptor->manifest()), image.hex());
    EXPECT_EQ(body.size(), 4 + length + 32 * descriptor->layout().chunks());
    EXPECT_EQ(answer.header("Entrepot-Swarm"), hex_of(descriptor->id()));
    EXPECT_EQ(answer.header("ETag"), '"' + hex_of(descriptor->id()) + '"');
    EXPECT_EQ(answer.header("Entrepot-Ticket"), std::nullopt) << "nobody was named";
    EXPECT_EQ(get("shop/app", "sha256%3A" + std::string{image.hex()}).status, 200U);
}

TEST_F(SwarmEndpointTest, says_again_that_the_right_holds)
{
    const auto first = get("shop/app", image.text());
    FakeRequest again{Method::get, "/swarm/v1/images/shop/app/" + image.text()};
    again.with_basic("alice", "Secret123").with("If-None-Match", *first.header("ETag"));
    const auto answer = send(again);
    EXPECT_EQ(answer.status, 304U);
    EXPECT_EQ(answer.body_length(), 0U);
    EXPECT_EQ(answer.header("ETag"), first.header("ETag"));
    EXPECT_EQ(answer.header("Entrepot-Swarm"), first.header("Entrepot-Swarm"));
    FakeRequest head{Method::head, "/swarm/v1/images/shop/app/" + image.text()};
    const auto length = send(head.with_basic("alice", "Secret123"));
    EXPECT_EQ(length.announced_length, text_of(first).size());
    EXPECT_EQ(length.body_length(), 0U);
}

TEST_F(SwarmEndpointTest, signs_a_ticket_for_a_node_that_has_a_certificate)
{
    const auto query = "?node=" + hex_of(key.id());
    EXPECT_EQ(get("shop/app", image.text(), query).header("Entrepot-Ticket"), std::nullopt);
    ASSERT_EQ(admit(token_text).status, 200U);
    const auto answer = get("shop/app", image.text(), query);
    ASSERT_TRUE(answer.header("Entrepot-Ticket"));
    const auto bytes = from_base64url(*answer.header("Entrepot-Ticket"));
    ASSERT_TRUE(bytes);
    TicketVerifier verifier;
    ASSERT_TRUE(verifier.trust(registry.secrets->signer().public_key()));
    const auto swarm = parse_hex32<SwarmId>(*answer.header("Entrepot-Swarm"));
    const TicketAsk ask{.node = key.id(), .swarm = *swarm, .needed = {.fetch = true, .serve = true}};
    const auto ticket = verifier.check(as_bytes(*bytes), ask, registry.clock.now());
    ASSERT_TRUE(ticket);
    EXPECT_EQ(ticket->tenant, 1U);
    EXPECT_EQ(ticket->repository, 1U);
    EXPECT_EQ(ticket->zone, "fra1");
    EXPECT_EQ(get("shop/app", image.text(), "?node=n1").status, 400U);
}

TEST_F(SwarmEndpointTest, tells_others_the_same_whether_the_image_is_there_or_not)
{
    const FakeRequest anonymous{Method::get, "/swarm/v1/images/shop/app/" + image.text()};
    const auto refused = send(anonymous);
    EXPECT_EQ(refused.status, 401U);
    EXPECT_TRUE(refused.header("WWW-Authenticate")->contains("scope=\"repository:shop/app:pull\""));
    const auto none = digest_of("none").text();
    const auto there_is = get("other/app", image.text());
    const auto there_is_not = get("other/app", none);
    EXPECT_EQ(there_is.status, 403U);
    EXPECT_EQ(there_is_not.status, 403U);
    EXPECT_EQ(text_of(there_is), text_of(there_is_not));
    EXPECT_EQ(get("nothing/here", none).status, 403U);
    ASSERT_FALSE(trail.records().empty());
    EXPECT_EQ(trail.records().back().result, "denied");
    EXPECT_EQ(get("shop/app", none).status, 404U);
    EXPECT_EQ(get("shop/app", "sha256:x").status, 400U);
}

TEST_F(SwarmEndpointTest, sends_the_same_bytes_to_all_that_ask_at_once)
{
    const auto one = get("shop/app", image.text());
    const auto two = get("shop/app", image.text());
    EXPECT_EQ(std::get<MemoryRange>(one.body).bytes, std::get<MemoryRange>(two.body).bytes);
}

}  // namespace
}  // namespace entrepot
