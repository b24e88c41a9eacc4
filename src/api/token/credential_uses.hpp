#pragma once

#include "ports/access_token_catalog.hpp"

#include <cstddef>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace entrepot {

// When access tokens and robots were used last, gathered in memory and written together: flush() is called once a
// minute and when the program ends. Safe from any thread.
class CredentialUses {
public:
    explicit CredentialUses(AccessTokenCatalog& catalog) : catalog_{catalog} {}

    void note(CredentialUse::Kind kind, std::int64_t id, Micros at);
    // What could not be written is kept for the next time. unavailable.
    Task<> flush();

private:
    std::vector<CredentialUse> take();

    AccessTokenCatalog& catalog_;
    std::mutex mutex_;
    std::unordered_map<std::int64_t, Micros> tokens_;
    std::unordered_map<std::int64_t, Micros> robots_;
};

}  // namespace entrepot
