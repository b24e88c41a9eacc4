#pragma once

#include "core/task.hpp"

#include <string>
#include <utility>
#include <vector>

namespace entrepot {

// Requests to addresses that users have chosen, so not to wherever: docs/webhooks.md says where they may go. They are
// short: 3 s to connect, 10 s in all.
struct OutboundPost {
    std::string url;
    std::vector<std::pair<std::string, std::string>> fields;
    std::string body;
    bool any_certificate = false;
};

// Any status counts as an answer, also a redirect: none is followed.
struct OutboundAnswer {
    unsigned status = 0;
    std::string body;  // the first 64 KiB of it
};

class OutboundHttp {
public:
    virtual ~OutboundHttp() = default;
    virtual Task<> check(std::string url) = 0;  // bad_request, for the person who enters it
    // bad_request, denied (not where requests may go), unavailable, request_timeout, connection_lost.
    virtual Task<OutboundAnswer> post(OutboundPost request) = 0;
};

}  // namespace entrepot
