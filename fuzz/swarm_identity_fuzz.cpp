// What nodes send of themselves: certificates, requests for certificates and tokens. Names that can be read from a
// certificate are written as the same, and nothing that no authority has signed is accepted.
#include "core/bytes.hpp"
#include "swarm/identity/node_names.hpp"
#include "swarm/identity/node_token.hpp"
#include "swarm/identity/node_trust.hpp"
#include "swarm/identity/x509_handles.hpp"

#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include <openssl/err.h>

namespace {

using namespace entrepot;

void demand(bool holds)
{
    if (!holds) std::abort();
}

void check_certificate(std::span<const std::byte> der)
{
    static const NodeTrust trusting_nobody;
    demand(!trusting_nobody.verify(der, 1'800'000'000'000'000));
    const auto certificate = read_certificate_der(der);
    if (!certificate) return;
    const auto identity = read_node_names(**certificate);
    if (!identity) return;
    demand(is_node_name(identity->name) && is_zone_name(identity->zone));
    const Certificate again{X509_new()};
    demand(X509_set_pubkey(again.get(), X509_get0_pubkey(certificate->get())) == 1);
    demand(add_node_names(*again, *identity));
    const auto reread = read_node_names(*again);
    demand(reread && *reread == *identity);
}

void check_request(std::string_view pem)
{
    const auto request = read_request(pem);
    if (!request) return;
    demand(pem.size() <= most_pem_bytes);
    const auto id = node_id_of(*X509_REQ_get_X509_PUBKEY(request->get()));
    if (!id) demand(id.error().code() == Errc::bad_request);
}

void check_token(std::string_view text)
{
    const auto token = NodeToken::parse(text);
    if (!token) return;
    demand(token->text() == text);
    const NodeTokenRecord record{
        .id = std::string{token->id()}, .hash = token->hash(), .zones = {}, .nodes = 1, .used = 0, .expires = 1
    };
    demand(check_node_token(*token, record, "", 0).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto input = std::as_bytes(std::span{data, size});
    if (input.empty()) return 0;
    const auto rest = input.subspan(1);
    switch (std::to_integer<char>(input.front())) {
        case 'c': check_certificate(rest); break;
        case 'r': check_request(as_text(rest)); break;
        case 't': check_token(as_text(rest)); break;
        default: break;
    }
    demand(ERR_peek_error() == 0);
    return 0;
}
