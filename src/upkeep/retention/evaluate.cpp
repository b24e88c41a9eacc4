#include "upkeep/retention/evaluate.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace entrepot {
namespace {

using Candidates = std::span<const RetentionCandidate>;
using Kind = RetentionVerdict::Kind;

constexpr Micros day = Micros{24} * 3600 * 1'000'000;

// One rule's look at all candidates. Candidates are passed on by their index.
class RuleLook {
public:
    RuleLook(const RetentionRule& rule, Candidates candidates, Micros now)
        : rule_{rule}, candidates_{candidates}, now_{now}
    {
    }

    bool asks(const RetentionCandidate& candidate) const
    {
        return candidate.tagged ? rule_.tags.choose(candidate.name) : rule_.untagged;
    }

    // Of those it is about, those that it keeps come first; how many.
    std::size_t sort_out(std::vector<std::uint32_t>& asked) const
    {
        switch (rule_.keeps) {
            case RetentionTemplate::always: return asked.size();
            case RetentionTemplate::latest_pushed: return latest(asked, &RetentionCandidate::pushed_at);
            case RetentionTemplate::latest_pulled: return latest(asked, &RetentionCandidate::pulled_at);
            case RetentionTemplate::days_since_push: return within_days(asked, &RetentionCandidate::pushed_at);
            case RetentionTemplate::days_since_pull: return within_days(asked, &RetentionCandidate::pulled_at);
            case RetentionTemplate::days_since_creation: return within_days(asked, &RetentionCandidate::created_at);
            case RetentionTemplate::versions: return in_range(asked);
            case RetentionTemplate::latest_patches: return latest_patches(asked);
        }
        return asked.size();
    }

private:
    using Time = Micros RetentionCandidate::*;

    std::size_t number() const noexcept { return static_cast<std::size_t>(std::max<std::int64_t>(rule_.number, 0)); }

    // Of the same time, the later name first: any order will do that is the same each time.
    std::size_t latest(std::vector<std::uint32_t>& asked, Time time) const
    {
        const auto kept = std::min(number(), asked.size());
        const auto middle = asked.begin() + static_cast<std::ptrdiff_t>(kept);
        std::ranges::nth_element(asked, middle, [&](std::uint32_t left, std::uint32_t right) {
            const auto& a = candidates_[left];
            const auto& b = candidates_[right];
            return std::tie(a.*time, a.name) > std::tie(b.*time, b.name);
        });
        return kept;
    }

    std::size_t within_days(std::vector<std::uint32_t>& asked, Time time) const
    {
        const auto first = now_ - rule_.number * day;
        return keep_if(asked, [&](const RetentionCandidate& each) { return each.*time != 0 && each.*time >= first; });
    }

    std::size_t in_range(std::vector<std::uint32_t>& asked) const
    {
        return keep_if(asked, [&](const RetentionCandidate& each) {
            const auto version = each.tagged ? SemanticVersion::parse(each.name) : std::nullopt;
            return version && rule_.range && rule_.range->contains(*version);
        });
    }

    // Releases alone; those that differ in their build count as one.
    std::size_t latest_patches(std::vector<std::uint32_t>& asked) const
    {
        std::vector<std::pair<SemanticVersion, std::uint32_t>> releases;
        for (const auto index : asked) {
            const auto& candidate = candidates_[index];
            auto version = candidate.tagged ? SemanticVersion::parse(candidate.name) : std::nullopt;
            if (version && version->is_release()) releases.emplace_back(*std::move(version), index);
        }
        std::ranges::sort(releases, [](const auto& a, const auto& b) { return a.first > b.first; });
        std::vector<std::uint32_t> kept;
        std::size_t patches = 0;
        for (std::size_t i = 0; i < releases.size(); ++i) {
            const auto& version = releases[i].first;
            const auto* before = i > 0 ? &releases[i - 1].first : nullptr;
            const bool same_minor = before && before->major() == version.major() && before->minor() == version.minor();
            if (!same_minor) patches = 1;
            if (same_minor && *before != version) ++patches;
            if (patches <= number()) kept.push_back(releases[i].second);
        }
        asked = std::move(kept);
        return asked.size();
    }

