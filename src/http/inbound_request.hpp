#pragma once

#include "core/address.hpp"
#include "http/message.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace entrepot::http {

// Makes request ids: unique within a process and very likely beyond it. One per loop.
class RequestIds {
public:
    RequestIds(std::uint64_t start, unsigned loop) noexcept : start_{start}, loop_{loop} {}
    std::string next();

private:
    std::uint64_t start_;
    unsigned loop_;
    std::uint64_t count_ = 0;
};

// A connection's request, used again for each that follows.
class InboundRequest final : public Request {
public:
    InboundRequest(const Address& peer, bool encrypted, const CidrList& trusted, RequestIds& ids) noexcept
        : peer_{peer}, encrypted_{encrypted}, trusted_{trusted}, ids_{ids}
    {
    }

    // Drops what was worked out for the request before.
    void renew(std::string_view authority) noexcept
    {
        authority_ = authority;
        if (origin_) origin_.reset();
        if (!id_.empty()) id_.clear();
    }

    const Origin& origin() const override;
    const std::string& request_id() const override;

private:
    Address client() const;
    std::optional<std::string_view> last_element(std::string_view header) const;

    Address peer_;
    bool encrypted_;
    const CidrList& trusted_;
    RequestIds& ids_;
    std::string_view authority_;
    mutable std::optional<Origin> origin_;
    mutable std::string id_;
};

}  // namespace entrepot::http
