#include "swarm/ticket/ticket_signer.hpp"

#include "core/bytes.hpp"
#include "swarm/crypto/sha256_stream.hpp"

#include <array>
#include <utility>

#include <openssl/crypto.h>

namespace entrepot {
namespace {

const unsigned char* octets(std::string_view bytes) noexcept
{
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

TicketKeyId id_of(const TicketPublicKey& key)
{
    const auto hash = sha256_of(as_bytes(key));
    std::uint64_t id = 0;
    for (std::size_t at = 8; at-- > 0;) id = id << 8U | hash.bytes[at];
    return TicketKeyId{id};
}

TicketSigner::TicketSigner(SharedKey key, const TicketPublicKey& public_key)
    : key_{std::move(key)}, public_key_{public_key}, id_{id_of(public_key)}
{
}

Result<TicketSigner> TicketSigner::generate(Random& random)
{
    std::array<std::byte, seed_bytes> seed{};
    random.fill(seed);
    auto signer = from_seed(seed);
    OPENSSL_cleanse(seed.data(), seed.size());
    return signer;
}

Result<TicketSigner> TicketSigner::from_seed(std::span<const std::byte> seed)
{
    if (seed.size() != seed_bytes) return fail(Errc::corrupt, "a stored ticket key has not 32 bytes");
    const SharedKey key{
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, octets(as_text(seed)), seed.size()), EVP_PKEY_free
    };
    TicketPublicKey public_key;
    auto size = public_key.bytes.size();
    if (!key || EVP_PKEY_get_raw_public_key(key.get(), public_key.bytes.data(), &size) != 1)
        return fail(Errc::internal, "no ticket key can be made", openssl_reason());
    return TicketSigner{key, public_key};
}

Result<std::string> TicketSigner::seed() const
{
    std::string seed(seed_bytes, '\0');
    auto size = seed.size();
    if (EVP_PKEY_get_raw_private_key(key_.get(), reinterpret_cast<unsigned char*>(seed.data()), &size) != 1)
        return fail(Errc::internal, "a ticket key cannot be stored", openssl_reason());
    return seed;
}

Result<std::string> TicketSigner::sign(Ticket ticket) const
{
    ticket.key = id_;
    CHECK(check_ticket(ticket));
    auto bytes = encode_ticket_body(ticket);
    const auto what = signed_ticket_bytes(as_bytes(bytes));
    std::array<unsigned char, ticket_signature_bytes> signature{};
    auto size = signature.size();
    const DigestContext context{EVP_MD_CTX_new()};
    const bool is_signed = context && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
                           EVP_DigestSign(context.get(), signature.data(), &size, octets(what), what.size()) == 1;
    if (!is_signed) return fail(Errc::internal, "the ticket cannot be signed", openssl_reason());
    bytes.append(reinterpret_cast<const char*>(signature.data()), size);
    return bytes;
}

}  // namespace entrepot
