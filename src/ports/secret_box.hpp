#pragma once

#include "core/error.hpp"

#include <string>
#include <string_view>

namespace entrepot {

// Secrets at rest, for those who keep some and don't know the key. `context` says what a secret is for, so that one
// sealed value can't stand in for another.
class SecretBox {
public:
    virtual ~SecretBox() = default;
    virtual std::string seal(std::string_view secret, std::string_view context) = 0;
    virtual Result<std::string> open(std::string_view sealed, std::string_view context) const = 0;  // corrupt
};

}  // namespace entrepot
