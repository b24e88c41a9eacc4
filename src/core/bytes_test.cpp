#include "core/bytes.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fcntl.h>
#include <gtest/gtest.h>

namespace entrepot {
namespace {

// Gives its text in pieces of at most `piece` bytes, and fails when it has `breaks_at` bytes behind it.
class FakeSource final : public ByteSource {
public:
    FakeSource(std::string text, std::size_t piece, bool announces)
        : text_{std::move(text)}, piece_{piece}, announces_{announces}
    {
    }

    std::optional<std::uint64_t> size() const override
    {
        return announces_ ? std::optional<std::uint64_t>{text_.size()} : std::nullopt;
    }

    Task<std::size_t> read(std::span<std::byte> into) override
    {
        if (given >= breaks_at) co_return fail(Errc::connection_lost, "the connection was lost");
        const auto count = std::min({into.size(), piece_, text_.size() - given});
        std::ranges::copy(as_bytes(std::string_view{text_}.substr(given, count)), into.begin());
        given += count;
        co_return count;
    }

    std::size_t given = 0;
    std::size_t breaks_at = std::string::npos;

private:
    std::string text_;
    std::size_t piece_;
    bool announces_;
};

template <class T>
asio::awaitable<void> keep(Task<T> task, std::optional<Result<T>>* into)
{
    into->emplace(co_await std::move(task));
}

template <class T>
Result<T> run(Task<T> task)
{
    asio::io_context io;
    std::optional<Result<T>> result;
    asio::co_spawn(io, keep(std::move(task), &result), [](const std::exception_ptr& thrown) {
        if (thrown) std::rethrow_exception(thrown);
    });
    io.run();
    return *std::move(result);
}

TEST(ReadAll, reads_a_body_of_announced_and_of_unknown_length)
{
    for (const bool announces : {true, false}) {
        for (const std::size_t length : {0U, 1U, 8191U, 8192U, 8193U, 100'000U}) {
            const std::string text(length, 'x');
            FakeSource source{text, 1000, announces};
            EXPECT_EQ(run(read_all(source, 100'000)), text) << length << announces;
        }
    }
}

TEST(ReadAll, takes_a_body_of_exactly_the_limit_and_no_byte_more)
{
    for (const bool announces : {true, false}) {
        FakeSource fits{std::string(100, 'x'), 7, announces};
        EXPECT_EQ(run(read_all(fits, 100))->size(), 100U);
        FakeSource exceeds{std::string(101, 'x'), 7, announces};
        const auto result = run(read_all(exceeds, 100));
        ASSERT_FALSE(result.has_value());
        EXPECT_EQ(result.error().code(), Errc::payload_too_large);
    }
}

TEST(ReadAll, refuses_an_announced_excess_before_reading)
{
    FakeSource source{std::string(101, 'x'), 7, true};
    EXPECT_FALSE(run(read_all(source, 100)).has_value());
    EXPECT_EQ(source.given, 0U);
}

TEST(ReadAll, stops_reading_soon_after_the_limit)
{
    FakeSource source{std::string(1'000'000, 'x'), 1'000'000, false};
    EXPECT_FALSE(run(read_all(source, 100)).has_value());
    EXPECT_LE(source.given, 101U);
}

TEST(ReadAll, passes_a_failure_on)
{
    FakeSource source{std::string(100, 'x'), 10, false};
    source.breaks_at = 50;
    const auto result = run(read_all(source, 1000));
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code(), Errc::connection_lost);
}

TEST(ReadFull, fills_across_pieces_and_tells_a_short_end)
{
    std::array<std::byte, 10> into{};
    FakeSource longer{std::string(25, 'x'), 3, false};
    EXPECT_EQ(run(read_full(longer, into)), 10U);
    EXPECT_EQ(longer.given, 10U);
    FakeSource shorter{std::string(4, 'x'), 3, false};
    EXPECT_EQ(run(read_full(shorter, into)), 4U);
}

TEST(OpenFile, closes_its_descriptor)
{
    const int descriptor = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    {
        const OpenFile file{descriptor};
        EXPECT_NE(::fcntl(file.descriptor(), F_GETFD), -1);
    }
    EXPECT_EQ(::fcntl(descriptor, F_GETFD), -1);
}

TEST(Hex, is_lower_case_with_leading_zeros)
{
    EXPECT_EQ(to_hex(as_bytes(std::string_view{"\x00\x0f\xa5\xff", 4})), "000fa5ff");
    EXPECT_EQ(to_hex({}), "");
}

struct Pair {
    std::string_view bytes;
    std::string_view plain;
    std::string_view url;
};

TEST(Base64, agrees_with_the_vectors_of_rfc_4648)
{
    for (const auto& [bytes, plain, url] : {
             Pair{"", "", ""},
             Pair{"f", "Zg==", "Zg"},
             Pair{"fo", "Zm8=", "Zm8"},
             Pair{"foo", "Zm9v", "Zm9v"},
             Pair{"foob", "Zm9vYg==", "Zm9vYg"},
             Pair{"fooba", "Zm9vYmE=", "Zm9vYmE"},
             Pair{"foobar", "Zm9vYmFy", "Zm9vYmFy"},
             Pair{"\xfb\xff\xfe", "+//+", "-__-"},
         }) {
        EXPECT_EQ(to_base64(as_bytes(bytes)), plain);
        EXPECT_EQ(to_base64url(as_bytes(bytes)), url);
        EXPECT_EQ(from_base64(plain), bytes);
        EXPECT_EQ(from_base64url(url), bytes);
    }
}

TEST(Base64, refuses_stray_bits_padding_and_letters)
{
    for (const auto* text :
         {"Zh==", "Zm9=", "Zg", "Zg=", "Zg===", "Z===", "====", "=", "Zg==Zg==", "Zm9v\n", "Zm 9", "-__-", "Zm9vYg=a"
         }) {
        EXPECT_FALSE(from_base64(text).has_value()) << text;
    }
    for (const auto* text : {"Zh", "Zm9", "Zg==", "Z", "Zm9vY", "+//+", "Zm8=", "Zm9v ", "Zm9v\n"}) {
        EXPECT_FALSE(from_base64url(text).has_value()) << text;
    }
}

TEST(Base64, gives_every_byte_back)
{
    std::string all;
    for (int byte = 0; byte < 256; ++byte) {
        all.push_back(static_cast<char>(byte));
        EXPECT_EQ(from_base64(to_base64(as_bytes(all))), all);
        EXPECT_EQ(from_base64url(to_base64url(as_bytes(all))), all);
    }
}

TEST(EqualInConstantTime, tells_equal_from_different)
{
    EXPECT_TRUE(equal_in_constant_time("", ""));
    EXPECT_TRUE(equal_in_constant_time("secret", "secret"));
    EXPECT_FALSE(equal_in_constant_time("secret", "secreT"));
    EXPECT_FALSE(equal_in_constant_time("Secret", "secret"));
    EXPECT_FALSE(equal_in_constant_time("secret", "secrets"));
}

}  // namespace
}  // namespace entrepot