    template <class Keep>
    std::size_t keep_if(std::vector<std::uint32_t>& asked, Keep keep) const
    {
        const auto rest = std::ranges::partition(asked, [&](std::uint32_t index) { return keep(candidates_[index]); });
        return static_cast<std::size_t>(rest.begin() - asked.begin());
    }

    const RetentionRule& rule_;
    Candidates candidates_;
    Micros now_;
};

// What rules have no say in.
Kind protection_of(const RetentionCandidate& candidate, Micros now)
{
    if (candidate.immutable) return Kind::immutable;
    if (candidate.in_use) return Kind::in_use;
    if (!candidate.tagged && candidate.pushed_at > now - untagged_safety) return Kind::recent;
    return Kind::goes;
}

std::string words_of(const RetentionRule& rule)
{
    const auto number = std::to_string(rule.number);
    switch (rule.keeps) {
        case RetentionTemplate::always: return "always";
        case RetentionTemplate::latest_pushed: return "the " + number + " most recently pushed";
        case RetentionTemplate::latest_pulled: return "the " + number + " most recently pulled";
        case RetentionTemplate::days_since_push: return "pushed within the last " + number + " days";
        case RetentionTemplate::days_since_pull: return "pulled within the last " + number + " days";
        case RetentionTemplate::days_since_creation: return "created within the last " + number + " days";
        case RetentionTemplate::versions: return "versions " + (rule.range ? rule.range->text() : std::string{});
        case RetentionTemplate::latest_patches: return "the " + number + " newest patches of each minor version";
    }
    return {};
}

}  // namespace

std::vector<std::size_t> rules_for(std::span<const RetentionRule> rules, std::string_view repository)
{
    std::vector<std::size_t> about;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        if (!rules[i].disabled && rules[i].repositories.choose(repository)) about.push_back(i);
    }
    return about;
}

std::vector<RetentionVerdict>
evaluate(std::span<const RetentionRule> rules, std::span<const std::size_t> about, Candidates candidates, Micros now)
{
    std::vector<RetentionVerdict> verdicts(candidates.size());
    for (std::size_t i = 0; i < candidates.size(); ++i) verdicts[i].kind = protection_of(candidates[i], now);
    std::vector<std::uint32_t> asked;
    for (const auto index : about) {
        const RuleLook look{rules[index], candidates, now};
        asked.clear();
        for (std::size_t i = 0; i < candidates.size(); ++i) {
            if (!look.asks(candidates[i])) continue;
            verdicts[i].asked |= static_cast<std::uint16_t>(1U << index);
            asked.push_back(static_cast<std::uint32_t>(i));
        }
        const auto kept = look.sort_out(asked);
        for (std::size_t i = 0; i < kept; ++i) {
            auto& verdict = verdicts[asked[i]];
            if (!verdict.goes()) continue;
            verdict.kind = Kind::kept_by_rule;
            verdict.rule = static_cast<std::uint8_t>(index);
        }
    }
    return verdicts;
}

std::string
reason_of(const RetentionVerdict& verdict, std::span<const RetentionRule> rules, std::span<const std::size_t> about)
{
    const auto rule_text = [&](std::size_t index) {
        return "rule " + std::to_string(index + 1) + " (" + words_of(rules[index]) + ")";
    };
    switch (verdict.kind) {
        case Kind::kept_by_rule: return "kept by " + rule_text(verdict.rule);
        case Kind::immutable: return "immutable";
        case Kind::in_use: return "reported as in use";
        case Kind::recent: return "just pushed";
        case Kind::goes: break;
    }
    std::string text;
    for (const auto index : about) {
        const bool asked = (verdict.asked >> index & 1U) != 0;
        text += (text.empty() ? "" : ", ") + rule_text(index) + (asked ? " does not keep it" : " is not about it");
    }
    return text;
}

bool keeps_nothing(std::span<const RetentionRule> rules) noexcept
{
    bool any = false;
    for (const auto& rule : rules) {
        if (rule.disabled) continue;
        any = true;
        const bool counts = rule.keeps != RetentionTemplate::always && rule.keeps != RetentionTemplate::versions;
        if (!counts || rule.number > 0) return false;
    }
    return any;
}

}  // namespace entrepot
