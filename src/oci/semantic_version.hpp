#pragma once

#include "core/error.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// A tag that is a semantic version (semver.org 2.0.0): three numbers, with or without a "v" before them, perhaps a
// pre-release and build metadata; what stands behind '_' counts as the latter, because a tag can hold no '+'. Ordered
// by precedence, so versions that differ in their build alone are equivalent.
class SemanticVersion {
public:
    static std::optional<SemanticVersion> parse(std::string_view tag);
    static SemanticVersion release(std::uint64_t major, std::uint64_t minor, std::uint64_t patch);

    std::uint64_t major() const noexcept { return major_; }
    std::uint64_t minor() const noexcept { return minor_; }
    std::uint64_t patch() const noexcept { return patch_; }
    bool is_release() const noexcept { return before_.empty(); }

    std::weak_ordering operator<=>(const SemanticVersion& other) const noexcept;
    bool operator==(const SemanticVersion& other) const noexcept { return (*this <=> other) == 0; }

private:
    SemanticVersion() = default;

    std::uint64_t major_ = 0;
    std::uint64_t minor_ = 0;
    std::uint64_t patch_ = 0;
    std::string before_;  // the pre-release: "rc.1"
};

// Which versions: ">=1.2 <2", "1.2.x", "^1.4 || ~2.1.3". Conditions that stand together must all hold, "||" parts
// alternatives; "^" means nothing that breaks (the same first number that is not 0), "~" the same minor version; a
// version with fewer numbers means all that begin so. A pre-release comes before its release like any other version.
class VersionRange {
public:
    static constexpr std::size_t longest = 128;

    static Result<VersionRange> parse(std::string_view text);  // bad_request

    bool contains(const SemanticVersion& version) const noexcept;
    const std::string& text() const noexcept { return text_; }

private:
    enum class Bound : std::uint8_t { at_least, at_most, below, exactly, other_than };
    struct Condition {
        Bound bound;
        SemanticVersion version;
    };
    using Conditions = std::vector<Condition>;

    VersionRange() = default;
    static Result<Conditions> parse_conditions(std::string_view text);
    static bool add(Conditions& conditions, std::string_view word);

    std::string text_;
    std::vector<Conditions> alternatives_;
};

}  // namespace entrepot
