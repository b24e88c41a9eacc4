#include "delivery/swarm_secrets.hpp"

#include "core/bytes.hpp"

#include <openssl/crypto.h>

#include <string>
#include <utility>

namespace entrepot {

namespace {

constexpr auto authority_name = "swarm.authority";
constexpr auto tickets_name = "swarm.tickets";
// Between an authority's key and its certificate, both PEM.
constexpr char divider = '\0';

// What is kept under the name, unsealed; `fresh`, which is wiped, where nothing was.
Task<std::string> kept(NodeCatalog& catalog, SecretBox& box, std::string name, std::string fresh)
{
    auto sealed = box.seal(fresh, name);
    OPENSSL_cleanse(fresh.data(), fresh.size());
    CO_TRY(const auto stored, co_await catalog.keep_secret(name, std::move(sealed)));
    co_return box.open(stored, name);
}

}  // namespace

Task<std::shared_ptr<const SwarmSecrets>>
SwarmSecrets::open(NodeCatalog& catalog, SecretBox& box, Random& random, const Clock& clock)
{
    CO_TRY(const auto new_authority, NodeAuthority::create(random, clock.now()));
    CO_TRY(auto new_key, new_authority.key_pem());
    auto authority_task = kept(catalog, box, authority_name, new_key + divider + new_authority.certificate_pem());
    OPENSSL_cleanse(new_key.data(), new_key.size());
    CO_TRY(auto pair, co_await std::move(authority_task));
    const auto end = pair.find(divider);
    if (end == std::string::npos) co_return fail(Errc::corrupt, "the authority for nodes can't be read");
    auto authority =
        NodeAuthority::from_pem(std::string_view{pair}.substr(0, end), std::string_view{pair}.substr(end + 1));
    OPENSSL_cleanse(pair.data(), pair.size());
    if (!authority) co_return std::unexpected{authority.error()};

    CO_TRY(const auto new_signer, TicketSigner::generate(random));
    CO_TRY(auto new_seed, new_signer.seed());
    auto seed_task = kept(catalog, box, tickets_name, std::move(new_seed));
    CO_TRY(auto seed, co_await std::move(seed_task));
    auto signer = TicketSigner::from_seed(as_bytes(seed));
    OPENSSL_cleanse(seed.data(), seed.size());
    if (!signer) co_return std::unexpected{signer.error()};
    co_return std::shared_ptr<const SwarmSecrets>{new SwarmSecrets{*std::move(authority), *std::move(signer)}};
}

}  // namespace entrepot
