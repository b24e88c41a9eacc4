#include "exchange/replication/replication_filter.hpp"

#include "access/glob.hpp"

#include <algorithm>

namespace entrepot {
namespace {

constexpr std::size_t most_texts = 256;
constexpr Micros micros_a_minute = 60'000'000;
constexpr std::int64_t minutes_a_day = 24 * 60;

bool is_of(const ReplicationFilter& filter, std::string_view type) noexcept
{
    return filter.type == type && !filter.values.empty() && !filter.values.front().empty();
}

bool agrees(const ReplicationFilter& filter, std::string_view text) noexcept
{
    return glob_matches(filter.values.front(), text) != filter.excludes;
}

// The first pair of braces of the pattern.
struct Braces {
    std::size_t open;
    std::size_t close;
};
std::optional<Braces> braces_of(std::string_view pattern)
{
    const auto open = pattern.find('{');
    if (open == std::string_view::npos) return std::nullopt;
    int depth = 0;
    for (auto at = open; at < pattern.size(); ++at) {
        if (pattern[at] == '{') ++depth;
        if (pattern[at] == '}' && --depth == 0) return Braces{open, at};
    }
    return std::nullopt;
}

bool expand(std::string_view pattern, std::vector<std::string>& texts)
{
    const auto braces = braces_of(pattern);
    if (!braces) {
        texts.emplace_back(pattern);
        return texts.size() <= most_texts;
    }
    const auto inside = pattern.substr(braces->open + 1, braces->close - braces->open - 1);
    int depth = 0;
    std::size_t start = 0;
    for (std::size_t at = 0; at <= inside.size(); ++at) {
        const bool ends = at == inside.size() || (inside[at] == ',' && depth == 0);
        if (!ends) {
            depth += inside[at] == '{' ? 1 : inside[at] == '}' ? -1 : 0;
            continue;
        }
        std::string one{pattern.substr(0, braces->open)};
        one.append(inside.substr(start, at - start)).append(pattern.substr(braces->close + 1));
        if (!expand(one, texts)) return false;
        start = at + 1;
    }
    return true;
}

}  // namespace

std::optional<std::vector<std::string>> texts_of_glob(std::string_view pattern)
{
    if (pattern.find_first_of("*?[]") != std::string_view::npos) return std::nullopt;
    std::vector<std::string> texts;
    if (!expand(pattern, texts)) return std::nullopt;
    std::ranges::sort(texts);
    texts.erase(std::ranges::unique(texts).begin(), texts.end());
    return texts;
}

ReplicationFilterSet::ReplicationFilterSet(const ReplicationPolicy& policy) : filters_{policy.filters}
{
    if (!policy.version_range.empty()) {
        auto range = VersionRange::parse(policy.version_range);
        if (range) versions_ = *std::move(range);
        anything_ = versions_.has_value();
    }
    for (const auto& filter : filters_) {
        if (is_of(filter, "resource")) {
            const auto& resource = filter.values.front();
            const bool ours = resource == "image" || resource == "artifact";
            anything_ = anything_ && ours != filter.excludes;
        }
        if (!is_of(filter, "name") || filter.excludes) continue;
        const auto& pattern = filter.values.front();
        if (auto texts = texts_of_glob(pattern); texts && !names_) names_ = std::move(texts);
        auto prefix = pattern.substr(0, pattern.find_first_of("*?[{"));
        if (prefix.size() > prefix_.size()) prefix_ = std::move(prefix);
    }
}

bool ReplicationFilterSet::wants_repository(std::string_view name) const noexcept
{
    return anything_ && std::ranges::all_of(filters_, [&](const ReplicationFilter& filter) {
               return !is_of(filter, "name") || agrees(filter, name);
           });
}

bool ReplicationFilterSet::wants_tag(std::string_view tag) const noexcept
{
    const bool chosen = std::ranges::all_of(filters_, [&](const ReplicationFilter& filter) {
        return !is_of(filter, "tag") || agrees(filter, tag);
    });
    if (!chosen || !versions_) return chosen;
    const auto version = SemanticVersion::parse(tag);
    return version && versions_->contains(*version);
}

bool ReplicationFilterSet::asks_for_labels() const noexcept
{
    return std::ranges::any_of(filters_, [](const ReplicationFilter& filter) { return is_of(filter, "label"); });
}

bool ReplicationFilterSet::wants_labels(const std::vector<std::string>& labels) const noexcept
{
    return std::ranges::all_of(filters_, [&](const ReplicationFilter& filter) {
        if (!is_of(filter, "label")) return true;
        const bool all = std::ranges::all_of(filter.values, [&](const std::string& label) {
            return std::ranges::find(labels, label) != labels.end();
        });
        return all != filter.excludes;
    });
}

Micros wait_for_window(const DayWindow& window, Micros now) noexcept
{
    if (window.from == window.until) return 0;
    const auto minute = now / micros_a_minute % minutes_a_day;
    const bool open = window.from < window.until ? minute >= window.from && minute < window.until
                                                 : minute >= window.from || minute < window.until;
    if (open) return 0;
    const auto minutes = (window.from - minute + minutes_a_day) % minutes_a_day;
    return minutes * micros_a_minute - now % micros_a_minute;
}

}  // namespace entrepot
