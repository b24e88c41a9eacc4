#pragma once

#include "access/token.hpp"

#include <chrono>
#include <functional>
#include <string>

namespace entrepot {

// What an operator may choose about tokens.
struct TokenSettings {
    std::string issuer = "entrepot";
    std::string service = "entrepot";  // the `service` of challenges and the tokens' audience
    std::chrono::seconds lifetime = std::chrono::minutes{30};
    // What is asked for the lifetime of each token; null: `lifetime` counts. Never longer than `longest_lifetime`.
    std::function<std::chrono::seconds()> current_lifetime{};
    std::chrono::seconds longest_lifetime = lifetime;
    std::chrono::seconds leeway{60};
    std::chrono::seconds refresh_lifetime = std::chrono::days{90};
    std::chrono::seconds key_lifetime = std::chrono::days{30};

    std::chrono::seconds lifetime_now() const { return current_lifetime ? current_lifetime() : lifetime; }
    TokenRules rules() const { return {issuer, service, leeway}; }
};

}  // namespace entrepot
