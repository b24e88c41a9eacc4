#pragma once

#include "exchange/endpoints.hpp"

namespace entrepot {

// bad_request for what can't be an endpoint, but for its address, which those check who talk to it.
Result<> check_endpoint(const RegistryEndpoint& endpoint);

// Whether both are the same host behind the same scheme and port.
bool same_origin(std::string_view left, std::string_view right);

}  // namespace entrepot
