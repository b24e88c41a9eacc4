#include "swarm/wire/have_map.hpp"

#include <algorithm>
#include <cassert>
#include <optional>

namespace entrepot {
namespace {

constexpr std::uint32_t bits_of_word = 64;

std::size_t bytes_for(std::uint32_t count) noexcept
{
    return (std::size_t{count} + 7) / 8;
}

// The first piece from `at` on that is not like `there`, or `end`.
std::uint32_t end_of_run(std::span<const std::uint64_t> words, std::uint32_t at, std::uint32_t end, bool there) noexcept
{
    while (at < end) {
        const auto offset = at % bits_of_word;
        auto word = words[at / bits_of_word];
        if (there) word = ~word;
        word >>= offset;
        if (word != 0) return std::min(end, at + static_cast<std::uint32_t>(std::countr_zero(word)));
        at += bits_of_word - offset;
    }
    return end;
}

void put_run(std::string& coded, std::uint32_t length)
{
    for (; length >= 0x80; length >>= 7U) coded.push_back(static_cast<char>((length & 0x7fU) | 0x80U));
    coded.push_back(static_cast<char>(length));
}

// Nothing when bits would be as short.
std::optional<std::string> as_runs(std::span<const std::uint64_t> words, std::uint32_t start, std::uint32_t count)
{
    std::string coded;
    const auto end = start + count;
    bool there = false;
    for (auto at = start; at < end; there = !there) {
        const auto next = end_of_run(words, at, end, there);
        put_run(coded, next - at);
        if (coded.size() >= bytes_for(count)) return std::nullopt;
        at = next;
    }
    return coded;
}

// `start` is a multiple of 8.
std::string as_bits(std::span<const std::uint64_t> words, std::uint32_t start, std::uint32_t count)
{
    std::string coded(bytes_for(count), '\0');
    for (std::size_t at = 0; at < coded.size(); ++at) {
        const auto bit = start + static_cast<std::uint32_t>(at) * 8;
        coded[at] = static_cast<char>(words[bit / bits_of_word] >> (bit % bits_of_word) & 0xffU);
    }
    if (const auto used = count % 8; used != 0)
        coded.back() = static_cast<char>(static_cast<std::uint8_t>(coded.back()) & ((1U << used) - 1U));
    return coded;
}

const char* wrong_with_bits(std::uint32_t count, std::string_view coded) noexcept
{
    if (coded.size() != bytes_for(count)) return "has not a bit for each piece";
    const auto used = count % 8;
    if (used != 0 && static_cast<std::uint8_t>(coded.back()) >> used != 0) return "has bits beyond the last piece";
    return nullptr;
}

const char* wrong_with_runs(std::uint32_t count, std::string_view coded) noexcept
{
    if (coded.size() > bytes_for(count)) return "is longer than bits would be";
    std::uint32_t left = count;
    for (bool first = true; !coded.empty(); first = false) {
        std::uint32_t length = 0;
        unsigned shift = 0;
        bool more = true;
        for (; more && !coded.empty() && shift < 21; shift += 7) {
            const auto octet = static_cast<std::uint8_t>(coded.front());
            coded.remove_prefix(1);
            length |= (octet & 0x7fU) << shift;
            more = (octet & 0x80U) != 0;
            if (!more && octet == 0 && shift != 0) return "has a number with more bytes than it needs";
        }
        if (more) return "has a number without an end";
        if (length == 0 && !first) return "has an empty run";
        if (length > left) return "goes beyond the pieces";
        left -= length;
    }
    return left == 0 ? nullptr : "ends before the pieces do";
}

}  // namespace

std::vector<HaveMapFrame> have_maps_of(SwarmHandle handle, std::uint32_t pieces, std::span<const std::uint64_t> words)
{
    assert(pieces <= WireLimits::pieces && pieces <= words.size() * bits_of_word);
    std::vector<HaveMapFrame> frames;
    for (std::uint32_t start = 0; start < pieces; start += WireLimits::map_pieces) {
        const auto count = std::min(pieces - start, WireLimits::map_pieces);
        auto& frame = frames.emplace_back();
        frame.handle = handle;
        frame.pieces = pieces;
        frame.start = start;
        frame.count = count;
        if (auto runs = as_runs(words, start, count)) {
            frame.coding = MapCoding::runs;
            frame.coded = *std::move(runs);
        } else {
            frame.coding = MapCoding::bits;
            frame.coded = as_bits(words, start, count);
        }
    }
    return frames;
}

const char* wrong_with_coded_pieces(MapCoding coding, std::uint32_t count, std::string_view coded) noexcept
{
    return coding == MapCoding::bits ? wrong_with_bits(count, coded) : wrong_with_runs(count, coded);
}

std::uint32_t take_run(std::string_view& coded) noexcept
{
    std::uint32_t length = 0;
    for (unsigned shift = 0; !coded.empty() && shift < 21; shift += 7) {
        const auto octet = static_cast<std::uint8_t>(coded.front());
        coded.remove_prefix(1);
        length |= (octet & 0x7fU) << shift;
        if ((octet & 0x80U) == 0) break;
    }
    return length;
}

}  // namespace entrepot
