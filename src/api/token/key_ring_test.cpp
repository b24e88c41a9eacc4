#include "api/token/key_ring.hpp"

#include "core/run_to_end.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/memory_accounts.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

class Ring : public testing::Test {
protected:
    KeyRing instance(char key = '1')
    {
        return KeyRing{catalog, *MasterKey::parse(std::string(64, key)), TokenSettings{}, clock, random};
    }
    MemoryKeys catalog;
    FakeClock clock;
    SystemRandom random;
};

TEST_F(Ring, makes_its_first_key_at_the_first_start_and_keeps_it)
{
    auto first = instance();
    EXPECT_EQ(first.signer(), nullptr);
    ASSERT_TRUE(run_to_end(first.open()));
    ASSERT_NE(first.signer(), nullptr);
    auto after_restart = instance();
    ASSERT_TRUE(run_to_end(after_restart.open()));
    EXPECT_EQ(after_restart.signer()->id(), first.signer()->id());
    EXPECT_EQ(catalog.stored.size(), 1U);
}

TEST_F(Ring, a_token_signed_before_a_restart_verifies_after_it)
{
    auto before = instance();
    ASSERT_TRUE(run_to_end(before.open()));
    const auto token = SignedToken::parse(*before.signer()->sign("{}"));
    auto after = instance();
    ASSERT_TRUE(run_to_end(after.open()));
    const auto key = after.find(token->key_id());
    ASSERT_NE(key, nullptr);
    EXPECT_TRUE(token->payload_signed_by(*key));
}

TEST_F(Ring, stores_no_private_key_in_the_clear)
{
    auto ring = instance();
    ASSERT_TRUE(run_to_end(ring.open()));
    EXPECT_EQ(catalog.stored[0].sealed.find("\"d\""), std::string::npos);
    EXPECT_EQ(catalog.stored[0].id, ring.signer()->id());
}

TEST_F(Ring, does_not_start_under_another_master_key)
{
    auto ring = instance();
    ASSERT_TRUE(run_to_end(ring.open()));
    auto wrong = instance('2');
    const auto opened = run_to_end(wrong.open());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), Errc::corrupt);
    EXPECT_NE(opened.error().message().find("master key"), std::string::npos);
    EXPECT_EQ(catalog.stored.size(), 1U);
}

TEST_F(Ring, a_key_stored_under_another_keys_id_is_refused)
{
    auto ring = instance();
    ASSERT_TRUE(run_to_end(ring.open()));
    catalog.stored[0].id = "another";
    auto again = instance();
    EXPECT_FALSE(run_to_end(again.open()));
}

TEST_F(Ring, rotates_after_thirty_days_and_lets_the_old_key_verify_until_its_last_token_has_expired)
{
    auto ring = instance();
    ASSERT_TRUE(run_to_end(ring.open()));
    const auto old_id = ring.signer()->id();
    clock.advance(std::chrono::days{30} - std::chrono::seconds{1});
    EXPECT_FALSE(ring.rotation_due());
    clock.advance(std::chrono::seconds{1});
    EXPECT_TRUE(ring.rotation_due());
    ASSERT_TRUE(run_to_end(ring.maintain()));
    EXPECT_NE(ring.signer()->id(), old_id);
    EXPECT_NE(ring.find(old_id), nullptr);
    clock.advance(std::chrono::minutes{30});
    ASSERT_TRUE(run_to_end(ring.maintain()));
    EXPECT_NE(ring.find(old_id), nullptr);
    clock.advance(std::chrono::minutes{1});
    ASSERT_TRUE(run_to_end(ring.maintain()));
    EXPECT_EQ(ring.find(old_id), nullptr);
    EXPECT_EQ(catalog.stored.size(), 1U);
}

TEST_F(Ring, a_key_that_signed_past_its_end_is_not_dropped_before_its_tokens)
{
    auto ring = instance();
    ASSERT_TRUE(run_to_end(ring.open()));
    const auto old_id = ring.signer()->id();
    clock.advance(std::chrono::days{40});
    ASSERT_TRUE(run_to_end(ring.maintain()));
    EXPECT_NE(ring.find(old_id), nullptr);
}

TEST_F(Ring, learns_a_key_that_another_instance_made)
{
    auto here = instance();
    ASSERT_TRUE(run_to_end(here.open()));
    clock.advance(std::chrono::days{30});
    auto there = instance();
    ASSERT_TRUE(run_to_end(there.open()));
    const auto id = there.signer()->id();
    EXPECT_EQ(here.find(id), nullptr);
    const auto found = run_to_end(here.find_or_reload(id));
    ASSERT_TRUE(found);
    ASSERT_NE(*found, nullptr);
    EXPECT_EQ(here.signer()->id(), id);
}

TEST_F(Ring, unknown_key_ids_ask_the_database_once_a_second_at_most)
{
    auto ring = instance();
    ASSERT_TRUE(run_to_end(ring.open()));
    const auto before = catalog.reads;
    for (int i = 0; i < 100; ++i) EXPECT_EQ(*run_to_end(ring.find_or_reload("foreign")), nullptr);
    EXPECT_EQ(catalog.reads - before, 1);
    clock.advance(std::chrono::seconds{1});
    EXPECT_EQ(*run_to_end(ring.find_or_reload("foreign")), nullptr);
    EXPECT_EQ(catalog.reads - before, 2);
}

TEST_F(Ring, goes_on_with_the_old_key_while_the_database_is_away)
{
    auto ring = instance();
    ASSERT_TRUE(run_to_end(ring.open()));
    const auto id = ring.signer()->id();
    clock.advance(std::chrono::days{31});
    catalog.away = true;
    EXPECT_FALSE(run_to_end(ring.maintain()));
    EXPECT_EQ(ring.signer()->id(), id);
}

TEST_F(Ring, jwks_lists_every_key_that_verifies)
{
    auto ring = instance();
    ASSERT_TRUE(run_to_end(ring.open()));
    const auto first = ring.signer()->id();
    clock.advance(std::chrono::days{30});
    ASSERT_TRUE(run_to_end(ring.maintain()));
    const auto document = ring.jwks();
    EXPECT_NE(document.find(first), std::string::npos);
    EXPECT_NE(document.find(ring.signer()->id()), std::string::npos);
    EXPECT_EQ(document.find("\"d\""), std::string::npos);
}

}  // namespace
}  // namespace entrepot
