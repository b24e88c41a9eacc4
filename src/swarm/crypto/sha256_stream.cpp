#include "swarm/crypto/sha256_stream.hpp"

#include <stdexcept>

namespace entrepot {
namespace {

// Fetched once: a search for it costs more than hashing a small text does.
const EVP_MD* sha256()
{
    static const OpensslPtr<EVP_MD, EVP_MD_free> algorithm{EVP_MD_fetch(nullptr, "SHA2-256", nullptr)};
    return algorithm.get();
}

void demand(bool holds)
{
    if (!holds) throw std::runtime_error{"SHA-256 is not available: " + openssl_reason()};
}

}  // namespace

Sha256Stream::Sha256Stream() : context_{EVP_MD_CTX_new()}
{
    begin();
}

void Sha256Stream::begin()
{
    demand(context_ && sha256() != nullptr && EVP_DigestInit_ex2(context_.get(), sha256(), nullptr) == 1);
}

void Sha256Stream::update(std::span<const std::byte> bytes)
{
    demand(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

Sha256 Sha256Stream::take()
{
    Sha256 hash;
    demand(EVP_DigestFinal_ex(context_.get(), hash.bytes.data(), nullptr) == 1);
    begin();
    return hash;
}

Sha256 sha256_of(std::span<const std::byte> bytes)
{
    Sha256Stream stream;
    stream.update(bytes);
    return stream.take();
}

}  // namespace entrepot
