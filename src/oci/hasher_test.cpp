#include "oci/hasher.hpp"

#include "core/bytes.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

std::string some_bytes(std::size_t count)
{
    std::string text;
    for (std::size_t index = 0; index < count; ++index) text.push_back(static_cast<char>(index * 131 + index / 7));
    return text;
}

std::string hashed(DigestAlgorithm algorithm, std::string_view bytes)
{
    Hasher hasher{algorithm};
    hasher.update(as_bytes(bytes));
    return hasher.digest().text();
}

class HasherOf : public testing::TestWithParam<DigestAlgorithm> {};

INSTANTIATE_TEST_SUITE_P(
    algorithms,
    HasherOf,
    testing::Values(DigestAlgorithm::sha256, DigestAlgorithm::sha512),
    [](const auto& given) { return std::string{name_of(given.param)}; }
);

// FIPS 180-4, the examples of both algorithms.
TEST(Hasher, gives_the_known_digests)
{
    EXPECT_EQ(
        hashed(DigestAlgorithm::sha256, ""), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    EXPECT_EQ(
        hashed(DigestAlgorithm::sha256, "abc"),
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    EXPECT_EQ(
        hashed(DigestAlgorithm::sha256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
        "sha256:248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    );
    EXPECT_EQ(
        hashed(DigestAlgorithm::sha512, "abc"),
        "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
    );
}

TEST(Hasher, writes_a_state_that_stays_readable)
{
    Hasher hasher{DigestAlgorithm::sha256};
    hasher.update(as_bytes("abc"));
    EXPECT_EQ(hasher.state(), "1aagnmZ7tnroU8bvNypU_1OlEOUn-bBWiMH4PZq1vgzRkAAAAAAAAAA2FiYw");
}

TEST_P(HasherOf, resumes_at_every_offset)
{
    const auto bytes = some_bytes(300);
    const auto whole = hashed(GetParam(), bytes);
    for (std::size_t offset = 0; offset <= bytes.size(); ++offset) {
        Hasher first{GetParam()};
        first.update(as_bytes(bytes).first(offset));
        auto second = Hasher::resume(first.state());
        ASSERT_TRUE(second) << offset;
        EXPECT_EQ(second->state(), first.state());
        EXPECT_EQ(second->algorithm(), GetParam());
        second->update(as_bytes(bytes).subspan(offset));
        EXPECT_EQ(second->digest().text(), whole) << offset;
    }
}

TEST_P(HasherOf, goes_on_after_its_digest_was_asked_for)
{
    const auto bytes = some_bytes(300);
    Hasher hasher{GetParam()};
    hasher.update(as_bytes(bytes).first(100));
    EXPECT_EQ(hasher.digest().text(), hashed(GetParam(), bytes.substr(0, 100)));
    hasher.update(as_bytes(bytes).subspan(100));
    EXPECT_EQ(hasher.digest().text(), hashed(GetParam(), bytes));
}

TEST_P(HasherOf, refuses_a_state_of_any_other_length)
{
    Hasher hasher{GetParam()};
    hasher.update(as_bytes(some_bytes(70)));
    const auto state = hasher.state();
    for (std::size_t length = 0; length < state.size(); ++length) {
        const auto resumed = Hasher::resume(std::string_view{state}.substr(0, length));
        ASSERT_FALSE(resumed) << length;
        EXPECT_EQ(resumed.error().code(), Errc::corrupt);
    }
    EXPECT_FALSE(Hasher::resume(state + "AAAA"));
}

TEST(Hasher, refuses_what_is_no_state)
{
    const auto state = Hasher{DigestAlgorithm::sha256}.state();
    auto other_version = state;
    other_version[0] = '2';
    auto other_algorithm = state;
    other_algorithm[1] = 'b';
    auto unknown_algorithm = state;
    unknown_algorithm[1] = 'z';
    auto broken_text = state;
    broken_text[5] = '!';
    for (const auto& text : {other_version, other_algorithm, unknown_algorithm, broken_text, std::string(60, '\0')}) {
        const auto resumed = Hasher::resume(text);
        ASSERT_FALSE(resumed);
        EXPECT_EQ(resumed.error().code(), Errc::corrupt);
    }
}

// 2^61 bytes and more, or a count that does not fit the unfinished block.
TEST(Hasher, refuses_an_impossible_count)
{
    const auto state_with = [](std::string_view count) {
        return "1a" + to_base64url(as_bytes(std::string(32, 'h') + std::string{count}));
    };
    EXPECT_TRUE(Hasher::resume(state_with({"\0\0\0\0\0\0\0\x40", 8})));
    EXPECT_FALSE(Hasher::resume(state_with({"\x20\0\0\0\0\0\0\0", 8})));
    EXPECT_FALSE(Hasher::resume(state_with({"\0\0\0\0\0\0\0\x41", 8})));
}

TEST(Hasher, counts_beyond_four_gigabits)
{
    auto hasher =
        Hasher::resume("1a" + to_base64url(as_bytes(std::string(32, 'h') + std::string{"\0\0\0\1\0\0\0\0", 8})));
    ASSERT_TRUE(hasher);
    auto again = Hasher::resume(hasher->state());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->state(), hasher->state());
    EXPECT_EQ(again->digest(), hasher->digest());
}

}  // namespace
}  // namespace entrepot
