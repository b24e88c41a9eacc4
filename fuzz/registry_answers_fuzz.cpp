// What other registries answer: header fields, tokens, errors, lists. All of it is read to its end, and nothing comes
// out that could not be sent on.
#include "drivers/upstream/answer_fields.hpp"
#include "drivers/upstream/aws_ecr.hpp"
#include "drivers/upstream/referrer_index.hpp"
#include "drivers/upstream/registry_login.hpp"
#include "drivers/upstream/remote_problem.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

bool is_sendable(std::string_view text)
{
    return std::ranges::all_of(text, [](char c) { return c >= ' ' && c < 0x7f; });
}

void require(bool holds)
{
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entrepot;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    static const SystemClock clock;
    constexpr Micros now = 1'700'000'000'000'000;
    constexpr Micros day = 86'400'000'000;

    const auto challenge = parse_login_challenge(text);
    require(challenge.realm.size() + challenge.service.size() <= size && challenge.scheme.size() <= size);
    if (const auto next = next_link(text)) require(!next->empty() && text.contains(*next));
    if (const auto range = parse_content_range(text)) {
        require(!range->first || *range->first <= range->last);
        require(!range->size || !range->first || range->last < *range->size);
    }
    (void)parse_upload_range(text);
    if (const auto until = parse_retry_after(text, now)) require(*until >= now && *until <= now + day);
    (void)parse_rate_limit(text);

    const std::chrono::steady_clock::time_point start{};
    if (const auto pass = parse_token_answer(text, start)) {
        require(is_sendable(pass->authorization));
        require(pass->until >= start && pass->until <= start + std::chrono::hours{12});
    }
    if (const auto pass = aws_ecr::parse_authorization(text, clock)) require(is_sendable(pass->authorization));
    const auto problem = parse_remote_problem(text);
    require(is_sendable(problem.code) && is_sendable(problem.message) && problem.message.size() <= 200);
    const auto listed = referrers_in(text);
    if (!listed.empty()) {
        const CopiedManifest added{digest_of("added"), "application/x", "added"};
        const auto index = index_with_referrer(listed, added, Manifest{});
        require(!index || referrers_in(*index).size() == listed.size() + 1);
    }
    return 0;
}
