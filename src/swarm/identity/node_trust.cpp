#include "swarm/identity/node_trust.hpp"

#include "swarm/identity/node_names.hpp"

#include <stdexcept>
#include <string>
#include <utility>

namespace entrepot {
namespace {

using StoreContext = OpensslPtr<X509_STORE_CTX, X509_STORE_CTX_free>;

constexpr int bits_112 = 2;  // SSL_CTX_set_security_level(3): nothing weaker, such as SHA-1

std::unexpected<Error> refuse(std::string why)
{
    forget_openssl_errors();
    return fail(Errc::unauthorized, "the certificate is not accepted", std::move(why));
}

bool configure(X509_STORE_CTX& context, Micros now)
{
    auto* parameters = X509_STORE_CTX_get0_param(&context);
    X509_VERIFY_PARAM_set_time(parameters, static_cast<time_t>(now / 1'000'000));
    X509_VERIFY_PARAM_set_depth(parameters, 0);
    X509_VERIFY_PARAM_set_auth_level(parameters, bits_112);
    return X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT) == 1 &&
           X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_CLIENT) == 1;
}

}  // namespace

NodeTrust::NodeTrust() : authorities_{X509_STORE_new(), X509_STORE_free}
{
    if (!authorities_) throw std::runtime_error{"no store of certificates can be made: " + openssl_reason()};
}

Result<> NodeTrust::trust(std::string_view authority_pem)
{
    TRY(const auto authority, read_certificate(authority_pem));
    if (X509_check_ca(authority.get()) != 1 || X509_STORE_add_cert(authorities_.get(), authority.get()) != 1)
        return fail(Errc::bad_request, "certificate: not an authority's", openssl_reason());
    return {};
}

Result<NodeIdentity> NodeTrust::verify(std::span<const std::byte> certificate, Micros now) const
{
    const auto shown = read_certificate_der(certificate);
    if (!shown) return refuse(shown.error().message());
    const StoreContext context{X509_STORE_CTX_new()};
    if (!context || X509_STORE_CTX_init(context.get(), authorities_.get(), shown->get(), nullptr) != 1 ||
        !configure(*context, now))
        return refuse("it cannot be looked at: " + openssl_reason());
    if (X509_verify_cert(context.get()) != 1)
        return refuse(X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get())));
    if (X509_check_purpose(shown->get(), X509_PURPOSE_SSL_SERVER, 0) != 1) return refuse("not for servers");
    if ((X509_get_extension_flags(shown->get()) & EXFLAG_CA) != 0) return refuse("an authority's");
    auto identity = read_node_names(**shown);
    if (!identity) return refuse(identity.error().message());
    return identity;
}

}  // namespace entrepot
