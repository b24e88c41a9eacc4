#pragma once

#include "api/token/recent_keys.hpp"
#include "core/clock.hpp"

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>

namespace entrepot {

// Slows down guessing, in two ways, for names that exist and names that don't alike. From the tenth failure in a row
// on, a user's name is refused from that source for 1 s, 2 s, 4 s … at most 60 s. From the twentieth in a row (no quiet
// hour between) over all sources that this user never came from before, it is refused from all those for 1 s, 2 s … at
// most 15 min: sources that the user succeeded from are not touched, so nobody can lock somebody else out. Remembers
// the `capacity` names and pairs of each kind that were seen last (about 200 bytes each). Safe from any thread.
class LoginThrottle {
public:
    explicit LoginThrottle(const Clock& clock, std::size_t capacity = 20'000)
        : clock_{clock}, pairs_{capacity}, users_{capacity}, trusted_{capacity}
    {
    }

    // How long this user must still wait there; 0: may try now.
    std::chrono::seconds remaining(std::string_view user, std::string_view source) const;
    void failed(std::string_view user, std::string_view source);
    void succeeded(std::string_view user, std::string_view source);

private:
    using Time = std::chrono::steady_clock::time_point;
    struct Failures {
        unsigned count = 0;
        Time last;
        Time until;
    };
    struct Nothing {};

    bool is_trusted(std::string_view user, std::string_view source, const std::string& pair) const;
    std::chrono::seconds left(const Failures* failures) const;

    const Clock& clock_;
    mutable std::mutex mutex_;
    RecentKeys<Failures> pairs_;
    RecentKeys<Failures> users_;   // failures of strangers
    RecentKeys<Nothing> trusted_;  // pairs that succeeded
};

// The source that failures are counted for: an IPv4 address, or the /64 network of an IPv6 address, since one host can
// use all of it.
std::string throttled_source(std::string_view client);

// Whether it is this machine itself (127.0.0.0/8, ::1).
bool is_loopback(std::string_view client);

}  // namespace entrepot
