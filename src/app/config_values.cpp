#include "app/config_values.hpp"

#include "app/config.hpp"
#include "core/ascii.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <numeric>
#include <optional>

#include <arpa/inet.h>

namespace entrepot {
namespace {

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

constexpr std::array size_units{
    Unit{"", 1},
    Unit{"B", 1},
    Unit{"kB", 1'000},
    Unit{"KB", 1'000},
    Unit{"MB", 1'000'000},
    Unit{"GB", 1'000'000'000},
    Unit{"TB", 1'000'000'000'000},
    Unit{"KiB", 1ULL << 10U},
    Unit{"MiB", 1ULL << 20U},
    Unit{"GiB", 1ULL << 30U},
    Unit{"TiB", 1ULL << 40U},
};
constexpr std::array duration_units{Unit{"s", 1}, Unit{"m", 60}, Unit{"h", 3600}, Unit{"d", 86'400}};

std::string quoted(std::string_view text)
{
    return "'" + std::string{text} + "'";
}

// Takes the digits off the front of `text`; nullopt when there are none or the number does not fit.
std::optional<std::uint64_t> take_number(std::string_view& text)
{
    std::uint64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

std::string_view take_letters(std::string_view& text)
{
    const auto length = std::min(text.find_first_of("0123456789"), text.size());
    const auto letters = text.substr(0, length);
    text.remove_prefix(length);
    return letters;
}

template <std::size_t count>
std::optional<std::uint64_t> scaled(std::uint64_t number, std::string_view unit, const std::array<Unit, count>& units)
{
    const auto found = std::ranges::find(units, unit, &Unit::name);
    if (found == units.end()) return std::nullopt;
    if (number > std::numeric_limits<std::uint64_t>::max() / found->factor) return std::nullopt;
    return number * found->factor;
}

bool is_numeric(int family, std::string_view text)
{
    std::array<unsigned char, 16> bytes{};
    return ::inet_pton(family, std::string{text}.c_str(), bytes.data()) == 1;
}

bool could_be_interface(std::string_view text)
{
    constexpr std::size_t longest = 15;  // IFNAMSIZ less its end
    constexpr std::string_view others = "._-@";
    const auto allowed = [&](char letter) { return is_letter_or_digit(letter) || others.contains(letter); };
    const bool has_letter = text.find_first_not_of("0123456789.") != std::string_view::npos;
    return !text.empty() && text.size() <= longest && has_letter && std::ranges::all_of(text, allowed);
}

}  // namespace

Result<std::uint64_t> parse_count(std::string_view text)
{
    auto rest = text;
    const auto number = take_number(rest);
    if (!number || !rest.empty()) return fail(Errc::bad_request, quoted(text) + " is not a whole number");
    return *number;
}

Result<std::uint64_t> parse_size(std::string_view text)
{
    auto rest = text;
    const auto number = take_number(rest);
    const auto bytes = number ? scaled(*number, rest, size_units) : std::nullopt;
    if (!bytes) return fail(Errc::bad_request, quoted(text) + " is not a size such as 512, 64KiB or 16MB");
    return *bytes;
}

Result<std::chrono::seconds> parse_duration(std::string_view text)
{
    constexpr std::uint64_t longest = 100ULL * 366 * 86'400;
    std::uint64_t total = 0;
    auto rest = text;
    do {
        const auto number = take_number(rest);
        const auto seconds = number ? scaled(*number, take_letters(rest), duration_units) : std::nullopt;
        if (!seconds || *seconds > longest || total > longest) {
            return fail(Errc::bad_request, quoted(text) + " is not a duration such as 30s, 5m or 168h");
        }
        total += *seconds;
    } while (!rest.empty());
    return std::chrono::seconds{total};
}

Result<bool> parse_switch(std::string_view text)
{
    if (text == "true" || text == "yes" || text == "on") return true;
    if (text == "false" || text == "no" || text == "off") return false;
    return fail(Errc::bad_request, quoted(text) + " is neither true nor false");
}

Result<std::string> parse_address(std::string_view text)
{
    if (text == "localhost") return std::string{"127.0.0.1"};
    const bool good = is_numeric(AF_INET, text) || is_numeric(AF_INET6, text) || could_be_interface(text);
    if (!good)
        return fail(Errc::bad_request, quoted(text) + " is neither a numeric address nor the name of an interface");
    return std::string{text};
}

Result<std::pair<std::string, std::uint16_t>> parse_endpoint(std::string_view text)
{
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return fail(Errc::bad_request, quoted(text) + " is not ADDRESS:PORT");
    }
    auto host = text.substr(0, colon);
    const bool bracketed = host.starts_with('[') && host.ends_with(']');
    if (bracketed) host = host.substr(1, host.size() - 2);
    if (bracketed != host.contains(':')) {
        return fail(Errc::bad_request, quoted(text) + ": an IPv6 address stands in brackets, as in [::1]:5000");
    }
    const auto port = parse_count(text.substr(colon + 1));
    if (!port || *port > 65'535) {
        return fail(Errc::bad_request, quoted(text) + " has no port between 0 and 65535");
    }
    TRY(auto address, parse_address(host.empty() && !bracketed ? "0.0.0.0" : host));
    return std::pair{std::move(address), static_cast<std::uint16_t>(*port)};
}

Result<> check_network(std::string_view text)
{
    const auto slash = text.find('/');
    const auto address = text.substr(0, slash);
    const bool v4 = is_numeric(AF_INET, address);
    const bool v6 = is_numeric(AF_INET6, address);
    const auto bits = slash == std::string_view::npos ? Result<std::uint64_t>{0} : parse_count(text.substr(slash + 1));
    if ((!v4 && !v6) || !bits || *bits > (v4 ? 32U : 128U)) {
        return fail(Errc::bad_request, quoted(text) + " is neither an address nor a network such as 10.0.0.0/8");
    }
    return {};
}

std::string show_size(std::uint64_t bytes)
{
    for (const auto unit : {Unit{"GiB", 1ULL << 30U}, Unit{"MiB", 1ULL << 20U}, Unit{"KiB", 1ULL << 10U}}) {
        if (bytes != 0 && bytes % unit.factor == 0) return std::to_string(bytes / unit.factor) + std::string{unit.name};
    }
    return std::to_string(bytes);
}

std::string show_duration(std::chrono::seconds duration)
{
    const auto seconds = duration.count();
    if (seconds != 0 && seconds % 3600 == 0) return std::to_string(seconds / 3600) + "h";
    if (seconds != 0 && seconds % 60 == 0) return std::to_string(seconds / 60) + "m";
    return std::to_string(seconds) + "s";
}

std::vector<std::string> split_list(std::string_view text)
{
    std::vector<std::string> items;
    for (std::size_t begin = 0; begin <= text.size();) {
        const auto end = std::min(text.find(',', begin), text.size());
        const auto item = trimmed(text.substr(begin, end - begin));
        if (!item.empty()) items.emplace_back(item);
        begin = end + 1;
    }
    return items;
}

std::size_t edit_distance(std::string_view left, std::string_view right)
{
    std::vector<std::size_t> row(right.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t at = 0; at < left.size(); ++at) {
        auto diagonal = row[0];
        row[0] = at + 1;
        for (std::size_t column = 1; column < row.size(); ++column) {
            const auto replaced = diagonal + (left[at] == right[column - 1] ? 0U : 1U);
            diagonal = row[column];
            row[column] = std::min({replaced, row[column] + 1, row[column - 1] + 1});
        }
    }
    return row.back();
}

}  // namespace entrepot
