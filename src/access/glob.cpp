#include "access/glob.hpp"

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>

namespace entrepot {
namespace {

bool balanced(std::string_view pattern) noexcept
{
    int depth = 0;
    for (const char c : pattern) {
        if (c == '{') ++depth;
        if (c == '}' && --depth < 0) return false;
    }
    return depth == 0;
}

// What stands between brackets is plain characters and ranges of them, after a ^ (or !) all others.
bool sound_brackets(std::string_view pattern) noexcept
{
    constexpr std::string_view inside = "[]{},*?/^!";
    for (auto open = pattern.find_first_of("[]^!"); open != std::string_view::npos;) {
        if (pattern[open] != '[') return false;
        auto at = open + 1;
        if (at < pattern.size() && (pattern[at] == '^' || pattern[at] == '!')) ++at;
        const auto close = pattern.find_first_of(inside, at);
        if (close == std::string_view::npos || close == at || pattern[close] != ']') return false;
        open = pattern.find_first_of("[]^!", close + 1);
    }
    return true;
}

bool acceptable(std::string_view pattern) noexcept
{
    return !pattern.empty() && pattern.size() <= longest_glob && balanced(pattern) && sound_brackets(pattern);
}

// The pattern as a machine whose states are places in it: all places that the text so far can have led to are followed
// at once.
class Matcher {
public:
    Matcher(std::string_view pattern, std::string_view text) noexcept : pattern_{pattern}, text_{text}
    {
        link_groups();
    }

    bool matches() noexcept
    {
        enter(0, 0);
        for (std::size_t at = 0; at < text_.size(); ++at) {
            const States before = now_;
            if (before.none()) return false;
            now_.reset();
            for (std::size_t place = 0; place < pattern_.size(); ++place) {
                if (before[place]) consume(place, at);
            }
        }
        return now_[pattern_.size()];
    }

private:
    using States = std::bitset<longest_glob + 1>;

    // For each brace or comma of a group where the next alternative starts and where the group ends. From the right,
    // so that what comes next is known.
    void link_groups() noexcept
    {
        std::array<std::uint16_t, longest_glob + 1> following{};
        std::array<std::uint16_t, longest_glob + 1> closing{};
        std::size_t open = 0;
        for (auto place = pattern_.size(); place-- > 0;) {
            const char c = pattern_[place];
            const auto here = static_cast<std::uint16_t>(place);
            if (c == '}') {
                ++open;
                following[open] = closing[open] = here;
            } else if (open > 0 && (c == ',' || c == '{')) {
                next_[place] = following[open];
                end_[place] = closing[open];
                following[open] = here;
                if (c == '{') --open;
            }
        }
    }

    // Two stars that are a segment of their own.
    bool is_double_star(std::size_t place) const noexcept
    {
        constexpr std::string_view before = "/{,";
        constexpr std::string_view after = "/},";
        if (pattern_.substr(place, 2) != "**") return false;
        const bool starts = place == 0 || before.find(pattern_[place - 1]) != std::string_view::npos;
        const auto end = place + 2;
        return starts && (end == pattern_.size() || after.find(pattern_[end]) != std::string_view::npos);
    }

    // Adds the place and all that can be reached from it without a character; `at` is how much of the text was read.
    void enter(std::size_t place, std::size_t at) noexcept
    {
        if (now_[place]) return;
        now_.set(place);
        if (place == pattern_.size()) return;
        switch (pattern_[place]) {
            case '*': enter_star(place, at); break;
            case '{': enter_alternatives(place, at); break;
            case ',':
                if (end_[place] != 0) enter(end_[place] + 1U, at);
                break;
            case '}': enter(place + 1, at); break;
            case '/':
                // "a/**" is a itself, too.
                if (at == text_.size() && is_double_star(place + 1) && place + 3 == pattern_.size()) {
                    enter(pattern_.size(), at);
                }
                break;
            default: break;
        }
    }

    void enter_star(std::size_t place, std::size_t at) noexcept
    {
        if (!is_double_star(place)) {
            enter(place + 1, at);
            return;
        }
        enter(place + 2, at);
        const bool at_segment = at == 0 || text_[at - 1] == '/';
        if (at_segment && place + 2 < pattern_.size() && pattern_[place + 2] == '/') enter(place + 3, at);
    }

    void enter_alternatives(std::size_t place, std::size_t at) noexcept
    {
        for (std::size_t before = place; before < end_[place]; before = next_[before]) enter(before + 1, at);
    }

    void consume(std::size_t place, std::size_t at) noexcept
    {
        const char c = text_[at];
        const char wanted = pattern_[place];
        if (wanted == '*') {
            if (c != '/' || is_double_star(place)) enter(place, at + 1);
        } else if (wanted == '?') {
            if (c != '/') enter(place + 1, at + 1);
        } else if (wanted == '[') {
            const auto end = pattern_.find(']', place);
            if (c != '/' && in_class(pattern_.substr(place + 1, end - place - 1), c)) enter(end + 1, at + 1);
        } else if (wanted == c) {
            enter(place + 1, at + 1);
        }
    }

    // "a-z0" or "^a-z0".
    static bool in_class(std::string_view members, char c) noexcept
    {
        const bool others = members.front() == '^' || members.front() == '!';
        if (others) members.remove_prefix(1);
        bool found = false;
        for (std::size_t i = 0; i < members.size(); ++i) {
            if (i + 2 < members.size() && members[i + 1] == '-') {
                found = found || (members[i] <= c && c <= members[i + 2]);
                i += 2;
            } else {
                found = found || members[i] == c;
            }
        }
        return found != others;
    }

    std::string_view pattern_;
    std::string_view text_;
    States now_;
    std::array<std::uint16_t, longest_glob + 1> next_{};
    std::array<std::uint16_t, longest_glob + 1> end_{};
};

}  // namespace

namespace {

Result<> check(std::string_view pattern, std::string_view allowed, std::string_view of)
{
    if (pattern.empty() || pattern.size() > longest_glob) {
        return fail(Errc::bad_request, "a pattern has 1 to " + std::to_string(longest_glob) + " characters");
    }
    if (pattern.find_first_not_of(allowed) != std::string_view::npos) {
        return fail(
            Errc::bad_request, "a pattern holds characters of " + std::string{of} + " and * ? { , } [ - ] and ^ after ["
        );
    }
    if (!balanced(pattern)) return fail(Errc::bad_request, "the braces of the pattern do not match");
    if (!sound_brackets(pattern)) return fail(Errc::bad_request, "the brackets of the pattern make no sense");
    return {};
}

}  // namespace

Result<> check_glob(std::string_view pattern)
{
    return check(pattern, "abcdefghijklmnopqrstuvwxyz0123456789._-/*?{,}[]^!", "repository names");
}

Result<> check_tag_glob(std::string_view pattern)
{
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-*?{,}[]^!";
    return check(pattern, allowed, "tags");
}

bool glob_matches(std::string_view pattern, std::string_view text) noexcept
{
    return acceptable(pattern) && Matcher{pattern, text}.matches();
}

bool partition_matches(std::string_view pattern, std::string_view name) noexcept
{
    if (pattern.empty() || pattern == name) return true;
    return name.size() > pattern.size() && name.starts_with(pattern) && name[pattern.size()] == '/';
}

}  // namespace entrepot
