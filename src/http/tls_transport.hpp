#pragma once

#include "http/tls_context.hpp"
#include "http/transport.hpp"

#include <memory>

namespace entrepot::http {

// A server's end of TLS on a connected, non-blocking socket. What OpenSSL writes is gathered in the loop's buffer and
// leaves in one send; only what the socket doesn't take is kept by the connection.
// Throws std::bad_alloc when OpenSSL has no memory.
std::unique_ptr<Transport> make_tls_transport(int descriptor, SslContext context, SharedBuffers& buffers);

}  // namespace entrepot::http
