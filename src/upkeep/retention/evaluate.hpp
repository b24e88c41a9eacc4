#pragma once

#include "ports/retention_policy.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace entrepot {

// What becomes of one candidate. Sixteen bits are enough for the rules of a policy.
struct RetentionVerdict {
    enum class Kind : std::uint8_t {
        kept_by_rule,
        immutable,
        in_use,
        recent,  // an artifact without a tag that came just now: it may be about to get one, or to be part of an index
        goes,
    };
    Kind kind = Kind::goes;
    std::uint8_t rule = 0;    // the first that keeps it, an index
    std::uint16_t asked = 0;  // which rules are about it, a bit for each

    bool goes() const noexcept { return kind == Kind::goes; }
};

inline constexpr Micros untagged_safety = Micros{2} * 3600 * 1'000'000;

// The rules of a policy that are about this repository (its name below the project), by their index.
std::vector<std::size_t> rules_for(std::span<const RetentionRule> rules, std::string_view repository);

// One verdict for each of the candidates, which are all there are in one repository. `about` are the rules that count.
// Takes time n log n, and memory for a few words a candidate.
std::vector<RetentionVerdict> evaluate(
    std::span<const RetentionRule> rules,
    std::span<const std::size_t> about,
    std::span<const RetentionCandidate> candidates,
    Micros now
);

// The verdict in words: "kept by rule 1: the 10 most recently pushed".
std::string
reason_of(const RetentionVerdict& verdict, std::span<const RetentionRule> rules, std::span<const std::size_t> about);

// Whether there are rules and they keep nothing, whatever there is.
bool keeps_nothing(std::span<const RetentionRule> rules) noexcept;

}  // namespace entrepot
