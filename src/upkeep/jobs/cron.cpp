#include "upkeep/jobs/cron.hpp"

#include "core/ascii.hpp"

#include <array>
#include <chrono>
#include <optional>
#include <span>
#include <string>

namespace entrepot {

namespace {

constexpr Micros second = 1'000'000;
constexpr std::int64_t seconds_of_day = 86'400;
// In days: a 29th of February that is a Monday can be forty years away (from 2072 to 2112: 2100 has none).
constexpr std::int64_t longest_wait = 366 * 41;
constexpr std::size_t longest_text = 256;

constexpr std::array<std::string_view, 12> month_names{
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"
};
constexpr std::array<std::string_view, 7> weekday_names{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct Field {
    const char* name;
    unsigned least;
    unsigned most;
    std::span<const std::string_view> names{};
};

constexpr std::array<Field, 6> fields{{
    {"seconds", 0, 59},
    {"minutes", 0, 59},
    {"hours", 0, 23},
    {"days of the month", 1, 31},
    {"months", 1, 12, month_names},
    {"days of the week", 0, 6, weekday_names},
}};

std::unexpected<Error> wrong(const Field& field, std::string_view part)
{
    return fail(
        Errc::bad_request,
        "cron: \"" + std::string{part} + "\" can't be the " + field.name + ", which are " +
            std::to_string(field.least) + " to " + std::to_string(field.most)
    );
}

std::string_view take_until(std::string_view& text, char end)
{
    const auto length = std::min(text.find(end), text.size());
    const auto part = text.substr(0, length);
    text.remove_prefix(std::min(length + 1, text.size()));
    return part;
}

std::optional<unsigned> value_of(const Field& field, std::string_view text)
{
    for (std::size_t i = 0; i < field.names.size(); ++i) {
        if (same_word(text, field.names[i])) return field.least + static_cast<unsigned>(i);
    }
    const auto number = parse_decimal(text);
    if (!number || *number < field.least || *number > field.most) return std::nullopt;
    return static_cast<unsigned>(*number);
}

// "*", "5", "1-5", each with "/2" behind; "5/2" is from 5 on.
Result<std::uint64_t> bits_of_part(const Field& field, std::string_view part)
{
    std::string_view rest = part;
    const auto range = take_until(rest, '/');
    const bool steps = range.size() < part.size();
    unsigned first = field.least;
    unsigned last = field.most;
    if (range != "*" && range != "?") {
        std::string_view end = range;
        const auto begin = take_until(end, '-');
        const auto from = value_of(field, begin);
        if (!from) return wrong(field, part);
        first = *from;
        if (begin.size() < range.size()) {
            const auto to = value_of(field, end);
            if (!to || *to < first) return wrong(field, part);
            last = *to;
        } else if (!steps) {
            last = first;
        }
    }
    std::uint64_t step = 1;
    if (steps) {
        const auto given = parse_decimal(rest);
        if (!given || *given == 0 || *given > field.most) return wrong(field, part);
        step = *given;
    }
    std::uint64_t bits = 0;
    for (std::uint64_t value = first; value <= last; value += step) bits |= std::uint64_t{1} << value;
    return bits;
}

Result<std::uint64_t> bits_of(const Field& field, std::string_view text)
{
    std::uint64_t bits = 0;
    std::string_view rest = text;
    while (true) {
        const bool is_last = !rest.contains(',');
        TRY(const auto part, bits_of_part(field, take_until(rest, ',')));
        bits |= part;
        if (is_last) return bits;
    }
}

bool is_star(std::string_view text)
{
    return text.starts_with('*') || text.starts_with('?');
}

bool has(std::uint64_t bits, std::int64_t value)
{
    return ((bits >> value) & 1) != 0;
}

}  // namespace

Result<Cron> Cron::parse(std::string_view text)
{
    if (text.size() > longest_text) return fail(Errc::bad_request, "cron: the text is too long");
    std::array<std::string_view, 6> words;
    std::size_t count = 0;
    for (std::string_view rest = trimmed(text); !rest.empty(); rest = trimmed(rest)) {
        const auto word = take_until(rest, ' ');
        if (count < words.size()) words[count] = word;
        ++count;
    }
    if (count != words.size()) {
        return fail(
            Errc::bad_request,
            "cron: six fields are expected (seconds, minutes, hours, days of the month, months, days of the week) and "
            "there are " +
                std::to_string(count)
        );
    }
    const auto at_second = value_of(fields[0], words[0]);
    if (!at_second) {
        return fail(Errc::bad_request, "cron: the seconds are one number from 0 to 59: once a minute at the most");
    }
    Cron cron;
    cron.second_ = *at_second;
    TRY(cron.minutes_, bits_of(fields[1], words[1]));
    TRY(cron.hours_, bits_of(fields[2], words[2]));
    TRY(cron.days_, bits_of(fields[3], words[3]));
    TRY(cron.months_, bits_of(fields[4], words[4]));
    TRY(cron.weekdays_, bits_of(fields[5], words[5]));
    cron.any_day_ = is_star(words[3]);
    cron.any_weekday_ = is_star(words[5]);
    if (cron.next(0) == 0) return fail(Errc::bad_request, "cron: the days of the month never come in these months");
    return cron;
}

bool Cron::comes_on(std::int64_t day) const noexcept
{
    const std::chrono::sys_days days{std::chrono::days{day}};
    const std::chrono::year_month_day date{days};
    if (!has(months_, unsigned{date.month()})) return false;
    const bool day_fits = has(days_, unsigned{date.day()});
    const bool weekday_fits = has(weekdays_, std::chrono::weekday{days}.c_encoding());
    return any_day_ || any_weekday_ ? day_fits && weekday_fits : day_fits || weekday_fits;
}

Micros Cron::next(Micros time) const noexcept
{
    const auto from = std::chrono::floor<std::chrono::seconds>(std::chrono::microseconds{time}).count() + 1;
    const auto today = std::chrono::floor<std::chrono::days>(std::chrono::seconds{from}).count();
    for (std::int64_t day = today; day < today + longest_wait; ++day) {
        if (!comes_on(day)) continue;
        for (std::int64_t minute = 0; minute < seconds_of_day / 60; ++minute) {
            if (!has(hours_, minute / 60) || !has(minutes_, minute % 60)) continue;
            const auto at = day * seconds_of_day + minute * 60 + second_;
            if (at >= from) return at * second;
        }
    }
    return 0;
}

}  // namespace entrepot
