#include "api/token/token_memory.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

Caller caller(std::int64_t user)
{
    return {
        .identity = std::make_shared<const Identity>(Identity{.user_id = user, .name = "user"}),
        .scopes = std::make_shared<const TokenScopes>(),
    };
}

TEST(TokenMemory, finds_the_whole_token_alone)
{
    TokenMemory memory{1'000, 1'000'000};
    memory.remember("aaaa.bbbb.0123456789abcdef", caller(7), 100);
    ASSERT_TRUE(memory.find("aaaa.bbbb.0123456789abcdef", 50));
    EXPECT_EQ(memory.find("aaaa.bbbb.0123456789abcdef", 50)->identity->user_id, 7);
    EXPECT_FALSE(memory.find("aaaX.bbbb.0123456789abcdef", 50));
    EXPECT_FALSE(memory.find("0123456789abcdef", 50));
    EXPECT_FALSE(memory.find("", 50));
}

TEST(TokenMemory, a_token_is_gone_at_its_end)
{
    TokenMemory memory{1'000, 1'000'000};
    memory.remember("0123456789abcdef", caller(7), 100);
    EXPECT_TRUE(memory.find("0123456789abcdef", 99));
    EXPECT_FALSE(memory.find("0123456789abcdef", 100));
    EXPECT_EQ(memory.size(), 0U);
}

TEST(TokenMemory, is_bounded_by_count_and_by_bytes)
{
    TokenMemory few{160, 1'000'000'000};
    for (int i = 0; i < 2'000; ++i) few.remember("token-with-some-length-" + std::to_string(i), caller(1), 100);
    EXPECT_LE(few.size(), 160U);
    TokenMemory small{1'000'000, 16 * 10'000};
    for (int i = 0; i < 200; ++i)
        small.remember(std::string(4'000, 'x') + "-0123456789-" + std::to_string(i), caller(1), 100);
    EXPECT_LE(small.size(), 16U * 2U);
    EXPECT_GT(small.size(), 0U);
}

TEST(TokenMemory, keeps_what_is_used)
{
    TokenMemory memory{160, 1'000'000'000};
    memory.remember("the-one-that-everybody-uses", caller(1), 100);
    for (int i = 0; i < 2'000; ++i) {
        ASSERT_TRUE(memory.find("the-one-that-everybody-uses", 1)) << i;
        memory.remember("token-with-some-length-" + std::to_string(i), caller(1), 100);
    }
}

}  // namespace
}  // namespace entrepot
