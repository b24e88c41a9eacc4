#pragma once

#include "core/error.hpp"
#include "http/message.hpp"

namespace entrepot {

// An error as OAuth 2.0 words it (RFC 6749 section 5.2): {"error":…,"error_description":…}. Never stored by caches.
Response oauth_error(const Error& error);

}  // namespace entrepot
