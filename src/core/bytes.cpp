#include "core/bytes.hpp"

#include <array>

#include <unistd.h>

namespace entrepot {
namespace {

constexpr std::string_view plain_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string encode(std::span<const std::byte> bytes, std::string_view alphabet, bool padded)
{
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        const auto octet = [&](std::size_t index) {
            return index < bytes.size() ? std::to_integer<std::uint32_t>(bytes[index]) : 0U;
        };
        const std::uint32_t group = octet(at) << 16U | octet(at + 1) << 8U | octet(at + 2);
        const auto digits = std::min<std::size_t>(4, bytes.size() - at + 1);
        for (std::size_t digit = 0; digit < digits; ++digit) {
            text.push_back(alphabet[group >> (18U - 6U * static_cast<unsigned>(digit)) & 63U]);
        }
        if (padded) text.append(4 - digits, '=');
    }
    return text;
}

consteval std::array<std::int8_t, 256> decoding_table(std::string_view alphabet)
{
    std::array<std::int8_t, 256> table{};
    table.fill(-1);
    for (std::size_t index = 0; index < alphabet.size(); ++index) {
        table[static_cast<unsigned char>(alphabet[index])] = static_cast<std::int8_t>(index);
    }
    return table;
}

std::optional<std::string> decode(std::string_view text, const std::array<std::int8_t, 256>& table)
{
    if (text.size() % 4 == 1) return std::nullopt;
    std::string bytes;
    bytes.reserve(text.size() * 3 / 4);
    std::uint32_t group = 0;
    unsigned bits = 0;
    for (const char letter : text) {
        const auto digit = table[static_cast<unsigned char>(letter)];
        if (digit < 0) return std::nullopt;
        group = group << 6U | static_cast<std::uint32_t>(digit);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes.push_back(static_cast<char>(group >> bits & 0xffU));
        }
    }
    const bool stray_bits = (group & ((1U << bits) - 1U)) != 0;
    if (stray_bits) return std::nullopt;
    return bytes;
}

}  // namespace

Task<std::size_t> read_full(ByteSource& source, std::span<std::byte> into)
{
    std::size_t filled = 0;
    while (filled < into.size()) {
        CO_TRY(const auto count, co_await source.read(into.subspan(filled)));
        if (count == 0) break;
        filled += count;
    }
    co_return filled;
}

Task<std::string> read_all(ByteSource& source, std::size_t limit)
{
    const auto announced = source.size();
    if (announced && *announced > limit) {
        co_return fail(
            Errc::payload_too_large, "the body is larger than the limit of " + std::to_string(limit) + " bytes"
        );
    }
    std::string text;
    std::size_t filled = 0;
    text.resize(announced ? static_cast<std::size_t>(*announced) : std::min<std::size_t>(limit, 8192));
    for (;;) {
        if (filled == text.size()) {
            if (announced || filled > limit) break;
            text.resize(std::min(limit + 1, text.size() * 2));
        }
        const auto rest = std::as_writable_bytes(std::span{text}).subspan(filled);
        CO_TRY(const auto count, co_await source.read(rest));
        if (count == 0) break;
        filled += count;
    }
    if (filled > limit) {
        co_return fail(
            Errc::payload_too_large, "the body is larger than the limit of " + std::to_string(limit) + " bytes"
        );
    }
    text.resize(filled);
    co_return text;
}

OpenFile::~OpenFile()
{
    ::close(descriptor_);
}

std::string to_hex(std::span<const std::byte> bytes)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const auto byte : bytes) {
        text.push_back(digits[std::to_integer<unsigned>(byte) >> 4U]);
        text.push_back(digits[std::to_integer<unsigned>(byte) & 15U]);
    }
    return text;
}

std::string to_base64url(std::span<const std::byte> bytes)
{
    return encode(bytes, url_alphabet, false);
}

std::optional<std::string> from_base64url(std::string_view text)
{
    static constexpr auto table = decoding_table(url_alphabet);
    return decode(text, table);
}

std::string to_base64(std::span<const std::byte> bytes)
{
    return encode(bytes, plain_alphabet, true);
}

std::optional<std::string> from_base64(std::string_view text)
{
    static constexpr auto table = decoding_table(plain_alphabet);
    if (text.size() % 4 != 0) return std::nullopt;
    for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
    return decode(text, table);
}

bool equal_in_constant_time(std::string_view left, std::string_view right) noexcept
{
    if (left.size() != right.size()) return false;
    unsigned char difference = 0;
    for (std::size_t at = 0; at < left.size(); ++at) {
        difference |= static_cast<unsigned char>(left[at]) ^ static_cast<unsigned char>(right[at]);
    }
    return difference == 0;
}

}  // namespace entrepot
