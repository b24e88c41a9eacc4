#include "access/promotion_gate.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

using Kind = PromotionGateKind;

TEST(PromotionGate, a_kind_has_the_value_or_the_number_that_it_needs)
{
    for (const auto kind : {Kind::accessory, Kind::label, Kind::check}) {
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

TEST(PromotionGate, a_check_opens_it_when_it_has_passed)
{
    using State = ArtifactCheck::State;
    const PromotionGate gate{Kind::check, "e2e", 0};
    PromotionFacts facts;
    facts.checks = {{.name = "lint", .state = State::passed}};
    EXPECT_EQ(refusal_of(gate, facts, 1), "the check e2e has not been reported");
    facts.checks.push_back({.name = "e2e", .state = State::running});
    EXPECT_EQ(refusal_of(gate, facts, 1), "the check e2e is running");
    facts.checks.back().state = State::failed;
    EXPECT_EQ(refusal_of(gate, facts, 1), "the check e2e has failed");
    facts.checks.back().state = State::passed;
    EXPECT_FALSE(refusal_of(gate, facts, 1));
}

TEST(ArtifactCheck, its_name_is_a_word_and_its_texts_are_bounded)
{
    const auto code_of = [](const ArtifactCheck& check) {
        const auto checked = check_artifact_check(check);
        return checked ? Errc::internal : checked.error().code();
    };
    EXPECT_TRUE(check_artifact_check({.name = "e2e.linux_x86-64", .url = "https://ci.example/1", .summary = "12 ok"}));
    for (const auto* name : {"", "a/b", "a b", "a\n", "\xc3\xa9"})
        EXPECT_EQ(code_of({.name = name}), Errc::bad_request);
    EXPECT_EQ(code_of({.name = std::string(129, 'a')}), Errc::bad_request);
    EXPECT_EQ(code_of({.name = "a", .summary = std::string(4097, 'x')}), Errc::bad_request);
    for (const std::string& url :
         {std::string{"javascript:alert(1)"}, std::string{"http://a b"}, "http://" + std::string(2048, 'a')}) {
        EXPECT_EQ(code_of({.name = "a", .url = url}), Errc::bad_request);
    }
    for (const auto* name : {"running", "passed", "failed"}) EXPECT_EQ(name_of(check_state_named(name).value()), name);
    EXPECT_FALSE(check_state_named("flaky"));
}

TEST(PromotionGate, kinds_are_known_by_their_names)
{
    for (const auto kind :
         {Kind::accessory, Kind::label, Kind::minimum_age, Kind::maximum_size, Kind::immutable_tag, Kind::check}) {
        EXPECT_EQ(promotion_gate_named(name_of(kind)), kind);
    }
    EXPECT_FALSE(promotion_gate_named("moon"));
}

}  // namespace
}  // namespace entrepot
