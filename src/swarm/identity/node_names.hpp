#pragma once

#include "core/error.hpp"
#include "swarm/identity/node_identity.hpp"
#include "swarm/identity/x509_handles.hpp"

namespace entrepot {

// A node's names in its certificate: URIs of the extension subjectAltName (RFC 5280 section 4.2.1.6), with a scheme of
// our own and without an authority, which would have to be a host: entrepot:node:NAME, entrepot:zone:ZONE (with
// percent-encoding; not there where the zone is not known), entrepot:seed.
bool add_node_names(X509& certificate, const NodeIdentity& identity);

// The identity of a certificate that has been verified. bad_request: a key that no node may have, no name of a node, or
// any name that add_node_names() would not have written.
Result<NodeIdentity> read_node_names(X509& certificate);

}  // namespace entrepot
