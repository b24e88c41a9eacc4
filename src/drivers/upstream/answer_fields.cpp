#include "drivers/upstream/answer_fields.hpp"

#include "core/ascii.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

namespace entrepot {
namespace {

constexpr Micros second = 1'000'000;
constexpr Micros longest_rest = 24 * 3'600 * second;

// Takes a token or a quoted string off the front of `text`.
std::string take_value(std::string_view& text)
{
    std::string value;
    if (!text.starts_with('"')) {
        const auto end = std::min(text.find_first_of(",; \t"), text.size());
        value = text.substr(0, end);
        text.remove_prefix(end);
        return value;
    }
    std::size_t at = 1;
    for (; at < text.size() && text[at] != '"'; ++at) {
        if (text[at] == '\\' && at + 1 < text.size()) ++at;
        value += text[at];
    }
    text.remove_prefix(std::min(at + 1, text.size()));
    return value;
}

// "rel" may hold several relations apart by blanks.
bool is_next(std::string_view relations)
{
    while (!relations.empty()) {
        const auto end = std::min(relations.find(' '), relations.size());
        if (same_word(relations.substr(0, end), "next")) return true;
        relations.remove_prefix(std::min(end + 1, relations.size()));
    }
    return false;
}

}  // namespace

LoginChallenge parse_login_challenge(std::string_view text)
{
    LoginChallenge challenge;
    const auto blank = std::min(text.find(' '), text.size());
    challenge.scheme = lowered(text.substr(0, blank));
    text.remove_prefix(blank);
    while (!text.empty()) {
        const auto start = text.find_first_not_of(" ,;\t");
        if (start == std::string_view::npos) break;
        text.remove_prefix(start);
        const auto equals = text.find('=');
        if (equals == std::string_view::npos) break;
        const auto name = lowered(text.substr(0, equals));
        text.remove_prefix(equals + 1);
        auto value = take_value(text);
        if (name == "realm") challenge.realm = std::move(value);
        if (name == "service") challenge.service = std::move(value);
    }
    return challenge;
}

std::optional<std::string> next_link(std::string_view link)
{
    for (;;) {
        const auto open = link.find('<');
        if (open == std::string_view::npos) return std::nullopt;
        const auto close = link.find('>', open);
        if (close == std::string_view::npos) return std::nullopt;
        const auto target = link.substr(open + 1, close - open - 1);
        link.remove_prefix(close + 1);
        bool next = false;
        while (link = trimmed(link), link.starts_with(';')) {
            link = trimmed(link.substr(1));
            const auto end = std::min(link.find_first_of("=;,"), link.size());
            const auto name = trimmed(link.substr(0, end));
            link.remove_prefix(end);
            if (!link.starts_with('=')) continue;
            link = trimmed(link.substr(1));
            const auto value = take_value(link);
            next = next || (same_word(name, "rel") && is_next(value));
        }
        if (next && !target.empty()) return std::string{target};
    }
}

std::optional<ContentRange> parse_content_range(std::string_view text)
{
    constexpr std::string_view unit = "bytes ";
    if (text.size() < unit.size() || !same_word(text.substr(0, unit.size()), unit)) return std::nullopt;
    text = trimmed(text.substr(unit.size()));
    const auto slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    ContentRange range;
    if (text.substr(slash + 1) != "*") {
        range.size = parse_decimal(text.substr(slash + 1));
        if (!range.size) return std::nullopt;
    }
    const auto part = text.substr(0, slash);
    if (part == "*") return range.size ? std::optional{range} : std::nullopt;
    const auto dash = part.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    range.first = parse_decimal(part.substr(0, dash));
    const auto last = parse_decimal(part.substr(dash + 1));
    if (!range.first || !last || *last < *range.first || (range.size && *last >= *range.size)) return std::nullopt;
    range.last = *last;
    return range;
}

std::optional<std::uint64_t> parse_upload_range(std::string_view text)
{
    text = trimmed(text);
    if (text.starts_with("bytes=")) text.remove_prefix(6);
    const auto dash = text.find('-');
    if (dash == std::string_view::npos || parse_decimal(text.substr(0, dash)) != 0U) return std::nullopt;
    // An empty upload of some ends at -1.
    if (text.substr(dash + 1) == "-1") return 0U;
    const auto last = parse_decimal(text.substr(dash + 1));
    if (!last) return std::nullopt;
    return *last == 0 ? 0U : *last + 1;
}

std::optional<Micros> parse_http_date(std::string_view text)
{
    constexpr std::array<std::string_view, 12> months{
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
    };
    if (text.size() != 29 || text.substr(3, 2) != ", " || !text.ends_with(" GMT")) return std::nullopt;
    const auto number = [text](std::size_t at, std::size_t length) { return parse_decimal(text.substr(at, length)); };
    const auto day = number(5, 2);
    const auto year = number(12, 4);
    const auto hour = number(17, 2);
    const auto minute = number(20, 2);
    const auto last = number(23, 2);
    const auto* month = std::ranges::find(months, text.substr(8, 3));
    if (!day || !year || !hour || !minute || !last || month == months.end()) return std::nullopt;
    if (*day < 1 || *day > 31 || *year < 1970 || *hour > 23 || *minute > 59 || *last > 60) return std::nullopt;
    std::tm parts{};
    parts.tm_year = static_cast<int>(*year) - 1900;
    parts.tm_mon = static_cast<int>(month - months.begin());
    parts.tm_mday = static_cast<int>(*day);
    parts.tm_hour = static_cast<int>(*hour);
    parts.tm_min = static_cast<int>(*minute);
    parts.tm_sec = static_cast<int>(*last);
    return static_cast<Micros>(::timegm(&parts)) * second;
}

std::optional<Micros> parse_retry_after(std::string_view text, Micros now)
{
    constexpr std::uint64_t since_1970 = 1'000'000'000;
    text = trimmed(text);
    auto until = parse_http_date(text);
    if (const auto number = parse_decimal(text)) {
        const auto wait = static_cast<Micros>(std::min<std::uint64_t>(*number, 100 * since_1970));
        until = *number >= since_1970 ? wait * second : now + std::min(wait * second, longest_rest);
    }
    if (!until) return std::nullopt;
    return std::clamp(*until, now, now + longest_rest);
}

std::optional<std::uint64_t> parse_rate_limit(std::string_view text)
{
    return parse_decimal(trimmed(text.substr(0, text.find_first_of(";,"))));
}

}  // namespace entrepot
