#include "swarm/identity/node_identity.hpp"

#include "core/ascii.hpp"
#include "core/utf8.hpp"

#include <algorithm>

namespace entrepot {

bool is_node_name(std::string_view text) noexcept
{
    const auto may_have = [](char c) { return is_letter_or_digit(c) || c == '.' || c == '-' || c == '_'; };
    return !text.empty() && text.size() <= WireLimits::node_name && is_letter_or_digit(text.front()) &&
           is_letter_or_digit(text.back()) && std::ranges::all_of(text, may_have);
}

bool is_zone_name(std::string_view text) noexcept
{
    return text.size() <= WireLimits::zone && is_plain_text(text);
}

Micros renewal_time(Micros begins, Micros ends, SwarmRandom& random) noexcept
{
    constexpr std::uint32_t steps = 1U << 20U;
    const auto life = std::max<Micros>(ends - begins, 0);
    const auto spread = life / 10;
    const auto step = static_cast<Micros>(random.below(steps + 1));
    return begins + life * 2 / 3 - spread / 2 + spread / steps * step + spread % steps * step / steps;
}

}  // namespace entrepot
