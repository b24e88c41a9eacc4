#include "api/token/password.hpp"

#include "api/token/first_user.hpp"
#include "api/token/password_memory.hpp"
#include "core/run_to_end.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/memory_accounts.hpp"

#include <gtest/gtest.h>

#include <set>

namespace entrepot {
namespace {

TEST(Password, policy_asks_for_length_upper_lower_and_digit)
{
    EXPECT_TRUE(check_password_policy("Abcdefg1"));
    EXPECT_TRUE(check_password_policy("Aa1" + std::string(125, 'x')));
    EXPECT_FALSE(check_password_policy("Abcdef1"));
    EXPECT_FALSE(check_password_policy("Aa1" + std::string(126, 'x')));
    EXPECT_FALSE(check_password_policy("abcdefg1"));
    EXPECT_FALSE(check_password_policy("ABCDEFG1"));
    EXPECT_FALSE(check_password_policy("Abcdefgh"));
    EXPECT_FALSE(check_password_policy("Abcdefg1\n"));
}

TEST(Password, length_counts_characters_not_bytes)
{
    EXPECT_FALSE(check_password_policy("Aa1\u00e9\u00e9\u00e9\u00e9"));
    EXPECT_TRUE(check_password_policy("Aa1\u00e9\u00e9\u00e9\u00e9\u00e9"));
}

TEST(Password, hash_is_argon2id_with_the_agreed_cost_and_a_salt)
{
    SystemRandom random;
    const auto first = hash_password("Secret123", random);
    const auto second = hash_password("Secret123", random);
    ASSERT_TRUE(first);
    EXPECT_TRUE(first->starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    EXPECT_NE(*first, *second);
    EXPECT_TRUE(verify_password("Secret123", *first));
    EXPECT_FALSE(verify_password("Secret124", *first));
    EXPECT_FALSE(verify_password("", *first));
}

TEST(Password, nobody_has_no_password)
{
    EXPECT_FALSE(verify_password("", ""));
    EXPECT_FALSE(verify_password("Secret123", ""));
    EXPECT_FALSE(verify_password("Secret123", "$argon2id$garbage"));
}

TEST(Password, generated_ones_satisfy_the_policy_and_differ)
{
    SystemRandom random;
    std::set<std::string> seen;
    for (int i = 0; i < 200; ++i) {
        const auto password = generate_password(random);
        EXPECT_TRUE(check_password_policy(password));
        EXPECT_TRUE(seen.insert(password).second);
    }
}

TEST(PasswordMemory, knows_what_it_was_told_for_five_minutes)
{
    FakeClock clock;
    SystemRandom random;
    PasswordMemory memory{clock, random};
    const auto tag = memory.tag(PasswordPurpose::any_request, "alice", "Secret123", 1);
    EXPECT_FALSE(memory.knows(tag));
    memory.remember(tag);
    EXPECT_TRUE(memory.knows(tag));
    clock.advance(std::chrono::minutes{5} - std::chrono::seconds{1});
    EXPECT_TRUE(memory.knows(tag));
    clock.advance(std::chrono::seconds{1});
    EXPECT_FALSE(memory.knows(tag));
}

TEST(PasswordMemory, tags_tell_users_passwords_versions_and_processes_apart)
{
    FakeClock clock;
    SystemRandom random;
    const PasswordMemory memory{clock, random};
    const PasswordMemory other_process{clock, random};
    const auto tag = memory.tag(PasswordPurpose::any_request, "alice", "Secret123", 1);
    EXPECT_EQ(tag, memory.tag(PasswordPurpose::any_request, "alice", "Secret123", 1));
    EXPECT_NE(tag, memory.tag(PasswordPurpose::any_request, "alic", "eSecret123", 1));
    EXPECT_NE(tag, memory.tag(PasswordPurpose::any_request, "alice", "Secret124", 1));
    EXPECT_NE(tag, memory.tag(PasswordPurpose::any_request, "alice", "Secret123", 2));
    EXPECT_NE(tag, memory.tag(PasswordPurpose::log_in, "alice", "Secret123", 1));
    EXPECT_NE(tag, other_process.tag(PasswordPurpose::any_request, "alice", "Secret123", 1));
}

TEST(PasswordMemory, forgets_the_oldest_beyond_its_capacity)
{
    FakeClock clock;
    SystemRandom random;
    PasswordMemory memory{clock, random, 2};
    memory.remember("a");
    clock.advance(std::chrono::seconds{1});
    memory.remember("b");
    memory.remember("c");
    EXPECT_FALSE(memory.knows("a"));
    EXPECT_TRUE(memory.knows("b"));
    EXPECT_TRUE(memory.knows("c"));
}

TEST(PasswordMemory, remembering_again_renews)
{
    FakeClock clock;
    SystemRandom random;
    PasswordMemory memory{clock, random};
    memory.remember("a");
    clock.advance(std::chrono::minutes{4});
    memory.remember("a");
    clock.advance(std::chrono::minutes{4});
    memory.remember("b");
    EXPECT_TRUE(memory.knows("a"));
}

TEST(FirstUser, is_admin_with_the_given_password)
{
    MemoryAccounts accounts;
    FakeClock clock;
    SystemRandom random;
    const auto generated = run_to_end(ensure_admin(accounts, "Secret123", clock, random));
    ASSERT_TRUE(generated);
    EXPECT_FALSE(*generated);
    const auto admin = run_to_end(accounts.find("admin"));
    ASSERT_TRUE(admin);
    EXPECT_TRUE(admin->is_admin);
    EXPECT_TRUE(verify_password("Secret123", admin->password_hash));
}

TEST(FirstUser, gets_a_generated_password_once)
{
    MemoryAccounts accounts;
    FakeClock clock;
    SystemRandom random;
    const auto generated = run_to_end(ensure_admin(accounts, std::nullopt, clock, random));
    ASSERT_TRUE(generated);
    ASSERT_TRUE(*generated);
    EXPECT_TRUE(verify_password(**generated, run_to_end(accounts.find("admin"))->password_hash));
    const auto again = run_to_end(ensure_admin(accounts, "Another123", clock, random));
    ASSERT_TRUE(again);
    EXPECT_FALSE(*again);
    EXPECT_TRUE(verify_password(**generated, run_to_end(accounts.find("admin"))->password_hash));
}

TEST(FirstUser, with_a_weak_password_is_refused)
{
    MemoryAccounts accounts;
    FakeClock clock;
    SystemRandom random;
    const auto made = run_to_end(ensure_admin(accounts, "weak", clock, random));
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code(), Errc::bad_request);
    EXPECT_EQ(*run_to_end(accounts.count()), 0);
}

}  // namespace
}  // namespace entrepot
