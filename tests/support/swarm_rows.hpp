#pragma once

#include "core/run_to_end.hpp"
#include "ports/metadata_store.hpp"

#include <gtest/gtest.h>

#include <string>

namespace entrepot {

// A node, what brought it and what vouches for it, and the hashes of the blob "layer", which is stored.
struct SwarmRows {
    std::string secret{"\0sealed\xff", 8};
    NodeTokenEntry token{
        .id = "0102030405060708", .hash = "h", .zones = {"eu"}, .nodes = 2, .created_at = 1, .created_by = "admin"
    };
    NodeEntry node{.id = std::string(64, 'a'), .name = "n1", .zone = "eu", .token_id = token.id};
    ChunkList layer{
        .of = {.blob = digest_of("layer"), .size = 5, .root = std::string(32, 'r')}, .hashes = std::string(32, 'h')
    };
};

inline void write_swarm_rows(MetadataStore& store)
{
    const SwarmRows rows;
    ASSERT_TRUE(run_to_end(store.nodes().keep_secret("swarm.tickets", rows.secret)));
    ASSERT_TRUE(run_to_end(store.nodes().add_token(rows.token, {1, 1})));
    ASSERT_TRUE(run_to_end(store.nodes().admit(rows.node)));
    ASSERT_TRUE(run_to_end(store.chunks().store(rows.layer)));
}

inline void expect_swarm_rows(MetadataStore& store)
{
    const SwarmRows rows;
    EXPECT_EQ(run_to_end(store.nodes().keep_secret("swarm.tickets", "another")).value(), rows.secret);
    auto token = rows.token;
    token.used = 1;
    EXPECT_EQ(run_to_end(store.nodes().token(token.id)).value(), token);
    EXPECT_EQ(run_to_end(store.nodes().node(rows.node.id)).value(), rows.node);
    EXPECT_EQ(run_to_end(store.chunks().hashes(rows.layer.of.blob)).value(), rows.layer.hashes);
}

// An image that the node is to have.
inline PreheatEntry preheat_row()
{
    return {
        .id = 1,
        .project_id = 1,
        .repository = "p/r",
        .reference = "1",
        .digest = "sha256:" + std::string(64, 'c'),
        .bytes = 9,
        .selection = {.zones = {"eu"}, .names = {}, .percent = 50},
        .deadline = 7,
        .owner_id = 1,
        .owner = "admin",
        .created_at = 2,
        .counts = {.nodes = {0, 1, 0, 0, 0}, .bytes_done = 3},
    };
}

inline void write_preheat_rows(MetadataStore& store)
{
    const SwarmRows rows;
    ASSERT_TRUE(run_to_end(store.preheats().add(preheat_row(), {rows.node.id}, {.user_id = 1, .at = 2})));
    const PreheatNews news{
        .preheat = 1, .node = rows.node.id, .state = NodePreheat::running, .bytes_done = 3, .message = "m"
    };
    ASSERT_TRUE(run_to_end(store.preheats().note({news}, 4)));
}

inline void expect_preheat_rows(MetadataStore& store)
{
    EXPECT_EQ(run_to_end(store.preheats().find(1)).value(), preheat_row());
    const auto nodes = run_to_end(store.preheats().nodes(1, {})).value().items;
    ASSERT_EQ(nodes.size(), 1U);
    EXPECT_EQ(nodes.front().message, "m");
    EXPECT_EQ(nodes.front().at, 4);
}

}  // namespace entrepot
