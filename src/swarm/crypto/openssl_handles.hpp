#pragma once

#include "core/error.hpp"

#include <memory>
#include <string>

#include <openssl/evp.h>

namespace entrepot {

// Objects of OpenSSL with an owner. Throughout the room: whatever OpenSSL refuses leaves nothing in the thread's error
// queue, because a TLS connection on the same thread would take it for its own (SSL_get_error(3)).
template <auto Free>
struct OpensslFree {
    template <class Object>
    void operator()(Object* object) const noexcept
    {
        Free(object);
    }
};
template <class Object, auto Free>
using OpensslPtr = std::unique_ptr<Object, OpensslFree<Free>>;

using DigestContext = OpensslPtr<EVP_MD_CTX, EVP_MD_CTX_free>;
using KeyContext = OpensslPtr<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using KeyHandle = OpensslPtr<EVP_PKEY, EVP_PKEY_free>;
// Keys are immutable once made, and may be used by several threads at once.
using SharedKey = std::shared_ptr<EVP_PKEY>;

// Why OpenSSL refused last, for a log; empties the thread's queue.
std::string openssl_reason();
void forget_openssl_errors() noexcept;

}  // namespace entrepot
