#include "access/promotion_gate.hpp"

#include <algorithm>
#include <array>

namespace entrepot {
namespace {

constexpr std::array<std::string_view, 5> names{"accessory", "label", "minimum_age", "maximum_size", "immutable_tag"};
constexpr std::size_t longest_value = 255;
constexpr std::int64_t most_seconds = std::int64_t{10} * 366 * 24 * 3600;

bool wants_value(PromotionGateKind kind) noexcept
{
    return kind == PromotionGateKind::accessory || kind == PromotionGateKind::label;
}

bool wants_number(PromotionGateKind kind) noexcept
{
    return kind == PromotionGateKind::minimum_age || kind == PromotionGateKind::maximum_size;
}

bool has(const std::vector<std::string>& values, const std::string& wanted)
{
    return std::ranges::find(values, wanted) != values.end();
}

}  // namespace

std::string_view name_of(PromotionGateKind kind) noexcept
{
    return names[static_cast<std::size_t>(kind)];
}

std::optional<PromotionGateKind> promotion_gate_named(std::string_view name) noexcept
{
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) return std::nullopt;
    return static_cast<PromotionGateKind>(found - names.begin());
}

Result<> check_promotion_gate(const PromotionGate& gate)
{
    const auto refuse = [&](const char* why) {
        return fail(Errc::bad_request, "the gate \"" + std::string{name_of(gate.kind)} + "\" " + why);
    };
    const auto is_control = [](char letter) { return static_cast<unsigned char>(letter) < 0x20; };
    if (std::ranges::any_of(gate.value, is_control)) return refuse("takes no control characters");
    if (wants_value(gate.kind) != !gate.value.empty() || gate.value.size() > longest_value) {
        return refuse(wants_value(gate.kind) ? "needs a value of 1 to 255 bytes" : "takes no value");
    }
    if (wants_number(gate.kind) != (gate.number != 0) || gate.number < 0) {
        return refuse(wants_number(gate.kind) ? "needs a number above 0" : "takes no number");
    }
    if (gate.kind == PromotionGateKind::minimum_age && gate.number > most_seconds) {
        return refuse("asks for more than ten years");
    }
    return {};
}

std::optional<std::string> refusal_of(const PromotionGate& gate, const PromotionFacts& facts, Micros now)
{
    switch (gate.kind) {
        case PromotionGateKind::accessory:
            if (has(facts.accessories, gate.value)) return std::nullopt;
            return "it has no accessory of type " + gate.value;
        case PromotionGateKind::label:
            if (has(facts.labels, gate.value)) return std::nullopt;
            return "it does not have the label " + gate.value;
        case PromotionGateKind::minimum_age: {
            const auto age = (now - facts.pushed_at) / 1'000'000;
            if (age >= gate.number) return std::nullopt;
            return "it was pushed less than " + std::to_string(gate.number) + " seconds ago";
        }
        case PromotionGateKind::maximum_size:
            if (facts.size <= gate.number) return std::nullopt;
            return "it has " + std::to_string(facts.size) + " bytes, more than " + std::to_string(gate.number);
        case PromotionGateKind::immutable_tag:
            if (facts.immutable_tag) return std::nullopt;
            return "its tag is not immutable in the source";
    }
    return std::nullopt;
}

}  // namespace entrepot
