#pragma once

#include "core/clock.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace entrepot {

// Who pulls: the value of the Authorization header that a client sent, or nobody in particular. What the registry
// allows to one is never given to another. Immutable.
class Puller {
public:
    static Puller of(std::optional<std::string_view> authorization);

    const std::optional<std::string>& authorization() const noexcept { return authorization_; }
    // SHA-256 of the value, to remember it by; of none it is that of no value.
    const std::string& key() const noexcept { return key_; }
    // When the value ends, where it is a bearer token that says so (RFC 7519 section 4.1.4). Nobody has checked its
    // signature: good for nothing but to forget it earlier.
    std::optional<Micros> ends() const;

private:
    Puller(std::optional<std::string> authorization, std::string key)
        : authorization_{std::move(authorization)}, key_{std::move(key)}
    {
    }

    std::optional<std::string> authorization_;
    std::string key_;
};

}  // namespace entrepot
