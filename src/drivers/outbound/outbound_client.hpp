#pragma once

#include "client/http_client.hpp"
#include "ports/outbound_http.hpp"

#include <memory>

namespace entrepot {

// OutboundHttp by the HTTP client, under the operator's rules. Safe from any thread; goes before the loops it is used
// on.
class OutboundClient final : public OutboundHttp {
public:
    static Result<std::unique_ptr<OutboundClient>> create(OutboundRules rules);

    Task<> check(std::string url) override;
    Task<OutboundAnswer> post(OutboundPost request) override;

private:
    OutboundClient(std::shared_ptr<const OutboundRules> rules, HttpClient strict, HttpClient trusting)
        : rules_{std::move(rules)}, strict_{std::move(strict)}, trusting_{std::move(trusting)}
    {
    }

    std::shared_ptr<const OutboundRules> rules_;
    HttpClient strict_;
    HttpClient trusting_;  // takes any certificate
};

}  // namespace entrepot
