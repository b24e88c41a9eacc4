#include "simulator/scenario_units.hpp"

#include "core/ascii.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <span>
#include <utility>

namespace entrepot {
namespace {

struct WordFactor {
    std::string_view word;
    double factor;
};

constexpr double binary_step = 1024;

constexpr std::array byte_words{
    WordFactor{"", 1},
    WordFactor{"B", 1},
    WordFactor{"kB", 1e3},
    WordFactor{"KB", 1e3},
    WordFactor{"MB", 1e6},
    WordFactor{"GB", 1e9},
    WordFactor{"TB", 1e12},
    WordFactor{"KiB", binary_step},
    WordFactor{"MiB", binary_step* binary_step},
    WordFactor{"GiB", binary_step* binary_step* binary_step},
    WordFactor{"TiB", binary_step* binary_step* binary_step* binary_step},
};
constexpr std::array bit_words{
    WordFactor{"bit", 1.0 / 8},
    WordFactor{"kbit", 1e3 / 8},
    WordFactor{"Mbit", 1e6 / 8},
    WordFactor{"Gbit", 1e9 / 8},
};
constexpr std::array time_words{
    WordFactor{"us", 1},
    WordFactor{"µs", 1},
    WordFactor{"ms", 1e3},
    WordFactor{"s", 1e6},
    WordFactor{"min", 60e6},
    WordFactor{"h", 3600e6},
};

struct NumberAndWord {
    double number;
    std::string_view word;
};

std::optional<NumberAndWord> split(std::string_view text)
{
    text = trimmed(text);
    // from_chars would take "inf", "nan" and a minus.
    if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
    double number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return NumberAndWord{.number = number, .word = trimmed(text)};
}

std::optional<double> scaled_by(std::optional<NumberAndWord> value, std::span<const WordFactor> words)
{
    if (!value) return std::nullopt;
    for (const auto& [word, factor] : words) {
        if (word == value->word) return value->number * factor;
    }
    return std::nullopt;
}

std::unexpected<Error> is_not(std::string_view text, std::string_view what)
{
    return fail(Errc::bad_request, fmt::format("'{}' is not {}", text, what));
}

}  // namespace

Result<std::uint64_t> bytes_in_words(std::string_view text)
{
    constexpr double most = 1e18;
    const auto bytes = scaled_by(split(text), byte_words);
    if (!bytes || *bytes > most || std::floor(*bytes) != *bytes) return is_not(text, "a size such as 3 GB or 64 MiB");
    return static_cast<std::uint64_t>(*bytes);
}

Result<double> rate_in_words(std::string_view text)
{
    const auto value = split(text);
    std::optional<double> rate;
    if (value && value->word.empty()) {
        rate = value->number;
    } else if (value && value->word.ends_with("/s")) {
        auto unit = *value;
        unit.word.remove_suffix(2);
        rate = scaled_by(unit, bit_words);
        if (!rate && !unit.word.empty()) rate = scaled_by(unit, byte_words);
    }
    if (!rate || !std::isfinite(*rate)) return is_not(text, "a rate such as 300 MB/s or 10 Gbit/s");
    return *rate;
}

Result<SwarmTime> time_in_words(std::string_view text)
{
    constexpr double most = 1e15;
    const auto value = split(text);
    const bool is_zero = value && value->word.empty() && value->number == 0;
    const auto time = is_zero ? 0.0 : scaled_by(value, time_words);
    if (!time || *time > most) return is_not(text, "a time such as 250 us, 0.5 ms or 10 s");
    return static_cast<SwarmTime>(std::llround(*time));
}

Result<double> share_in_words(std::string_view text)
{
    constexpr double hundred = 100;
    const auto value = split(text);
    if (value && value->word == "%" && value->number <= hundred) return value->number / hundred;
    if (value && value->word.empty() && value->number <= 1) return value->number;
    return is_not(text, "a share such as 10% or 0.1, from 0 to 1");
}

Result<double> share_of_bound_in_words(std::string_view text)
{
    constexpr std::string_view tail = "of the bound";
    constexpr double most = 20;
    const auto whole = trimmed(text);
    if (!whole.ends_with(tail)) return fail(Errc::not_found, "nothing of the bound");
    const auto value = split(whole.substr(0, whole.size() - tail.size()));
    if (value && value->word == "%" && value->number <= most * 100) return value->number / 100;
    if (value && value->word.empty() && value->number <= most) return value->number;
    return is_not(text, "a time such as 5 s or 50% of the bound");
}

Result<std::uint64_t> count_in_words(std::string_view text)
{
    const auto number = parse_decimal(trimmed(text));
    if (!number) return is_not(text, "a whole number");
    return *number;
}

Result<double> number_in_words(std::string_view text)
{
    const auto value = split(text);
    if (!value || !value->word.empty() || !std::isfinite(value->number)) return is_not(text, "a number such as 2.5");
    return value->number;
}

std::string show_bytes(double bytes)
{
    constexpr double step = 1000;
    constexpr std::array units{"B", "kB", "MB", "GB", "TB", "PB"};
    std::size_t unit = 0;
    for (; bytes >= step && unit + 1 < units.size(); ++unit) bytes /= step;
    return fmt::format("{:.4g} {}", bytes, units.at(unit));
}

std::string show_binary(std::uint64_t bytes)
{
    constexpr std::uint64_t kib = 1024;
    constexpr std::uint64_t mib = kib * kib;
    if (bytes != 0 && bytes % mib == 0) return fmt::format("{} MiB", bytes / mib);
    if (bytes != 0 && bytes % kib == 0) return fmt::format("{} KiB", bytes / kib);
    return fmt::format("{} B", bytes);
}

std::string show_seconds(double microseconds)
{
    constexpr double second = 1e6;
    constexpr double millisecond = 1e3;
    if (microseconds < second) return fmt::format("{:.1f} ms", microseconds / millisecond);
    return fmt::format("{:.3f} s", microseconds / second);
}

}  // namespace entrepot
