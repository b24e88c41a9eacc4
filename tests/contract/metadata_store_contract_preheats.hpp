#pragma once

#include "tests/contract/metadata_store_contract_nodes.hpp"

namespace entrepot::contract {

// Images that nodes are to have before anybody asks for them.
class PreheatContract : public NodeContract {
protected:
    PreheatCatalog& preheats() { return store().preheats(); }

    void SetUp() override
    {
        NodeContract::SetUp();
        const auto token = add_token(1, 9);
        for (unsigned number = 1; number <= 3; ++number) {
            const auto zone = number == 3 ? "b" : "a";
            ASSERT_TRUE(run(nodes().admit(node_of(number, "n" + std::to_string(number), zone, token))));
        }
    }
    static PreheatEntry wanted(std::int64_t project_id = 77)
    {
        return {
            .project_id = project_id,
            .repository = "shop/web",
            .reference = "1",
            .platform = "linux/amd64",
            .digest = "sha256:" + std::string(64, 'a'),
            .bytes = 1000,
            .selection = {.zones = {"a", "b, c"}, .names = {"n1"}, .percent = 50},
            .deadline = 5000,
            .rate = 12,
            .owner_id = 1,
            .access_token_id = 3,
        };
    }
    std::int64_t add(std::vector<std::string> ids, std::int64_t project_id = 77)
    {
        return run(preheats().add(wanted(project_id), std::move(ids), Actor{.user_id = 1, .at = 400})).value();
    }
    PreheatEntry found(std::int64_t id) { return run(preheats().find(id)).value(); }
    void note(std::int64_t id, unsigned node, NodePreheat state, std::int64_t bytes, std::string message = {})
    {
        const PreheatNews news{
            .preheat = id, .node = node_id(node), .state = state, .bytes_done = bytes, .message = std::move(message)
        };
        EXPECT_TRUE(run(preheats().note({news}, 450)));
    }
    std::vector<std::string> listed(std::int64_t id, ListQuery query = {})
    {
        std::vector<std::string> lines;
        for (const auto& node : run(preheats().nodes(id, std::move(query))).value().items)
            lines.push_back(node.name + " " + std::string{name_of(node.state)} + " " + std::to_string(node.bytes_done));
        return lines;
    }
};

TEST_P(PreheatContract, a_preheat_is_found_as_it_was_made)
{
    const auto id = add({node_id(1), node_id(3), node_id(9)});
    auto expected = wanted();
    expected.id = id;
    expected.created_at = 400;
    expected.counts.nodes[0] = 2;  // the third is no node
    auto there = found(id);
    expected.owner = there.owner;
    EXPECT_EQ(there, expected);
    EXPECT_EQ(listed(id), (std::vector<std::string>{"n1 waiting 0", "n3 waiting 0"}));
    EXPECT_EQ(events("preheat.created"), 1);
    EXPECT_EQ(run(preheats().find(id + 1)).error().code(), Errc::not_found);
    host().reopen();
    EXPECT_EQ(found(id), expected);
}

TEST_P(PreheatContract, what_nodes_say_counts_until_their_last_word)
{
    const auto id = add({node_id(1), node_id(2)});
    note(id, 1, NodePreheat::running, 300);
    note(id, 2, NodePreheat::refused, 0, "no room");
    // One that comes later.
    note(id, 3, NodePreheat::waiting, 0);
    EXPECT_EQ(listed(id), (std::vector<std::string>{"n1 running 300", "n2 refused 0", "n3 waiting 0"}));
    note(id, 1, NodePreheat::done, 1000);
    note(id, 1, NodePreheat::running, 5);
    note(id, 2, NodePreheat::done, 1000);
    // What is no node, and no preheat, is passed over.
    note(id, 9, NodePreheat::done, 1000);
    note(id + 1, 1, NodePreheat::done, 1000);
    const auto counts = found(id).counts;
    EXPECT_EQ(counts.nodes, (std::array<std::int64_t, node_preheats>{1, 0, 1, 0, 1}));
    EXPECT_EQ(counts.bytes_done, 1000);
    const auto states = run(preheats().states(id)).value();
    EXPECT_EQ(
        states,
        (std::map<std::string, NodePreheat>{
            {node_id(1), NodePreheat::done}, {node_id(2), NodePreheat::refused}, {node_id(3), NodePreheat::waiting}
        })
    );
    const ListQuery refused{
        .conditions = {{.field = "state", .kind = ListCondition::Kind::equal, .values = {"refused"}}}, .order = {}
    };
    EXPECT_EQ(listed(id, refused), std::vector<std::string>{"n2 refused 0"});
    EXPECT_EQ(run(preheats().nodes(id, {})).value().items[1].message, "no room");
}

TEST_P(PreheatContract, it_ends_once_and_nothing_changes_afterwards)
{
    const auto one = add({node_id(1)});
    const auto two = add({node_id(1)});
    ASSERT_EQ(run(preheats().running()).value().size(), 2U);
    EXPECT_TRUE(run(preheats().end(one, PreheatStage::expired, "too late", Actor{.user_id = 0, .at = 500})).value());
    EXPECT_FALSE(run(preheats().end(one, PreheatStage::done, "", Actor{.user_id = 0, .at = 600})).value());
    EXPECT_EQ(
        run(preheats().end(two + 1, PreheatStage::done, "", Actor{.user_id = 0, .at = 600})).error().code(),
        Errc::not_found
    );
    note(one, 1, NodePreheat::done, 1000);
    const auto ended = found(one);
    EXPECT_EQ(ended.stage, PreheatStage::expired);
    EXPECT_EQ(ended.message, "too late");
    EXPECT_EQ(ended.ended_at, 500);
    EXPECT_EQ(ended.counts.of(NodePreheat::waiting), 1);
    EXPECT_EQ(events("preheat.ended"), 1);
    const auto running = run(preheats().running()).value();
    ASSERT_EQ(running.size(), 1U);
    EXPECT_EQ(running.front(), found(two));
}

TEST_P(PreheatContract, a_node_that_is_removed_is_none_of_its_nodes)
{
    const auto id = add({node_id(1), node_id(2)});
    EXPECT_TRUE(run(nodes().remove_node(node_id(1), someone)));
    EXPECT_EQ(listed(id), std::vector<std::string>{"n2 waiting 0"});
    EXPECT_EQ(found(id).counts.all(), 1);
}

TEST_P(PreheatContract, lists_are_of_some_projects_and_the_newest_comes_first)
{
    const auto one = add({node_id(1)}, 77);
    const auto two = add({node_id(1)}, 78);
    const auto three = add({}, 77);
    const auto ids = [&](std::optional<std::vector<std::int64_t>> projects, ListQuery query = {}) {
        std::vector<std::int64_t> found_ids;
        for (const auto& entry : run(preheats().list(std::move(projects), std::move(query))).value().items)
            found_ids.push_back(entry.id);
        return found_ids;
    };
    EXPECT_EQ(ids(std::nullopt), (std::vector{three, two, one}));
    EXPECT_EQ(ids(std::vector<std::int64_t>{77}), (std::vector{three, one}));
    EXPECT_EQ(ids(std::vector<std::int64_t>{}), std::vector<std::int64_t>{});
    EXPECT_EQ(ids(std::nullopt, {.conditions = {}, .order = {}, .offset = 1, .limit = 1}), std::vector{two});
    EXPECT_EQ(run(preheats().list(std::nullopt, {})).value().total, 3);
    EXPECT_EQ(run(preheats().list(std::nullopt, {})).value().items[1].counts.all(), 1);
}

TEST_P(PreheatContract, those_that_ended_long_ago_go)
{
    const auto one = add({node_id(1)});
    const auto two = add({node_id(1)});
    const auto three = add({node_id(1)});
    EXPECT_TRUE(run(preheats().end(one, PreheatStage::done, "", Actor{.user_id = 0, .at = 500})));
    EXPECT_TRUE(run(preheats().end(two, PreheatStage::done, "", Actor{.user_id = 0, .at = 600})));
    EXPECT_TRUE(run(preheats().remove_ended(600)));
    EXPECT_EQ(run(preheats().find(one)).error().code(), Errc::not_found);
    EXPECT_EQ(found(two).id, two);
    EXPECT_EQ(found(three).id, three);
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM preheat_nodes"), 2);
}

}  // namespace entrepot::contract
