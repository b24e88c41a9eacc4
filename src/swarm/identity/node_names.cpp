#include "swarm/identity/node_names.hpp"

#include "core/percent.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace entrepot {
namespace {

using Names = OpensslPtr<GENERAL_NAMES, GENERAL_NAMES_free>;
using Name = OpensslPtr<GENERAL_NAME, GENERAL_NAME_free>;

constexpr std::string_view node_prefix = "entrepot:node:";
constexpr std::string_view zone_prefix = "entrepot:zone:";
constexpr std::string_view seed_name = "entrepot:seed";

std::vector<std::string> uris_of(const NodeIdentity& identity)
{
    std::vector<std::string> uris{std::string{node_prefix} + identity.name};
    if (!identity.zone.empty()) uris.push_back(std::string{zone_prefix} + percent_encoded(identity.zone));
    if (identity.seed) uris.emplace_back(seed_name);
    return uris;
}

bool add_uri(GENERAL_NAMES& names, const std::string& uri)
{
    Name name{GENERAL_NAME_new()};
    auto* text = ASN1_IA5STRING_new();
    if (!name || text == nullptr) return false;
    GENERAL_NAME_set0_value(name.get(), GEN_URI, text);  // owns the text
    if (ASN1_STRING_set(text, uri.data(), static_cast<int>(uri.size())) != 1) return false;
    if (sk_GENERAL_NAME_push(&names, name.get()) <= 0) return false;
    name.release();  // the list owns it
    return true;
}

}  // namespace

bool add_node_names(X509& certificate, const NodeIdentity& identity)
{
    const Names names{GENERAL_NAMES_new()};
    if (!names) return false;
    for (const auto& uri : uris_of(identity)) {
        if (!add_uri(*names, uri)) return false;
    }
    return X509_add1_ext_i2d(&certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1;
}

Result<NodeIdentity> read_node_names(X509& certificate)
{
    const auto refuse = [] { return fail(Errc::bad_request, "certificate: its names are not those of a node"); };
    const Names names{static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)
    )};
    forget_openssl_errors();
    if (!names) return refuse();
    NodeIdentity identity;
    std::vector<std::string> uris;
    for (int at = 0; at < sk_GENERAL_NAME_num(names.get()); ++at) {
        const auto* name = sk_GENERAL_NAME_value(names.get(), at);
        if (name->type != GEN_URI) return refuse();
        const auto* text = name->d.uniformResourceIdentifier;
        const std::string_view uri{
            reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
            static_cast<std::size_t>(ASN1_STRING_length(text))
        };
        uris.emplace_back(uri);
        if (uri.starts_with(node_prefix)) identity.name = uri.substr(node_prefix.size());
        if (uri.starts_with(zone_prefix))
            identity.zone = percent_decoded(uri.substr(zone_prefix.size())).value_or(std::string{});
        if (uri == seed_name) identity.seed = true;
    }
    if (!is_node_name(identity.name) || !is_zone_name(identity.zone) || uris != uris_of(identity)) return refuse();
    TRY(identity.id, node_id_of(*X509_get_X509_PUBKEY(&certificate)));
    return identity;
}

}  // namespace entrepot
