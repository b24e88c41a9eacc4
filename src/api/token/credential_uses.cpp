#include "api/token/credential_uses.hpp"

#include <algorithm>

namespace entrepot {

void CredentialUses::note(CredentialUse::Kind kind, std::int64_t id, Micros at)
{
    const std::lock_guard lock{mutex_};
    auto& used_at = (kind == CredentialUse::Kind::robot ? robots_ : tokens_)[id];
    used_at = std::max(used_at, at);
}

Task<> CredentialUses::flush()
{
    auto uses = take();
    if (uses.empty()) co_return Result<>{};
    auto written = co_await catalog_.record_use(uses);
    if (!written) {
        for (const auto& use : uses) note(use.kind, use.id, use.at);
    }
    co_return written;
}

std::vector<CredentialUse> CredentialUses::take()
{
    const std::lock_guard lock{mutex_};
    std::vector<CredentialUse> uses;
    for (const auto& [id, at] : tokens_) uses.push_back({CredentialUse::Kind::access_token, id, at});
    for (const auto& [id, at] : robots_) uses.push_back({CredentialUse::Kind::robot, id, at});
    tokens_.clear();
    robots_.clear();
    return uses;
}

}  // namespace entrepot
