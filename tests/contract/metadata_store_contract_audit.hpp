#pragma once

#include "tests/contract/metadata_store_contract.hpp"

namespace entrepot::contract {

class AuditAnchorContract : public MetadataStoreContract {
protected:
    AuditAnchors& port() { return store().audit_anchors(); }

    void anchor(const std::string& instance, std::int64_t block, const std::string& hash, std::int64_t from)
    {
        EXPECT_SUCCEEDS(run(port().anchor(instance, {block, hash, 10 * block, 100 + block}, from)));
    }
    // "block:hash" of each anchor.
    std::vector<std::string> anchors(const std::string& instance)
    {
        std::vector<std::string> texts;
        const auto found = run(port().anchors(instance));
        EXPECT_TRUE(found);
        for (const auto& anchor : found.value()) texts.push_back(std::to_string(anchor.block) + ":" + anchor.hash);
        return texts;
    }
    using Texts = std::vector<std::string>;
};

TEST_P(AuditAnchorContract, a_newer_anchor_takes_the_place_of_the_segments_earlier_one_alone)
{
    EXPECT_TRUE(anchors("a").empty());
    anchor("a", 3, "c", 1);
    anchor("a", 7, "g", 5);
    EXPECT_EQ(anchors("a"), (Texts{"3:c", "7:g"})) << "3 is of the segment before";
    anchor("a", 9, "i", 5);
    EXPECT_EQ(anchors("a"), (Texts{"3:c", "9:i"}));
    anchor("a", 11, "k", 11);
    host().reopen();
    EXPECT_EQ(anchors("a"), (Texts{"3:c", "9:i", "11:k"})) << "in the order of blocks, and durable";
    const auto kept = run(port().anchors("a"))->back();
    EXPECT_EQ(kept.records, 110);
    EXPECT_EQ(kept.at, 111);
}

TEST_P(AuditAnchorContract, an_anchor_that_stands_is_never_changed_and_what_contradicts_it_removes_nothing)
{
    anchor("a", 3, "c", 1);
    anchor("a", 5, "e", 5);
    anchor("a", 5, "forged", 1);
    EXPECT_EQ(anchors("a"), (Texts{"3:c", "5:e"}));
    anchor("a", 4, "late", 4);
    EXPECT_EQ(anchors("a"), (Texts{"3:c", "4:late", "5:e"})) << "nothing later goes";
}

TEST_P(AuditAnchorContract, instances_do_not_see_each_others_anchors)
{
    anchor("b", 2, "b2", 1);
    anchor("a", 4, "a4", 1);
    anchor("b", 6, "b6", 1);
    EXPECT_EQ(anchors("a"), Texts{"4:a4"});
    EXPECT_EQ(anchors("b"), Texts{"6:b6"});
    EXPECT_EQ(run(port().instances()).value(), (Texts{"a", "b"}));
}

}  // namespace entrepot::contract
