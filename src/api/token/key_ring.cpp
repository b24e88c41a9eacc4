#include "api/token/key_ring.hpp"

#include "api/token/seal.hpp"
#include "core/log.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {
namespace {

Micros micros(std::chrono::seconds time) noexcept
{
    return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

constexpr std::chrono::seconds between_reloads{1};

}  // namespace

// The one reload under way. Whatever becomes of it, those who wait for it are released.
class KeyRing::Reloading {
public:
    explicit Reloading(KeyRing& ring) noexcept : ring_{ring} {}
    ~Reloading()
    {
        std::vector<Completion<bool>> waiting;
        {
            const std::lock_guard lock{ring_.mutex_};
            ring_.reloading_ = false;
            waiting.swap(ring_.waiting_);
        }
        for (auto& completion : waiting) completion.complete(true);
    }
    Reloading(const Reloading&) = delete;
    Reloading& operator=(const Reloading&) = delete;

private:
    KeyRing& ring_;
};

KeyRing::KeyRing(KeyCatalog& catalog, MasterKey master, TokenSettings settings, const Clock& clock, Random& random)
    : catalog_{catalog},
      master_{master},
      settings_{std::move(settings)},
      clock_{clock},
      random_{random},
      entries_{std::make_shared<const Entries>()}
{
}

Task<> KeyRing::open()
{
    CO_CHECK(co_await reload(true));
    co_return co_await maintain();
}

Task<> KeyRing::maintain()
{
    CO_CHECK(co_await reload(false));
    if (rotation_due()) CO_CHECK(co_await rotate());
    co_return co_await remove_spent();
}

bool KeyRing::rotation_due() const
{
    const auto known = entries();
    return known->empty() || known->front().retires_at <= clock_.now();
}

std::shared_ptr<const SigningKey> KeyRing::signer() const
{
    const auto known = entries();
    return known->empty() ? nullptr : known->front().key;
}

std::shared_ptr<const SigningKey> KeyRing::find(std::string_view id) const
{
    const auto known = entries();
    const auto found = std::ranges::find_if(*known, [id](const Entry& entry) { return entry.key->id() == id; });
    return found == known->end() ? nullptr : found->key;
}

Task<std::shared_ptr<const SigningKey>> KeyRing::find_or_reload(std::string id)
{
    if (auto key = find(id)) co_return key;
    bool must_reload = false;
    bool must_wait = false;
    {
        const std::lock_guard lock{mutex_};
        const auto now = clock_.steady();
        must_wait = reloading_;
        must_reload = !reloading_ && (!reloaded_at_ || now - *reloaded_at_ >= between_reloads);
        if (must_reload) {
            reloading_ = true;
            reloaded_at_ = now;
        }
    }
    if (must_reload) {
        const Reloading reloading{*this};
        CO_CHECK(co_await reload(false));
    }
    if (must_wait) {
        co_await completed_by<bool>([this](Completion<bool> completion) {
            std::unique_lock lock{mutex_};
            if (reloading_) {
                waiting_.push_back(std::move(completion));
                return;
            }
            lock.unlock();
            completion.complete(true);
        });
    }
    co_return find(id);
}

std::string KeyRing::jwks() const
{
    const auto known = entries();
    std::string text = R"({"keys":[)";
    for (const auto& entry : *known) {
        if (text.back() != '[') text += ',';
        text += entry.key->public_jwk();
    }
    return text + "]}";
}

Task<> KeyRing::reload(bool strict)
{
    CO_TRY(const auto stored, co_await catalog_.signing_keys());
    const auto known = entries();
    auto fresh = std::make_shared<Entries>();
    for (const auto& sealed : stored) {
        auto entry = unsealed(sealed, *known);
        if (!entry && strict) co_return std::unexpected{std::move(entry).error()};
        if (!entry) {
            log::failure(log::Level::error, "reading a signing key", entry.error());
            continue;
        }
        fresh->push_back(*std::move(entry));
    }
    std::ranges::sort(*fresh, [](const Entry& left, const Entry& right) {
        return std::tie(left.created_at, left.key->id()) > std::tie(right.created_at, right.key->id());
    });
    const std::lock_guard lock{mutex_};
    entries_ = std::move(fresh);
    co_return Result<>{};
}

Result<KeyRing::Entry> KeyRing::unsealed(const SealedKey& sealed, const Entries& known) const
{
    const auto found = std::ranges::find_if(known, [&](const Entry& entry) { return entry.key->id() == sealed.id; });
    if (found != known.end()) return Entry{found->key, sealed.created_at, sealed.retires_at};
    TRY(const auto jwk, unseal(master_, sealed.sealed, sealed.id));
    TRY(auto key, SigningKey::from_jwk(jwk));
    if (key.id() != sealed.id) return fail(Errc::corrupt, "a stored signing key is not the one its id names");
    return Entry{std::make_shared<const SigningKey>(std::move(key)), sealed.created_at, sealed.retires_at};
}

Task<> KeyRing::rotate()
{
    CO_TRY(const auto key, SigningKey::generate());
    CO_TRY(const auto jwk, key.private_jwk());
    const auto now = clock_.now();
    SealedKey sealed{key.id(), seal(master_, jwk, key.id(), random_), now, now + micros(settings_.key_lifetime)};
    CO_CHECK(co_await catalog_.add(std::move(sealed)));
    log::info("a new token-signing key", {{"kid", key.id()}});
    co_return co_await reload(false);
}

// A key goes when it has been retired, and a newer one has been signing, for longer than a token lives.
Task<> KeyRing::remove_spent()
{
    const auto known = entries();
    const auto longest_token_life = micros(std::max(settings_.lifetime, settings_.longest_lifetime) + settings_.leeway);
    const auto long_ago = clock_.now() - longest_token_life;
    bool removed = false;
    for (std::size_t i = 1; i < known->size(); ++i) {
        const auto& entry = known->at(i);
        if (entry.retires_at > long_ago || known->at(i - 1).created_at > long_ago) continue;
        CO_CHECK(co_await catalog_.remove(entry.key->id()));
        removed = true;
    }
    if (!removed) co_return Result<>{};
    co_return co_await reload(false);
}

std::shared_ptr<const KeyRing::Entries> KeyRing::entries() const
{
    const std::lock_guard lock{mutex_};
    return entries_;
}

}  // namespace entrepot
