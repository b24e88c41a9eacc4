#pragma once

#include "core/clock.hpp"

#include <chrono>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace entrepot {

// Slows down guessing: from the tenth failure in a row on, a user's name is refused from that source for 1 s, 2 s,
// 4 s … at most 60 s. Nobody is ever locked, and one source's failures don't touch another. Remembers the `capacity`
// pairs that failed last (about 200 bytes each), in memory. Safe from any thread.
class LoginThrottle {
public:
    explicit LoginThrottle(const Clock& clock, std::size_t capacity = 20'000) : clock_{clock}, capacity_{capacity} {}

    // How long this user must still wait there; 0: may try now.
    std::chrono::seconds remaining(std::string_view user, std::string_view source) const;
    void failed(std::string_view user, std::string_view source);
    void succeeded(std::string_view user, std::string_view source);

private:
    struct Record {
        std::string pair;
        unsigned failures = 0;
        std::chrono::steady_clock::time_point until;
    };
    const Clock& clock_;
    std::size_t capacity_;
    mutable std::mutex mutex_;
    std::list<Record> records_;  // least recently failed first
    std::unordered_map<std::string_view, std::list<Record>::iterator> index_;
};

// The source that failures are counted for: an IPv4 address, or the /64 network of an IPv6 address, since one host can
// use all of it.
std::string throttled_source(std::string_view client);

}  // namespace entrepot
