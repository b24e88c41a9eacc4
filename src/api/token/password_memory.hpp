#pragma once

#include "core/clock.hpp"
#include "core/random.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace entrepot {

// What a password is good for: logging in as a person (their own password alone), or any request (their CLI secret
// too).
enum class PasswordPurpose : std::uint8_t { any_request, log_in };

// Passwords that were right lately, as HMAC-SHA-256 of purpose, user, password and credential version under a key that
// only this process knows. Bounded; the oldest go first. Safe from any thread.
class PasswordMemory {
public:
    PasswordMemory(const Clock& clock, Random& random, std::size_t capacity = 10'000);

    std::string
    tag(PasswordPurpose purpose, std::string_view user, std::string_view password, std::int64_t credential_version
    ) const;
    bool knows(const std::string& tag) const;
    void remember(const std::string& tag);

    static constexpr std::chrono::minutes lifetime{5};

private:
    const Clock& clock_;
    std::size_t capacity_;
    std::array<std::byte, 32> key_{};
    mutable std::mutex mutex_;
    std::unordered_map<std::string, std::chrono::steady_clock::time_point> entries_;  // until when
    std::deque<std::pair<std::string, std::chrono::steady_clock::time_point>>
        order_;  // oldest first; may name entries that went
};

}  // namespace entrepot
