#pragma once

#include "access/token.hpp"

#include <chrono>
#include <string>

namespace entrepot {

// What an operator may choose about tokens.
struct TokenSettings {
    std::string issuer = "entrepot";
    std::string service = "entrepot";  // the `service` of challenges and the tokens' audience
    std::chrono::seconds lifetime = std::chrono::minutes{30};
    std::chrono::seconds leeway{60};
    std::chrono::seconds refresh_lifetime = std::chrono::days{90};
    std::chrono::seconds key_lifetime = std::chrono::days{30};

    TokenRules rules() const { return {issuer, service, leeway}; }
};

}  // namespace entrepot
