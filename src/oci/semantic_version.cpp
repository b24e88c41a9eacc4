#include "oci/semantic_version.hpp"

#include "core/ascii.hpp"

#include <algorithm>
#include <array>

namespace entrepot {
namespace {

bool is_digits(std::string_view text) noexcept
{
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<std::uint64_t> number_of(std::string_view text)
{
    if (!is_digits(text) || (text.size() > 1 && text.front() == '0')) return std::nullopt;
    return parse_decimal(text);
}

// The part before `mark`, which `rest` loses together with the mark.
std::string_view take(std::string_view& rest, char mark) noexcept
{
    const auto end = rest.find(mark);
    const auto part = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    return part;
}

bool is_prerelease(std::string_view text)
{
    if (text.empty() || text.ends_with('.')) return false;
    while (!text.empty()) {
        const auto part = take(text, '.');
        const bool plain = std::ranges::all_of(part, [](char c) {
            return c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        });
        if (part.empty() || !plain || (is_digits(part) && !number_of(part))) return false;
    }
    return true;
}

// semver.org, 11.4: numbers by value and before texts, and what goes on after what ends.
std::weak_ordering compare_prereleases(std::string_view left, std::string_view right) noexcept
{
    while (!left.empty() && !right.empty()) {
        const auto a = take(left, '.');
        const auto b = take(right, '.');
        if (is_digits(a) != is_digits(b)) {
            return is_digits(a) ? std::weak_ordering::less : std::weak_ordering::greater;
        }
        // Without leading zeros the longer number is the greater.
        if (is_digits(a) && a.size() != b.size()) return a.size() <=> b.size();
        if (const auto order = a <=> b; order != 0) return order;
    }
    return left.size() <=> right.size();
}

}  // namespace

std::optional<SemanticVersion> SemanticVersion::parse(std::string_view tag)
{
    tag = tag.substr(0, tag.find_first_of("+_"));
    if (tag.starts_with('v')) tag.remove_prefix(1);
    const auto dash = tag.find('-');
    auto numbers = tag.substr(0, dash);
    const auto major = number_of(take(numbers, '.'));
    const auto minor = number_of(take(numbers, '.'));
    const auto patch = number_of(numbers);
    if (!major || !minor || !patch) return std::nullopt;
    auto version = release(*major, *minor, *patch);
    if (dash == std::string_view::npos) return version;
    if (!is_prerelease(tag.substr(dash + 1))) return std::nullopt;
    version.before_ = tag.substr(dash + 1);
    return version;
}

SemanticVersion SemanticVersion::release(std::uint64_t major, std::uint64_t minor, std::uint64_t patch)
{
    SemanticVersion version;
    version.major_ = major;
    version.minor_ = minor;
    version.patch_ = patch;
    return version;
}

std::weak_ordering SemanticVersion::operator<=>(const SemanticVersion& other) const noexcept
{
    if (const auto order = major_ <=> other.major_; order != 0) return order;
    if (const auto order = minor_ <=> other.minor_; order != 0) return order;
    if (const auto order = patch_ <=> other.patch_; order != 0) return order;
    if (is_release() || other.is_release()) return is_release() <=> other.is_release();
    return compare_prereleases(before_, other.before_);
}

namespace {

// "1", "1.2", "1.2.x", "1.2.3-rc1": its numbers, and how many were given.
struct Partial {
    std::array<std::uint64_t, 3> numbers{};
    std::size_t count = 0;
    std::optional<SemanticVersion> whole;

