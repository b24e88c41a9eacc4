#pragma once

#include "app/config_keys.hpp"
#include "app/config_values.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <type_traits>

// How the tables of keys spell the common kinds of values. Only the files that hold a table include this.
namespace entrepot::config_kinds {

using std::chrono::seconds;

inline constexpr std::uint64_t kib = 1024;
inline constexpr std::uint64_t mib = 1024 * kib;
inline constexpr std::uint64_t gib = 1024 * mib;
inline constexpr std::uint64_t any = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t hour = 3600;
inline constexpr std::int64_t day = 24 * hour;

// The member of a Config or ListenerConfig that a key sets.
#define ENTREPOT_FIELD(member) [](auto& target) -> auto& { return target.member; }

inline Result<> within_range(bool low, bool high, const std::string& least, const std::string& most)
{
    if (low) return fail(Errc::bad_request, "must be at least " + least);
    if (high) return fail(Errc::bad_request, "must be at most " + most);
    return {};
}

// `field` is a captureless lambda that gives the member of the target, const or not.
template <class Target, std::uint64_t least, std::uint64_t most, class Field>
constexpr ConfigKey<Target> count(std::string_view name, Field, std::string_view text)
{
    const auto set = [](Target& target, std::string_view value) -> Result<> {
        auto& field = Field{}(target);
        TRY(const auto number, parse_count(value));
        CHECK(within_range(number<least, number> most, std::to_string(least), std::to_string(most)));
        field = static_cast<std::remove_reference_t<decltype(field)>>(number);
        return {};
    };
    return {name, "number", text, set, [](const Target& target) { return std::to_string(Field{}(target)); }};
}

template <class Target, std::uint64_t least, std::uint64_t most, class Field>
constexpr ConfigKey<Target> size(std::string_view name, Field, std::string_view text)
{
    const auto set = [](Target& target, std::string_view value) -> Result<> {
        auto& field = Field{}(target);
        TRY(const auto bytes, parse_size(value));
        CHECK(within_range(bytes<least, bytes> most, show_size(least), show_size(most)));
        field = static_cast<std::remove_reference_t<decltype(field)>>(bytes);
        return {};
    };
    return {name, "size", text, set, [](const Target& target) { return show_size(Field{}(target)); }};
}

template <std::int64_t least, std::int64_t most, class Field>
constexpr ConfigKey<Config> duration(std::string_view name, Field, std::string_view text)
{
    const auto set = [](Config& target, std::string_view value) -> Result<> {
        TRY(const auto time, parse_duration(value));
        constexpr seconds low{least};
        constexpr seconds high{most};
        CHECK(within_range(time<low, time> high, show_duration(low), show_duration(high)));
        Field{}(target) = time;
        return {};
    };
    return {name, "duration", text, set, [](const Config& target) { return show_duration(Field{}(target)); }};
}

template <class Field>
constexpr ConfigKey<Config> on_or_off(std::string_view name, Field, std::string_view text)
{
    const auto set = [](Config& target, std::string_view value) -> Result<> {
        TRY(Field{}(target), parse_switch(value));
        return {};
    };
    return {name, "true, false", text, set, [](const Config& target) -> std::string {
                return Field{}(target) ? "true" : "false";
            }};
}

template <class Target, class Field>
constexpr ConfigKey<Target> path(std::string_view name, Field, std::string_view text)
{
    const auto set = [](Target& target, std::string_view value) -> Result<> {
        if (value.empty()) return fail(Errc::bad_request, "must not be empty");
        Field{}(target) = std::string{value};
        return {};
    };
    return {name, "path", text, set, [](const Target& target) {
                return std::filesystem::path{Field{}(target)}.string();
            }};
}

// Text that ends up in headers and tokens: printable, without quotes.
inline Result<> check_label(std::string_view value)
{
    const auto plain = [](char letter) { return letter > ' ' && letter < '\x7f' && letter != '"' && letter != '\\'; };
    if (value.empty() || value.size() > 255 || !std::ranges::all_of(value, plain)) {
        return fail(Errc::bad_request, "must be 1 to 255 printable characters without blanks, quotes and backslashes");
    }
    return {};
}

template <class Target, class Field>
constexpr ConfigKey<Target> label(std::string_view name, Field, std::string_view text)
{
    const auto set = [](Target& target, std::string_view value) -> Result<> {
        CHECK(check_label(value));
        Field{}(target) = std::string{value};
        return {};
    };
    return {name, "text", text, set, [](const Target& target) { return std::string{Field{}(target)}; }};
}

template <class Value>
struct Word {
    std::string_view text;
    Value value;
};

template <class Value, std::size_t amount>
Result<Value> pick(const std::array<Word<Value>, amount>& words, std::string_view value)
{
    const auto found = std::ranges::find(words, value, &Word<Value>::text);
    if (found != words.end()) return found->value;
    std::string allowed;
    for (const auto& word : words) allowed += (allowed.empty() ? "" : ", ") + std::string{word.text};
    return fail(Errc::bad_request, "'" + std::string{value} + "' is none of " + allowed);
}

template <class Value, std::size_t amount>
std::string shown(const std::array<Word<Value>, amount>& words, Value value)
{
    return std::string{std::ranges::find(words, value, &Word<Value>::value)->text};
}

inline std::string joined(const std::vector<std::string>& items)
{
    std::string text;
    for (const auto& item : items) text += (text.empty() ? "" : ", ") + item;
    return text;
}

}  // namespace entrepot::config_kinds
