#include "access/promotion_gate.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

using Kind = PromotionGateKind;

TEST(PromotionGate, a_kind_has_the_value_or_the_number_that_it_needs)
{
    for (const auto kind : {Kind::accessory, Kind::label}) {
        EXPECT_TRUE(check_promotion_gate({kind, "x", 0}));
        for (const PromotionGate& wrong :
             {PromotionGate{kind, "", 0},
              PromotionGate{kind, "x", 1},
              PromotionGate{kind, std::string(256, 'x'), 0},
              PromotionGate{kind, "a\nb", 0}}) {
            EXPECT_EQ(check_promotion_gate(wrong).error().code(), Errc::bad_request);
        }
    }
    for (const auto kind : {Kind::minimum_age, Kind::maximum_size}) {
        EXPECT_TRUE(check_promotion_gate({kind, "", 1}));
        EXPECT_FALSE(check_promotion_gate({kind, "", 0}));
        EXPECT_FALSE(check_promotion_gate({kind, "", -1}));
        EXPECT_FALSE(check_promotion_gate({kind, "x", 1}));
    }
    EXPECT_TRUE(check_promotion_gate({Kind::immutable_tag, "", 0}));
    EXPECT_FALSE(check_promotion_gate({Kind::immutable_tag, "x", 0}));
    EXPECT_FALSE(check_promotion_gate({Kind::immutable_tag, "", 1}));
    EXPECT_FALSE(check_promotion_gate({Kind::minimum_age, "", std::int64_t{1} << 40U}));
}

TEST(PromotionGate, it_opens_for_what_has_what_it_asks_for)
{
    PromotionFacts facts;
    facts.accessories = {"signature.cosign", "application/spdx+json"};
    facts.labels = {"ready"};
    facts.pushed_at = 10'000'000;
    facts.size = 100;
    constexpr Micros now = 70'000'000;
    EXPECT_FALSE(refusal_of({Kind::accessory, "signature.cosign", 0}, facts, now));
    EXPECT_EQ(refusal_of({Kind::accessory, "sbom", 0}, facts, now), "it has no accessory of type sbom");
    EXPECT_FALSE(refusal_of({Kind::label, "ready", 0}, facts, now));
    EXPECT_EQ(refusal_of({Kind::label, "Ready", 0}, facts, now), "it does not have the label Ready");
    EXPECT_FALSE(refusal_of({Kind::minimum_age, "", 60}, facts, now));
    EXPECT_TRUE(refusal_of({Kind::minimum_age, "", 61}, facts, now));
    EXPECT_FALSE(refusal_of({Kind::maximum_size, "", 100}, facts, now));
    EXPECT_EQ(refusal_of({Kind::maximum_size, "", 99}, facts, now), "it has 100 bytes, more than 99");
    EXPECT_TRUE(refusal_of({Kind::immutable_tag, "", 0}, facts, now));
    facts.immutable_tag = true;
    EXPECT_FALSE(refusal_of({Kind::immutable_tag, "", 0}, facts, now));
}

TEST(PromotionGate, kinds_are_known_by_their_names)
{
    for (const auto kind : {Kind::accessory, Kind::label, Kind::minimum_age, Kind::maximum_size, Kind::immutable_tag}) {
        EXPECT_EQ(promotion_gate_named(name_of(kind)), kind);
    }
    EXPECT_FALSE(promotion_gate_named("moon"));
}

}  // namespace
}  // namespace entrepot
