#pragma once

#include <cstddef>

#include <openssl/types.h>

namespace entrepot {

// What OpenSSL calls on behalf of a PeerTls. For peer_tls.cpp and peer_tls_context.cpp alone.
struct PeerTlsCallbacks {
    static int write(BIO* bio, const char* data, std::size_t size, std::size_t* written);
    static int read(BIO* bio, char* into, std::size_t size, std::size_t* count);
    static long control(BIO* bio, int command, long number, void* pointer);
    // In place of OpenSSL's own judgement of a peer's certificate: NodeTrust's.
    static int verify(X509_STORE_CTX* store, void* argument);
};

}  // namespace entrepot
