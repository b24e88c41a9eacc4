#pragma once

#include "tests/contract/metadata_store_contract.hpp"
#include "tests/support/crowd.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <thread>

namespace entrepot::contract {

// The nodes of the swarm, the tokens that bring them, and the secrets that vouch for them.
class NodeContract : public MetadataStoreContract {
protected:
    NodeCatalog& nodes() { return store().nodes(); }

    static std::string node_id(unsigned number)
    {
        const auto text = std::to_string(number);
        return std::string(64 - text.size(), '0') + text;
    }
    static NodeTokenEntry token_of(unsigned number, std::uint32_t most)
    {
        return {
            .id = "000000000000000" + std::to_string(number),
            .hash = "hash" + std::to_string(number),
            .description = "rack " + std::to_string(number),
            .nodes = most,
            .created_at = 100 + number,
            .expires_at = 900,
            .created_by = "admin",
        };
    }
    NodeTokenEntry add_token(unsigned number, std::uint32_t most)
    {
        auto token = token_of(number, most);
        EXPECT_TRUE(run(nodes().add_token(token, someone)));
        return token;
    }
    static NodeEntry node_of(unsigned number, std::string name, std::string zone, const NodeTokenEntry& token)
    {
        return {
            .id = node_id(number),
            .name = std::move(name),
            .zone = std::move(zone),
            .token_id = token.id,
            .admitted_at = 200,
            .certified_at = 200,
            .expires_at = 300,
        };
    }
    std::uint32_t used(const NodeTokenEntry& token) { return run(nodes().token(token.id)).value().used; }
    std::int64_t events(std::string_view type)
    {
        return host().number("SELECT COUNT(*) FROM events WHERE type = '" + std::string{type} + "'");
    }
    std::vector<std::string> names(std::string zone, std::string after_id, std::int64_t limit)
    {
        std::vector<std::string> names;
        for (const auto& node : run(nodes().nodes(std::move(zone), std::move(after_id), limit)).value().nodes) {
            names.push_back(node.name);
        }
        return names;
    }
};

TEST_P(NodeContract, of_a_secret_the_first_is_kept)
{
    const std::string sealed{"\0one\xff", 5};
    EXPECT_EQ(run(nodes().keep_secret("a", sealed)).value(), sealed);
    EXPECT_EQ(run(nodes().keep_secret("a", "two")).value(), sealed);
    EXPECT_EQ(run(nodes().keep_secret("b", "two")).value(), "two");
    host().reopen();
    EXPECT_EQ(run(nodes().keep_secret("a", "three")).value(), sealed);
}

TEST_P(NodeContract, instances_that_keep_a_secret_at_once_have_the_same)
{
    constexpr unsigned instances = 8;
    for (unsigned round = 0; round < 20; ++round) {
        std::array<std::string, instances> kept;
        Crowd crowd;
        for (unsigned i = 0; i < instances; ++i) {
            crowd.add([&, i] {
                kept[i] = run(nodes().keep_secret("s" + std::to_string(round), "of " + std::to_string(i))).value();
            });
        }
        crowd.join();
        EXPECT_TRUE(kept[0].starts_with("of "));
        for (const auto& secret : kept) EXPECT_EQ(secret, kept[0]);
    }
}

TEST_P(NodeContract, a_token_is_what_was_added_until_it_is_removed)
{
    auto token = token_of(1, 5);
    token.zones = {"eu, \"west\"", "eu-east"};
    EXPECT_SUCCEEDS(run(nodes().add_token(token, someone)));
    EXPECT_FAILS(Errc::conflict, run(nodes().add_token(token_of(1, 9), someone)));
    const auto largest = add_token(3, 4'294'967'295U);
    const auto other = add_token(2, 1);
    EXPECT_EQ(run(nodes().token(token.id)).value(), token);
    EXPECT_EQ(run(nodes().tokens()).value(), (std::vector{largest, other, token})) << "the newest first";
    EXPECT_FAILS(Errc::not_found, run(nodes().token("ffffffffffffffff")));

    EXPECT_SUCCEEDS(run(nodes().remove_token(token.id, someone)));
    EXPECT_FAILS(Errc::not_found, run(nodes().remove_token(token.id, someone)));
    EXPECT_FAILS(Errc::not_found, run(nodes().token(token.id)));
    EXPECT_EQ(run(nodes().tokens()).value(), (std::vector{largest, other}));
    EXPECT_EQ(events("node_token.created"), 3);
    EXPECT_EQ(events("node_token.deleted"), 1);
}

TEST_P(NodeContract, a_token_brings_as_many_nodes_as_it_may)
{
    const auto token = add_token(1, 2);
    const auto first = node_of(1, "a", "z1", token);
    EXPECT_SUCCEEDS(run(nodes().admit(first)));
    EXPECT_EQ(run(nodes().node(first.id)).value(), first);
    EXPECT_SUCCEEDS(run(nodes().admit(node_of(2, "b", "z1", token))));
    EXPECT_FAILS(Errc::conflict, run(nodes().admit(node_of(3, "c", "z1", token))));
    EXPECT_FAILS(Errc::not_found, run(nodes().node(node_id(3))));
    EXPECT_EQ(used(token), 2U);
    EXPECT_FAILS(Errc::not_found, run(nodes().admit(node_of(3, "c", "z1", token_of(9, 1)))));
    EXPECT_EQ(events("node.admitted"), 2);
}

TEST_P(NodeContract, a_node_that_is_known_costs_no_token_anything)
{
    const auto token = add_token(1, 1);
    const auto other = add_token(2, 1);
    const auto node = node_of(1, "a", "z1", token);
    EXPECT_SUCCEEDS(run(nodes().admit(node)));
    auto again = node_of(1, "renamed", "z2", other);
    again.admitted_at = 400;
    again.certified_at = 400;
    again.expires_at = 500;
    EXPECT_SUCCEEDS(run(nodes().admit(again)));
    again.token_id = token.id;
    again.admitted_at = 200;
    EXPECT_EQ(run(nodes().node(node.id)).value(), again);
    // The token has brought all of its nodes.
    EXPECT_SUCCEEDS(run(nodes().admit(node)));
    EXPECT_EQ(run(nodes().node(node.id)).value(), node);
    EXPECT_EQ(used(token), 1U);
    EXPECT_EQ(used(other), 0U);
    EXPECT_EQ(events("node.admitted"), 1);
    EXPECT_SUCCEEDS(run(nodes().remove_token(other.id, someone)));
    again.token_id = other.id;  // known, but nothing vouches for it
    EXPECT_FAILS(Errc::not_found, run(nodes().admit(again)));
}

TEST_P(NodeContract, nodes_stay_when_their_token_goes)
{
    const auto token = add_token(1, 1);
    EXPECT_SUCCEEDS(run(nodes().admit(node_of(1, "a", "z1", token))));
    EXPECT_SUCCEEDS(run(nodes().remove_token(token.id, someone)));
    EXPECT_SUCCEEDS(run(nodes().renew(node_id(1), 250, 350)));
    auto renewed = node_of(1, "a", "z1", token);
    renewed.certified_at = 250;
    renewed.expires_at = 350;
    EXPECT_EQ(run(nodes().node(node_id(1))).value(), renewed);
}

TEST_P(NodeContract, a_removed_node_needs_a_token_again)
{
    const auto token = add_token(1, 2);
    EXPECT_SUCCEEDS(run(nodes().admit(node_of(1, "a", "z1", token))));
    EXPECT_SUCCEEDS(run(nodes().remove_node(node_id(1), someone)));
    EXPECT_FAILS(Errc::not_found, run(nodes().node(node_id(1))));
    EXPECT_FAILS(Errc::not_found, run(nodes().renew(node_id(1), 250, 350)));
    EXPECT_FAILS(Errc::not_found, run(nodes().remove_node(node_id(1), someone)));
    EXPECT_EQ(events("node.deleted"), 1);
    EXPECT_EQ(used(token), 1U) << "it was brought";
    EXPECT_SUCCEEDS(run(nodes().admit(node_of(1, "a", "z1", token))));
    EXPECT_EQ(used(token), 2U);
    EXPECT_SUCCEEDS(run(nodes().renew(node_id(1), 250, 350)));
    EXPECT_SUCCEEDS(run(nodes().remove_node(node_id(1), someone)));
    EXPECT_FAILS(Errc::conflict, run(nodes().admit(node_of(1, "a", "z1", token))));
}

TEST_P(NodeContract, nodes_that_were_not_heard_of_for_long_are_forgotten_the_oldest_first)
{
    const auto token = add_token(1, 10);
    for (unsigned number = 0; number < 5; ++number) {
        auto node = node_of(number, "n" + std::to_string(number), "z", token);
        node.certified_at = 500 - 10 * number;
        EXPECT_SUCCEEDS(run(nodes().admit(node)));
    }
    EXPECT_SUCCEEDS(run(nodes().renew(node_id(3), 700, 900)));
    const auto forget = [&](Micros before, std::int64_t limit) {
        std::vector<std::string> gone;
        for (const auto& node : run(nodes().forget_nodes(before, limit, someone)).value()) gone.push_back(node.name);
        std::ranges::sort(gone);
        return gone;
    };
    EXPECT_EQ(forget(460, 10), std::vector<std::string>{}) << "before that, not then";
    EXPECT_EQ(forget(500, 2), (std::vector<std::string>{"n2", "n4"}));
    EXPECT_EQ(events("node.deleted"), 2);
    EXPECT_EQ(forget(500, 2), std::vector<std::string>{"n1"});
    EXPECT_EQ(names("", "", 10), (std::vector<std::string>{"n0", "n3"})) << "who was renewed stays";
    EXPECT_FAILS(Errc::not_found, run(nodes().renew(node_id(2), 800, 900)));
    EXPECT_EQ(used(token), 5U);
    EXPECT_SUCCEEDS(run(nodes().admit(node_of(2, "n2", "z", token))));
    EXPECT_EQ(used(token), 6U) << "who comes back is another";
    host().reopen();
    EXPECT_EQ(names("", "", 10), (std::vector<std::string>{"n0", "n2", "n3"}));
}

TEST_P(NodeContract, nodes_are_listed_by_name_in_pages)
{
    const auto token = add_token(1, 9);
    EXPECT_TRUE(run(nodes().nodes("", "", 5)).value().nodes.empty());
    unsigned number = 0;
    for (const auto* name : {"e", "same", "same", "Z", "b"}) {
        const auto* zone = ++number % 2 == 0 ? "even" : "odd";
        EXPECT_SUCCEEDS(run(nodes().admit(node_of(number, name, zone, token))));
    }
    EXPECT_EQ(names("", "", 9), (std::vector<std::string>{"Z", "b", "e", "same", "same"}));
    std::vector<std::string> ids;
    NodeList page{.nodes = {}, .more = true};
    while (page.more) {
        ASSERT_LT(ids.size(), 5U);
        page = run(nodes().nodes("", ids.empty() ? "" : ids.back(), 2)).value();
        for (const auto& node : page.nodes) ids.push_back(node.id);
    }
    EXPECT_EQ(ids, (std::vector{node_id(4), node_id(5), node_id(1), node_id(2), node_id(3)}));
    EXPECT_FALSE(run(nodes().nodes("", "", 5)).value().more) << "just as many as asked for";

    EXPECT_EQ(names("even", "", 9), (std::vector<std::string>{"Z", "same"}));
    EXPECT_TRUE(run(nodes().nodes("even", "", 1)).value().more);
    EXPECT_EQ(names("even", node_id(4), 9), std::vector<std::string>{"same"});
    EXPECT_EQ(names("even", node_id(5), 9), std::vector<std::string>{"same"}) << "behind one of another zone";
    EXPECT_TRUE(names("none", "", 9).empty());
    EXPECT_SUCCEEDS(run(nodes().remove_node(node_id(4), someone)));
    EXPECT_FAILS(Errc::not_found, run(nodes().nodes("", node_id(4), 9)));
}

TEST_P(NodeContract, nodes_that_come_at_once_are_never_more_than_the_token_may_bring)
{
    const auto token = add_token(1, 10);
    std::atomic<unsigned> admitted = 0;
    std::atomic<unsigned> refused = 0;
    Crowd crowd;
    for (unsigned i = 0; i < 6; ++i) {
        crowd.add([&, i] {
            for (unsigned round = 0; round < 5; ++round) {
                const auto node = node_of(100 * i + round, "n", "z", token);
                const auto outcome = run(nodes().admit(node));
                if (outcome) ++admitted;
                if (!outcome && outcome.error().code() == Errc::conflict) ++refused;
            }
        });
    }
    crowd.join();
    EXPECT_EQ(admitted, 10U);
    EXPECT_EQ(refused, 20U);
    EXPECT_EQ(used(token), 10U);
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM nodes"), 10);
}

TEST_P(NodeContract, a_node_that_comes_twice_at_once_is_counted_once)
{
    for (unsigned round = 0; round < 30; ++round) {
        const auto token = add_token(0, 1);
        std::atomic<unsigned> admitted = 0;
        Crowd crowd;
        for (unsigned i = 0; i < 4; ++i) {
            crowd.add([&, node = node_of(round, "n", "z", token)] { admitted += run(nodes().admit(node)) ? 1 : 0; });
        }
        crowd.join();
        ASSERT_EQ(admitted, 4U);
        ASSERT_EQ(used(token), 1U);
        EXPECT_SUCCEEDS(run(nodes().remove_token(token.id, someone)));
    }
    EXPECT_EQ(events("node.admitted"), 30);
}

TEST_P(NodeContract, a_node_that_two_tokens_bring_at_once_is_counted_to_one)
{
    for (unsigned round = 0; round < 30; ++round) {
        const std::array tokens{add_token(0, 1), add_token(1, 1)};
        std::atomic<unsigned> admitted = 0;
        Crowd crowd;
        for (unsigned i = 0; i < 4; ++i) {
            crowd.add([&, node = node_of(round, "n", "z", tokens[i % 2])] {
                admitted += run(nodes().admit(node)) ? 1 : 0;
            });
        }
        crowd.join();
        ASSERT_EQ(admitted, 4U);
        ASSERT_EQ(used(tokens[0]) + used(tokens[1]), 1U);
        for (const auto& token : tokens) EXPECT_SUCCEEDS(run(nodes().remove_token(token.id, someone)));
    }
}

TEST_P(NodeContract, a_node_that_is_removed_while_it_comes_is_gone_or_counted_again)
{
    const auto token = add_token(1, 1000);
    for (unsigned round = 0; round < 60; ++round) {
        EXPECT_SUCCEEDS(run(nodes().admit(node_of(round, "n", "z", token))));
        const auto before = used(token);
        std::optional<Result<>> admitted;
        std::optional<Result<>> removed;
        Crowd crowd;
        crowd.add([&] { admitted = run(nodes().admit(node_of(round, "n", "z", token))); });
        crowd.add([&] { removed = run(nodes().remove_node(node_id(round), someone)); });
        crowd.join();
        EXPECT_SUCCEEDS(*admitted);
        EXPECT_SUCCEEDS(*removed);
        ASSERT_EQ(used(token), before + (run(nodes().node(node_id(round))) ? 1 : 0));
    }
}

// The times are the database's, so that they are waited for.
constexpr Micros beat_lifetime = 400'000;

TEST_P(NodeContract, instances_meet_and_part)
{
    constexpr Micros minute = 60'000'000;
    EXPECT_EQ(run(nodes().meet("192.0.2.2:7400", minute)).value(), (std::vector<std::string>{"192.0.2.2:7400"}));
    const std::vector<std::string> both{"192.0.2.1:7400", "192.0.2.2:7400"};
    EXPECT_EQ(run(nodes().meet("192.0.2.1:7400", minute)).value(), both);
    EXPECT_EQ(run(nodes().meet("192.0.2.1:7400", minute)).value(), both) << "again";
    EXPECT_TRUE(run(nodes().part("192.0.2.2:7400")));
    EXPECT_TRUE(run(nodes().part("192.0.2.2:7400"))) << "twice";
    EXPECT_EQ(run(nodes().meet("192.0.2.1:7400", minute)).value(), (std::vector<std::string>{"192.0.2.1:7400"}));
}

TEST_P(NodeContract, an_instance_that_says_nothing_is_forgotten)
{
    EXPECT_TRUE(run(nodes().meet("silent", beat_lifetime)));
    EXPECT_TRUE(run(nodes().meet("living", beat_lifetime)));
    const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds{2 * beat_lifetime};
    // It stays for as long as it says so, whoever else has gone.
    std::vector<std::string> met;
    while (std::chrono::steady_clock::now() < until) {
        met = run(nodes().meet("living", beat_lifetime)).value();
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
    EXPECT_EQ(met, (std::vector<std::string>{"living"}));
    EXPECT_EQ(run(nodes().meet("silent", beat_lifetime)).value(), (std::vector<std::string>{"living", "silent"}));
}

TEST_P(NodeContract, an_instance_of_the_future_is_forgotten)
{
    EXPECT_TRUE(run(nodes().meet("future", 1'000'000)));
    EXPECT_EQ(host().number("UPDATE swarm_instances SET beat_at = beat_at + 3600000000 RETURNING 1"), 1);
    EXPECT_EQ(run(nodes().meet("present", 1'000'000)).value(), (std::vector<std::string>{"present"}));
}

}  // namespace entrepot::contract
