#include "api/token/account_cache.hpp"

namespace entrepot {

std::shared_ptr<const KnownAccount> AccountCache::fresh(std::string_view name) const
{
    auto known = any(name);
    if (!known || clock_.now() - known->read_at > freshness) return nullptr;
    return policy_.principal(known->account.id) == known->seen ? known : nullptr;
}

std::shared_ptr<const KnownAccount> AccountCache::any(std::string_view name) const
{
    const std::lock_guard lock{mutex_};
    const auto found = entries_.find(name);
    return found == entries_.end() ? nullptr : found->second;
}

Task<std::shared_ptr<const KnownAccount>> AccountCache::read(std::string name)
{
    const auto now = clock_.now();
    const auto version = policy_.version();
    auto account = co_await accounts_.find(name);
    if (!account) {
        if (account.error().code() == Errc::not_found) forget(name);
        co_return std::unexpected{std::move(account).error()};
    }
    co_return keep(*std::move(account), now, version);
}

Task<std::shared_ptr<const KnownAccount>> AccountCache::read(std::int64_t id)
{
    const auto now = clock_.now();
    const auto version = policy_.version();
    CO_TRY(auto account, co_await accounts_.find_by_id(id));
    co_return keep(std::move(account), now, version);
}

// When the policy heard of changes while the account was read, nobody knows whether they are in it: good this once.
std::shared_ptr<const KnownAccount> AccountCache::keep(Account account, Micros read_at, std::int64_t policy_version)
{
    auto known = std::make_shared<KnownAccount>();
    known->identity = std::make_shared<const Identity>(Identity{account.id, account.name, account.kind});
    known->seen = policy_.principal(account.id);
    known->read_at = policy_.version() == policy_version ? read_at : 0;
    known->account = std::move(account);
    const auto& name = known->account.name;

    const std::lock_guard lock{mutex_};
    const bool is_new = entries_.insert_or_assign(name, known).second;
    if (is_new) order_.push_back(name);
    while (order_.size() > capacity_) {
        entries_.erase(order_.front());
        order_.pop_front();
    }
    return known;
}

void AccountCache::forget(const std::string& name)
{
    const std::lock_guard lock{mutex_};
    entries_.erase(name);
}

}  // namespace entrepot
