#pragma once

#include "api/token/master_key.hpp"
#include "api/token/signing_key.hpp"
#include "api/token/token_settings.hpp"
#include "core/completion.hpp"
#include "core/random.hpp"
#include "ports/account_catalog.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// The keys that sign tokens. They live in the database, sealed under the master key, so that tokens survive a restart
// and every instance knows every key. The newest one signs; older ones verify until their last token has expired.
// Safe from any thread: a lookup copies a pointer to an immutable list.
class KeyRing {
public:
    KeyRing(KeyCatalog& catalog, MasterKey master, TokenSettings settings, const Clock& clock, Random& random);

    // At start: reads the keys and makes the first. corrupt, naming the master key, when it can't unseal them;
    // unavailable.
    Task<> open();

    // Makes a new key when the newest retires, removes those that nothing depends on, and learns what other instances
    // did. Called every few minutes, and by the token endpoint when rotation_due(). unavailable.
    Task<> maintain();
    bool rotation_due() const;

    std::shared_ptr<const SigningKey> signer() const;                   // null before open()
    std::shared_ptr<const SigningKey> find(std::string_view id) const;  // null when unknown
    // The same, asking the database when it is unknown here, at most once a second. Null; unavailable.
    Task<std::shared_ptr<const SigningKey>> find_or_reload(std::string id);

    // The JSON Web Key Set (RFC 7517 section 5) of all keys that verify.
    std::string jwks() const;

private:
    struct Entry {
        std::shared_ptr<const SigningKey> key;
        Micros created_at = 0;
        Micros retires_at = 0;
    };
    using Entries = std::vector<Entry>;  // newest first
    class Reloading;

    Task<> reload(bool strict);
    Task<> rotate();
    Task<> remove_spent();
    Result<Entry> unsealed(const SealedKey& sealed, const Entries& known) const;
    std::shared_ptr<const Entries> entries() const;

    KeyCatalog& catalog_;
    MasterKey master_;
    TokenSettings settings_;
    const Clock& clock_;
    Random& random_;
    mutable std::mutex mutex_;
    std::shared_ptr<const Entries> entries_;
    bool reloading_ = false;
    std::optional<std::chrono::steady_clock::time_point> reloaded_at_;
    std::vector<Completion<bool>> waiting_;
};

}  // namespace entrepot
