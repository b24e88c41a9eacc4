#include "access/promotion_gate.hpp"

#include <algorithm>
#include <array>

namespace entrepot {
namespace {

constexpr std::array<std::string_view, 6> names{
    "accessory", "label", "minimum_age", "maximum_size", "immutable_tag", "check"
};
constexpr std::array<std::string_view, 3> states{"running", "passed", "failed"};
constexpr std::size_t longest_value = 255;
constexpr std::int64_t most_seconds = std::int64_t{10} * 366 * 24 * 3600;

bool wants_value(PromotionGateKind kind) noexcept
{
    return kind == PromotionGateKind::accessory || kind == PromotionGateKind::label || kind == PromotionGateKind::check;
}

bool wants_number(PromotionGateKind kind) noexcept
{
    return kind == PromotionGateKind::minimum_age || kind == PromotionGateKind::maximum_size;
}

bool has(const std::vector<std::string>& values, const std::string& wanted)
{
    return std::ranges::find(values, wanted) != values.end();
}

std::optional<std::string> refusal_of_check(const std::string& name, const PromotionFacts& facts)
{
    const auto found = std::ranges::find(facts.checks, name, &ArtifactCheck::name);
    if (found == facts.checks.end()) return "the check " + name + " has not been reported";
    if (found->state == ArtifactCheck::State::passed) return std::nullopt;
    return "the check " + name + (found->state == ArtifactCheck::State::failed ? " has failed" : " is running");
}

}  // namespace

std::string_view name_of(ArtifactCheck::State state) noexcept
{
    return states[static_cast<std::size_t>(state)];
}

std::optional<ArtifactCheck::State> check_state_named(std::string_view name) noexcept
{
    const auto found = std::ranges::find(states, name);
    if (found == states.end()) return std::nullopt;
    return static_cast<ArtifactCheck::State>(found - states.begin());
}

Result<> check_artifact_check(const ArtifactCheck& check)
{
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
               c == '-';
    };
    if (check.name.empty() || check.name.size() > ArtifactCheck::longest_name ||
        !std::ranges::all_of(check.name, fits)) {
        return fail(Errc::bad_request, "a check's name has from 1 to 128 letters, digits, '.', '_' and '-'");
    }
    if (check.summary.size() > ArtifactCheck::longest_summary) {
        return fail(Errc::bad_request, "the summary is longer than 4096 bytes");
    }
    const bool is_web = check.url.starts_with("https://") || check.url.starts_with("http://");
    const auto is_printable = [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; };
    if (check.url.empty() ||
        (is_web && check.url.size() <= ArtifactCheck::longest_url && std::ranges::all_of(check.url, is_printable))) {
        return {};
    }
    return fail(Errc::bad_request, "the url is an address by http or https of at most 2048 bytes");
}

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
        case PromotionGateKind::check: return refusal_of_check(gate.value, facts);
    }
    return std::nullopt;
}

}  // namespace entrepot
