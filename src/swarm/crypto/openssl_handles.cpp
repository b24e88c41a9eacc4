#include "swarm/crypto/openssl_handles.hpp"

#include <array>

#include <openssl/err.h>

namespace entrepot {

std::string openssl_reason()
{
    const auto code = ERR_peek_last_error();
    std::array<char, 256> text{};
    if (code != 0) ERR_error_string_n(code, text.data(), text.size());
    ERR_clear_error();
    return code != 0 ? text.data() : "OpenSSL gives no reason";
}

void forget_openssl_errors() noexcept
{
    ERR_clear_error();
}

}  // namespace entrepot
