#include "delivery/node_desk.hpp"

#include "swarm/hex32.hpp"
#include "tests/support/swarm_registry.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

constexpr Micros hour = 3600LL * 1'000'000;

class NodeDeskTest : public testing::Test {
protected:
    Result<NodeDesk::MadeToken> make(NewNodeToken wanted, std::int64_t who = SwarmRegistry::admin)
    {
        return run_to_end(desk.create_token(SwarmRegistry::caller(who), std::move(wanted)));
    }
    std::string token(std::uint32_t nodes = 10, std::vector<std::string> zones = {})
    {
        return make({.description = "racks", .zones = std::move(zones), .nodes = nodes, .lifetime = hour})->text;
    }
    Result<NodeCertificate>
    admit(std::string text, const NodeKey& with, std::string zone = "a", std::string name = "n1")
    {
        const NodeAdmission admission{.name = std::move(name), .zone = std::move(zone), .seed = true};
        return run_to_end(desk.admit(std::move(text), admission, with.request().value()));
    }
    static Errc code_of(const auto& result) { return result ? Errc::internal : result.error().code(); }

    SwarmRegistry registry;
    NodeDesk desk{registry.catalog, registry.policy, registry.secrets, registry.random, registry.clock};
    const NodeKey key = NodeKey::generate().value();
};

TEST_F(NodeDeskTest, keeps_of_a_token_what_tells_it_and_not_its_text)
{
    const auto made = make({.description = "racks", .zones = {"a", "b"}, .nodes = 7, .lifetime = hour});
    ASSERT_TRUE(made);
    ASSERT_EQ(registry.catalog.kept_tokens.size(), 1U);
    const auto& kept = registry.catalog.kept_tokens.front();
    EXPECT_EQ(kept, made->entry);
    EXPECT_EQ(kept.hash, NodeToken::parse(made->text)->hash());
    EXPECT_EQ(kept.created_by, "admin");
    EXPECT_EQ(kept.expires_at, registry.clock.now() + hour);
    EXPECT_EQ(kept.zones, (std::vector<std::string>{"a", "b"}));
    ASSERT_EQ(registry.catalog.actors.size(), 1U);
    EXPECT_EQ(registry.catalog.actors.front().user_id, SwarmRegistry::admin);
}

TEST_F(NodeDeskTest, is_for_who_may_administer_the_platform)
{
    const auto admin = SwarmRegistry::caller(SwarmRegistry::admin);
    const auto somebody = SwarmRegistry::caller(SwarmRegistry::somebody);
    const auto text = token();
    ASSERT_TRUE(admit(text, key));
    EXPECT_EQ(code_of(make({.lifetime = hour}, SwarmRegistry::somebody)), Errc::denied);
    EXPECT_EQ(code_of(run_to_end(desk.tokens(somebody))), Errc::denied);
    EXPECT_EQ(code_of(run_to_end(desk.nodes(somebody, "", "", 10))), Errc::denied);
    const auto token_id = registry.catalog.kept_tokens.front().id;
    EXPECT_EQ(code_of(run_to_end(desk.remove_token(somebody, token_id))), Errc::denied);
    EXPECT_EQ(code_of(run_to_end(desk.remove_node(somebody, hex_of(key.id())))), Errc::denied);
    EXPECT_EQ(registry.catalog.kept.size(), 1U);
    EXPECT_EQ(run_to_end(desk.tokens(admin))->size(), 1U);
    EXPECT_EQ(run_to_end(desk.nodes(admin, "a", "", 10))->nodes.size(), 1U);
    EXPECT_TRUE(run_to_end(desk.remove_token(admin, token_id)));
    EXPECT_TRUE(run_to_end(desk.remove_node(admin, hex_of(key.id()))));
    EXPECT_TRUE(registry.catalog.kept.empty());
    EXPECT_EQ(code_of(run_to_end(desk.remove_node(admin, hex_of(key.id())))), Errc::not_found);
    EXPECT_EQ(code_of(run_to_end(desk.remove_node(admin, "n1"))), Errc::not_found);
    EXPECT_EQ(code_of(run_to_end(desk.remove_token(admin, token_id))), Errc::not_found);
    const auto asked = registry.catalog.actors.size();
    EXPECT_EQ(code_of(run_to_end(desk.remove_token(admin, "no id"))), Errc::not_found);
    EXPECT_EQ(registry.catalog.actors.size(), asked) << "the catalog is not asked for what can't be";
}

TEST_F(NodeDeskTest, forgets_nodes_that_never_come_back)
{
    constexpr Micros month = 30 * 24 * hour;
    constexpr std::size_t lost = 1001;
    for (std::size_t number = 0; number < lost; ++number) {
        NodeEntry entry{.id = "lost-" + std::to_string(number), .certified_at = registry.clock.now() - month - 1};
        registry.catalog.kept[entry.id] = entry;
    }
    ASSERT_TRUE(admit(token(), key));
    registry.catalog.kept["asleep"] = {.id = "asleep", .certified_at = registry.clock.now() - month};
    const auto gone = run_to_end(desk.forget(month));
    ASSERT_TRUE(gone);
    EXPECT_EQ(gone->size(), lost);
    EXPECT_EQ(registry.catalog.kept.size(), 2U);
    EXPECT_EQ(registry.catalog.actors.back().user_id, 0) << "nobody did it";
    EXPECT_TRUE(run_to_end(desk.forget(month))->empty());
}

