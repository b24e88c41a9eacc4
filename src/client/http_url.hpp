#pragma once

#include "core/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace entrepot {

// An absolute http or https address, taken apart (RFC 3986). Credentials in an address are refused; a fragment is
// dropped.
struct HttpUrl {
    bool tls = false;
    std::string host;  // a name or a numeric address, lower-case, IPv6 without its brackets
    std::uint16_t port = 0;
    std::string target;  // path and query as they are, "/" at least

    // What the Host header wants: the port only where it isn't the scheme's own.
    std::string authority() const;
    std::string text() const;
    bool same_origin(const HttpUrl& other) const noexcept
    {
        return tls == other.tls && port == other.port && host == other.host;
    }
};

Result<HttpUrl> parse_http_url(std::string_view text);  // bad_request
// What a Location header means when it came from `base`. bad_request.
Result<HttpUrl> resolve_http_url(const HttpUrl& base, std::string_view reference);

}  // namespace entrepot
