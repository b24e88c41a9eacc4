#pragma once

#include "api/token/authenticator.hpp"
#include "api/token/recent_keys.hpp"
#include "ports/session_catalog.hpp"

#include <chrono>
#include <functional>
#include <mutex>
#include <string>

namespace entrepot {

// Browsers' log-ins. A session ends when it was idle for `idle` (which may change), when its owner logs out, is
// disabled or removed, and when their password or CLI secret changes. The store knows only hashes of the ids; what it
// said counts for a second. Safe from any thread.
class Sessions {
public:
    Sessions(
        SessionCatalog& catalog,
        Authenticator& authenticator,
        const Clock& clock,
        Random& random,
        std::function<std::chrono::seconds()> idle
    )
        : catalog_{catalog}, authenticator_{authenticator}, clock_{clock}, random_{random}, idle_{std::move(idle)}
    {
    }

    // A new session's id, never one that somebody brought: a log-in can't be fixed in advance.
    Task<std::string> begin(Caller caller, std::string client);
    // unauthorized when there is no such session any more; unavailable.
    Task<Caller> find(std::string id);
    Task<> end(std::string id);
    Task<> remove_expired() { return catalog_.remove_expired(clock_.now()); }

    static constexpr Micros freshness = 1'000'000;

private:
    struct Known {
        Caller caller;
        Micros read_at = 0;
    };
    Task<> keep_alive(const LoginSession& session, Micros now);
    Micros idle() const { return std::chrono::microseconds{idle_()}.count(); }

    SessionCatalog& catalog_;
    Authenticator& authenticator_;
    const Clock& clock_;
    Random& random_;
    std::function<std::chrono::seconds()> idle_;
    std::mutex mutex_;
    RecentKeys<Known> known_{10'000};
};

}  // namespace entrepot
