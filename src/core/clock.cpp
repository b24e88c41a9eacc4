#include "core/clock.hpp"

#include <array>
#include <ctime>

namespace entrepot {
namespace {

// The digits [at, at+count) as a number; -1 when they aren't.
int digits(std::string_view text, std::size_t at, std::size_t count) noexcept
{
    if (text.size() < at + count) return -1;
    int value = 0;
    for (const char c : text.substr(at, count)) {
        if (c < '0' || c > '9') return -1;
        value = value * 10 + (c - '0');
    }
    return value;
}

std::optional<Micros> parse_seconds(std::string_view text) noexcept
{
    if (text.empty() || text.size() > 12) return std::nullopt;
    Micros value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + (c - '0');
    }
    return value * 1'000'000;
}

// ".123" and what follows it: "Z", "+02:00". Microseconds to add; nullopt when it is neither.
std::optional<Micros> parse_fraction_and_offset(std::string_view rest) noexcept
{
    Micros micros = 0;
    if (rest.starts_with('.')) {
        rest.remove_prefix(1);
        Micros unit = 100'000;
        std::size_t count = 0;
        for (; count < rest.size() && rest[count] >= '0' && rest[count] <= '9'; ++count, unit /= 10) {
            micros += (rest[count] - '0') * unit;
        }
        if (count == 0) return std::nullopt;
        rest.remove_prefix(count);
    }
    if (rest == "Z" || rest == "z") return micros;
    if (rest.size() != 6 || (rest[0] != '+' && rest[0] != '-') || rest[3] != ':') return std::nullopt;
    const int hours = digits(rest, 1, 2);
    const int minutes = digits(rest, 4, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
    const Micros offset = (hours * Micros{60} + minutes) * 60'000'000;
    return rest[0] == '+' ? micros - offset : micros + offset;
}

}  // namespace

std::optional<Micros> parse_time(std::string_view text) noexcept
{
    if (text.size() < 20) return parse_seconds(text);
    const bool shaped = text[4] == '-' && text[7] == '-' && (text[10] == 'T' || text[10] == 't' || text[10] == ' ') &&
                        text[13] == ':' && text[16] == ':';
    const std::chrono::year_month_day day{
        std::chrono::year{digits(text, 0, 4)},
        std::chrono::month{static_cast<unsigned>(digits(text, 5, 2))},
        std::chrono::day{static_cast<unsigned>(digits(text, 8, 2))}
    };
    const int hour = digits(text, 11, 2);
    const int minute = digits(text, 14, 2);
    const int second = digits(text, 17, 2);
    const auto rest = parse_fraction_and_offset(text.substr(19));
    if (!shaped || digits(text, 0, 4) < 0 || !day.ok() || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
        second < 0 || second > 60 || !rest) {
        return std::nullopt;
    }
    const Micros days = std::chrono::sys_days{day}.time_since_epoch().count();
    return ((days * 24 + hour) * 60 + minute) * Micros{60'000'000} + second * Micros{1'000'000} + *rest;
}

Micros SystemClock::now() const noexcept
{
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(since).count();
}

std::chrono::steady_clock::time_point SystemClock::steady() const noexcept
{
    return std::chrono::steady_clock::now();
}

std::string rfc3339(Micros time)
{
    const auto seconds = std::chrono::floor<std::chrono::seconds>(std::chrono::microseconds{time});
    const auto days = std::chrono::floor<std::chrono::days>(seconds);
    const std::chrono::year_month_day day{std::chrono::sys_days{days}};
    const std::chrono::hh_mm_ss clock{seconds - days};
    std::string text = "0000-00-00T00:00:00Z";
    const auto put = [&](std::size_t at, std::size_t count, int value) {
        for (; count > 0; --count, value /= 10) text[at + count - 1] = static_cast<char>('0' + value % 10);
    };
    put(0, 4, static_cast<int>(day.year()));
    put(5, 2, static_cast<int>(static_cast<unsigned>(day.month())));
    put(8, 2, static_cast<int>(static_cast<unsigned>(day.day())));
    put(11, 2, static_cast<int>(clock.hours().count()));
    put(14, 2, static_cast<int>(clock.minutes().count()));
    put(17, 2, static_cast<int>(clock.seconds().count()));
    return text;
}

std::string http_date(Micros time)
{
    const auto seconds = static_cast<std::time_t>(time / 1'000'000);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 64> text{};
    const auto length = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return {text.data(), length};
}

}  // namespace entrepot
