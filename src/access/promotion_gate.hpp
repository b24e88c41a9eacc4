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
};

std::string_view name_of(PromotionGateKind kind) noexcept;
std::optional<PromotionGateKind> promotion_gate_named(std::string_view name) noexcept;

struct PromotionGate {
    PromotionGateKind kind = PromotionGateKind::accessory;
    std::string value;        // of an accessory its type, of a label its name; else empty
    std::int64_t number = 0;  // of an age seconds, of a size bytes; else 0

    bool operator==(const PromotionGate&) const = default;
};

// bad_request: a value or a number that is missing or too much.
Result<> check_promotion_gate(const PromotionGate& gate);

struct PromotionFacts {
    std::vector<std::string> accessories;  // types and artifact types
    std::vector<std::string> labels;
    Micros pushed_at = 0;
    std::int64_t size = 0;  // bytes
    bool immutable_tag = false;
};

// Why the gate stays shut, in words for people; nullopt: it is open.
std::optional<std::string> refusal_of(const PromotionGate& gate, const PromotionFacts& facts, Micros now);

}  // namespace entrepot
