#pragma once

#include "client/http_client.hpp"
#include "http/message.hpp"

#include <string_view>

namespace entrepot {

// {"errors":[{"code","message"}]} (OCI distribution-spec, "Error Codes").
Response agent_error(unsigned status, std::string_view code, std::string_view message);

// The answer to a GET whose question the registry did not answer: a client goes on to the registry itself then.
Response registry_silent(const Error& error);

// Status and those headers of the registry's answer that clients need, its WWW-Authenticate as it is. No body.
Response passed_head(const ClientAnswerHead& head);

// The head of the answer to the same GET.
Response agent_head_of(Response response);

}  // namespace entrepot