    SemanticVersion first() const
    {
        return whole ? *whole : SemanticVersion::release(numbers[0], numbers[1], numbers[2]);
    }
    // The first one that no longer begins with the first `kept` numbers.
    SemanticVersion after(std::size_t kept) const
    {
        std::array<std::uint64_t, 3> next{};
        for (std::size_t i = 0; i < kept; ++i) next[i] = numbers[i];
        ++next[kept - 1];
        return SemanticVersion::release(next[0], next[1], next[2]);
    }
};

std::optional<Partial> partial_of(std::string_view text)
{
    Partial partial;
    if (auto whole = SemanticVersion::parse(text)) {
        partial.numbers = {whole->major(), whole->minor(), whole->patch()};
        partial.count = 3;
        partial.whole = std::move(whole);
        return partial;
    }
    if (text.starts_with('v')) text.remove_prefix(1);
    if (text.ends_with('.')) return std::nullopt;
    bool any = false;  // what follows may be anything
    while (!text.empty()) {
        const auto part = take(text, '.');
        any = any || part == "x" || part == "*";
        if (any && part != "x" && part != "*") return std::nullopt;
        if (any) continue;
        const auto number = number_of(part);
        if (!number || partial.count == 3) return std::nullopt;
        partial.numbers[partial.count++] = *number;
    }
    if (any) return partial;
    return partial.count > 0 && partial.count < 3 ? std::optional{partial} : std::nullopt;
}

}  // namespace

bool VersionRange::add(Conditions& conditions, std::string_view word)
{
    constexpr std::array<std::string_view, 7> operators{">=", "<=", ">", "<", "=", "^", "~"};
    const auto found = std::ranges::find_if(operators, [&](std::string_view each) { return word.starts_with(each); });
    const auto sign = found == operators.end() ? std::string_view{} : *found;
    const auto partial = partial_of(word.substr(sign.size()));
    if (!partial) return false;
    const auto from = [&] { conditions.push_back({Bound::at_least, partial->first()}); };
    const auto before = [&](std::size_t kept) { conditions.push_back({Bound::below, partial->after(kept)}); };
    if (partial->count == 0) return sign.empty();  // "*"
    if (sign == ">=") {
        from();
    } else if (sign == "<") {
        conditions.push_back({Bound::below, partial->first()});
    } else if (sign == ">" && partial->count < 3) {
        conditions.push_back({Bound::at_least, partial->after(partial->count)});
    } else if (sign == ">") {
        from();
        conditions.push_back({Bound::other_than, partial->first()});
    } else if (sign == "<=" && partial->count < 3) {
        before(partial->count);
    } else if (sign == "<=") {
        conditions.push_back({Bound::at_most, partial->first()});
    } else if (sign == "^") {
        from();
        std::size_t kept = 1;
        while (kept < partial->count && partial->numbers[kept - 1] == 0) ++kept;
        before(kept);
    } else if (sign == "~") {
        from();
        before(std::min<std::size_t>(partial->count, 2));
    } else if (partial->count < 3) {
        from();
        before(partial->count);
    } else {
        conditions.push_back({Bound::exactly, partial->first()});
    }
    return true;
}

Result<VersionRange::Conditions> VersionRange::parse_conditions(std::string_view text)
{
    Conditions conditions;
    bool any = false;
    while (!text.empty()) {
        const auto word = text.substr(0, text.find_first_of(" ,"));
        text.remove_prefix(std::min(word.size() + 1, text.size()));
        if (word.empty()) continue;
        if (!add(conditions, word)) {
            return fail(Errc::bad_request, "\"" + std::string{word} + "\" says nothing of versions");
        }
        any = true;
    }
    if (!any) return fail(Errc::bad_request, "a range of versions says nothing");
    return conditions;
}

Result<VersionRange> VersionRange::parse(std::string_view text)
{
    if (text.size() > longest) return fail(Errc::bad_request, "a range of versions has at most 128 characters");
    VersionRange range;
    range.text_ = text;
    while (true) {
        const auto end = text.find("||");
        TRY(auto conditions, parse_conditions(text.substr(0, end)));
        range.alternatives_.push_back(std::move(conditions));
        if (end == std::string_view::npos) return range;
        text.remove_prefix(end + 2);
    }
}

bool VersionRange::contains(const SemanticVersion& version) const noexcept
{
    const auto holds = [&](const Condition& condition) {
        switch (condition.bound) {
            case Bound::at_least: return version >= condition.version;
            case Bound::at_most: return version <= condition.version;
            case Bound::below: return version < condition.version;
            case Bound::exactly: return version == condition.version;
            case Bound::other_than: return version != condition.version;
        }
        return false;
    };
    return std::ranges::any_of(alternatives_, [&](const Conditions& all) { return std::ranges::all_of(all, holds); });
}

}  // namespace entrepot
