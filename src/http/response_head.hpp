#pragma once

#include "http/head_parser.hpp"
#include "http/message.hpp"

#include <string>
#include <string_view>

namespace entrepot::http {

struct HeadOptions {
    bool head_request = false;
    bool http_1_0 = false;
    bool keep_alive = true;
    std::string_view date;  // a complete "Date" line
};

// Appends the status line and all header fields of an answer, up to and with the empty line (RFC 9112 section 4).
void append_head(std::string& out, const Response& response, const HeadOptions& options);

// Whether an answer of this status to this method is followed by its body (RFC 9110 section 6.4.1).
bool sends_body(unsigned status, bool head_request) noexcept;

// {"errors":[{"code":…,"message":…}]} for what the session answers by itself. The words must need no escaping.
Response refusal_answer(const Refusal& refusal);

}  // namespace entrepot::http
