#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// What an artifact has to have before it is promoted: a closed set. A new kind needs a fact below, and whoever reads
// facts (drivers/sql/promotion_rows.cpp) to fill it in.
enum class PromotionGateKind : std::uint8_t {
    accessory,      // one of a type, as lists show it: "signature.cosign", "sbom.harbor", or an artifact type
    label,          // a label of that name
    minimum_age,    // seconds since it was pushed
    maximum_size,   // bytes, with all that it refers to
    immutable_tag,  // the tag that it is promoted by cannot move in the source
    check,          // a check of that name has passed
};

std::string_view name_of(PromotionGateKind kind) noexcept;
std::optional<PromotionGateKind> promotion_gate_named(std::string_view name) noexcept;

struct PromotionGate {
    PromotionGateKind kind = PromotionGateKind::accessory;
    std::string value;        // of an accessory its type, of a label and a check its name; else empty
    std::int64_t number = 0;  // of an age seconds, of a size bytes; else 0

    bool operator==(const PromotionGate&) const = default;
};

// bad_request: a value or a number that is missing or too much.
Result<> check_promotion_gate(const PromotionGate& gate);

// What a test, a scanner or a person has reported of an artifact.
struct ArtifactCheck {
    enum class State : std::uint8_t { running, passed, failed };
    static constexpr std::size_t most = 64;  // of one artifact
    static constexpr std::size_t longest_name = 128;
    static constexpr std::size_t longest_url = 2048;
    static constexpr std::size_t longest_summary = 4096;

    std::string name;
    State state = State::running;
    std::string url{};
    std::string summary{};
    std::string reporter{};  // as it is read
    Micros at = 0;
};
std::string_view name_of(ArtifactCheck::State state) noexcept;
std::optional<ArtifactCheck::State> check_state_named(std::string_view name) noexcept;
// bad_request: a name that is no word of letters, digits, '.', '_' and '-', or a text that is too long.
Result<> check_artifact_check(const ArtifactCheck& check);

struct PromotionFacts {
    std::vector<std::string> accessories;  // types and artifact types
    std::vector<std::string> labels;
    std::vector<ArtifactCheck> checks;
    Micros pushed_at = 0;
    std::int64_t size = 0;  // bytes
    bool immutable_tag = false;
};

// Why the gate stays shut, in words for people; nullopt: it is open.
std::optional<std::string> refusal_of(const PromotionGate& gate, const PromotionFacts& facts, Micros now);

}  // namespace entrepot
