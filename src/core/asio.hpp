#pragma once

// The one door to Asio's small headers. Heavier ones (ip, ssl, co_spawn) are included where they are used.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace entrepot {
namespace asio = boost::asio;
}
