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

}  // namespace entrepot
