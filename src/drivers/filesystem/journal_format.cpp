#include "drivers/filesystem/journal_format.hpp"

#include "core/bytes.hpp"

#include <optional>

namespace entrepot {
namespace {

// The header: magic, epoch, size, algorithm, the raw digest filled up with zeros to 64 bytes, and a check over all of
// these. Numbers are little-endian.
constexpr std::string_view magic{"EBJ1", 4};
constexpr std::size_t digest_space = 64;
constexpr std::size_t check_size = 8;
constexpr std::size_t checked_size = journal_header_size - check_size;
static_assert(checked_size == 4 + 8 + 4 + 8 + digest_space);

template <class Number>
void put_number(std::string& into, Number number)
{
    for (unsigned shift = 0; shift < sizeof(Number) * 8; shift += 8) {
        into.push_back(static_cast<char>(number >> shift & 0xffU));
    }
}

template <class Number>
Number take_number(std::string_view& from)
{
    Number number = 0;
    for (std::size_t index = 0; index < sizeof(Number); ++index) {
        number |= static_cast<Number>(static_cast<Number>(static_cast<unsigned char>(from[index])) << (8 * index));
    }
    from.remove_prefix(sizeof(Number));
    return number;
}

// FNV-1a: it tells an entry from zeros and from a torn write; the bytes have their digest.
std::uint64_t check_of(std::string_view text)
{
    std::uint64_t check = 0xcbf29ce484222325U;
    for (const char letter : text) check = (check ^ static_cast<unsigned char>(letter)) * 0x100000001b3U;
    return check;
}

std::string raw_of(std::string_view hex)
{
    const auto value = [](char digit) { return static_cast<unsigned>(digit <= '9' ? digit - '0' : digit - 'a' + 10); };
    std::string raw;
    for (std::size_t at = 0; at < hex.size(); at += 2) {
        raw.push_back(static_cast<char>(value(hex[at]) << 4U | value(hex[at + 1])));
    }
    return raw;
}

struct Header {
    std::uint64_t epoch;
    std::uint32_t size;
    Digest digest;
};

std::optional<Header> header_at(std::string_view segment)
{
    if (segment.size() < journal_header_size || !segment.starts_with(magic)) return std::nullopt;
    auto check = segment.substr(checked_size, check_size);
    if (take_number<std::uint64_t>(check) != check_of(segment.substr(0, checked_size))) return std::nullopt;
    segment.remove_prefix(magic.size());
    const auto epoch = take_number<std::uint64_t>(segment);
    const auto size = take_number<std::uint32_t>(segment);
    const auto algorithm = take_number<std::uint64_t>(segment);
    if (algorithm == 1) return Header{epoch, size, Digest::of_hash(DigestAlgorithm::sha256, segment.substr(0, 32))};
    if (algorithm == 2) return Header{epoch, size, Digest::of_hash(DigestAlgorithm::sha512, segment.substr(0, 64))};
    return std::nullopt;
}

}  // namespace

void append_entry(std::string& segment, std::uint64_t epoch, const Digest& digest, std::string_view bytes)
{
    const auto start = segment.size();
    segment += magic;
    put_number(segment, epoch);
    put_number(segment, static_cast<std::uint32_t>(bytes.size()));
    put_number(segment, static_cast<std::uint64_t>(digest.algorithm() == DigestAlgorithm::sha256 ? 1 : 2));
    segment += raw_of(digest.hex());
    segment.resize(start + checked_size, '\0');
    put_number(segment, check_of(std::string_view{segment}.substr(start)));
    segment += bytes;
}

std::vector<JournalEntry> entries_of(std::string_view segment)
{
    std::vector<JournalEntry> entries;
    std::optional<std::uint64_t> epoch;
    while (auto header = header_at(segment)) {
        segment.remove_prefix(journal_header_size);
        if (header->size > segment.size() || (epoch && *epoch != header->epoch)) break;
        epoch = header->epoch;
        entries.push_back({std::move(header->digest), segment.substr(0, header->size)});
        segment.remove_prefix(header->size);
    }
    return entries;
}

}  // namespace entrepot