TEST_F(NodeDeskTest, refuses_tokens_that_could_not_be_meant)
{
    const std::vector<NewNodeToken> wrong{
        {.nodes = 0, .lifetime = hour},
        {.nodes = 1'000'001, .lifetime = hour},
        {.lifetime = 0},
        {.lifetime = 366 * 24 * hour},
        {.description = "two\nlines", .lifetime = hour},
        {.description = std::string(1025, 'x'), .lifetime = hour},
        {.zones = {""}, .lifetime = hour},
        {.zones = {std::string(65, 'z')}, .lifetime = hour},
        {.zones = {"a", "a"}, .lifetime = hour},
    };
    for (const auto& wanted : wrong) EXPECT_EQ(code_of(make(wanted)), Errc::bad_request);
    EXPECT_TRUE(registry.catalog.kept_tokens.empty());
}

TEST_F(NodeDeskTest, lists_pages_that_make_sense)
{
    const auto admin = SwarmRegistry::caller(SwarmRegistry::admin);
    EXPECT_EQ(code_of(run_to_end(desk.nodes(admin, "two\nlines", "", 10))), Errc::bad_request);
    EXPECT_EQ(code_of(run_to_end(desk.nodes(admin, "", "n1", 10))), Errc::bad_request);
    EXPECT_EQ(code_of(run_to_end(desk.nodes(admin, "", "", 0))), Errc::bad_request);
    EXPECT_EQ(code_of(run_to_end(desk.nodes(admin, "", "", 1001))), Errc::bad_request);
}

TEST_F(NodeDeskTest, certifies_who_shows_a_token)
{
    const auto certificate = admit(token(), key);
    ASSERT_TRUE(certificate);
    EXPECT_EQ(certificate->identity.id, key.id());
    EXPECT_EQ(certificate->identity.name, "n1");
    EXPECT_EQ(certificate->identity.zone, "a");
    EXPECT_FALSE(certificate->identity.seed) << "whatever was asked for";
    const auto entry = run_to_end(desk.node(key.id()));
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->name, "n1");
    EXPECT_EQ(entry->zone, "a");
    EXPECT_EQ(entry->token_id, registry.catalog.kept_tokens.front().id);
    EXPECT_EQ(entry->expires_at, certificate->ends);
    EXPECT_EQ(entry->admitted_at, registry.clock.now());
}

TEST_F(NodeDeskTest, says_the_same_of_every_token_that_it_refuses)
{
    const auto other = NodeKey::generate().value();
    const auto expect_refused = [](const Result<NodeCertificate>& answer) {
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().code(), Errc::unauthorized);
        EXPECT_EQ(answer.error().message(), "the token for nodes is not accepted");
    };
    const auto one = token(1);
    ASSERT_TRUE(admit(one, key));
    expect_refused(admit(one, other));
    expect_refused(admit("", key));
    expect_refused(admit("entrepot-node-x", key));
    expect_refused(admit(NodeToken::make(registry.random).text(), key));
    expect_refused(admit(token(10, {"b"}), other, "a"));
    expect_refused(admit(token(10, {"b"}), other, ""));
    const auto old = token();
    registry.clock.advance(std::chrono::hours{1});
    expect_refused(admit(old, other));
    EXPECT_EQ(registry.catalog.kept.size(), 1U);
}

TEST_F(NodeDeskTest, lets_a_node_come_back_with_a_token_that_has_brought_all_of_its_nodes)
{
    const auto one = token(1);
    ASSERT_TRUE(admit(one, key));
    registry.clock.advance(std::chrono::minutes{30});
    EXPECT_TRUE(admit(one, key));
    EXPECT_EQ(registry.catalog.kept_tokens.front().used, 1U);
}

TEST_F(NodeDeskTest, refuses_names_and_requests_that_are_none)
{
    EXPECT_EQ(code_of(admit(token(), key, "a", "-n")), Errc::bad_request);
    EXPECT_EQ(code_of(admit(token(), key, "two\nlines")), Errc::bad_request);
    const NodeAdmission admission{.name = "n1", .zone = ""};
    EXPECT_EQ(code_of(run_to_end(desk.admit(token(), admission, "no request"))), Errc::bad_request);
    EXPECT_EQ(code_of(run_to_end(desk.admit("no token", admission, "no request"))), Errc::unauthorized)
        << "who has no token is not told what else is wrong";
    EXPECT_TRUE(registry.catalog.kept.empty());
}

TEST_F(NodeDeskTest, does_not_take_a_silent_catalog_for_a_wrong_token)
{
    const auto text = token();
    registry.catalog.away = true;
    EXPECT_EQ(code_of(admit(text, key)), Errc::unavailable);
}

TEST_F(NodeDeskTest, renews_for_the_same_key_as_long_as_the_node_belongs_to_the_swarm)
{
    const auto first = admit(token(), key);
    ASSERT_TRUE(first);
    registry.clock.advance(std::chrono::hours{16});
    // As the certificate has it, which may be older than what the catalog knows.
    registry.catalog.kept.begin()->second.zone = "b";
    const auto next = run_to_end(desk.renew(first->identity, key.request().value()));
    ASSERT_TRUE(next);
    EXPECT_EQ(next->identity.id, key.id());
    EXPECT_EQ(next->identity.zone, "b");
    EXPECT_EQ(registry.catalog.kept.begin()->second.expires_at, next->ends);
    EXPECT_EQ(registry.catalog.kept.begin()->second.certified_at, registry.clock.now());

    const auto other = NodeKey::generate().value();
    EXPECT_EQ(code_of(run_to_end(desk.renew(first->identity, other.request().value()))), Errc::denied);
    EXPECT_EQ(code_of(run_to_end(desk.renew(first->identity, "no request"))), Errc::bad_request);
    registry.catalog.kept.clear();
    EXPECT_EQ(code_of(run_to_end(desk.renew(first->identity, key.request().value()))), Errc::denied);
    EXPECT_EQ(code_of(run_to_end(desk.node(key.id()))), Errc::not_found);
}

}  // namespace
}  // namespace entrepot
