#pragma once

#include "core/task.hpp"
#include "ports/copy_site.hpp"
#include "ports/endpoint_catalog.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace entrepot {

// A kind of registry that can be talked to, for those who choose one.
struct AdapterInfo {
    std::string type;  // RegistryEndpoint::type
    std::string title;
    std::vector<std::pair<std::string, std::string>>
        known_urls;  // name and URL that its users choose from; may be empty
    std::string
        credential_pattern;  // of Harbor's adapterinfos: "AccessKey / AccessSecret" or so; empty: user and password
    bool lists_repositories = true;
    bool chunks = true;
    bool tested = false;  // against the real thing; false: from its published shape
};

// Opens registries elsewhere. Connections, tokens and what is known of their limits are shared by all who opened the
// same version of an endpoint. Safe from any loop.
class Upstreams {
public:
    virtual ~Upstreams() = default;
    virtual const std::vector<AdapterInfo>& adapters() const = 0;
    // not_found: no such endpoint; bad_request: an address or a type that can't be; denied: where requests may not go.
    virtual Task<std::shared_ptr<CopySite>> open(std::int64_t endpoint_id) = 0;
    // One that is not saved (yet), its secret in clear: to try it out.
    virtual Task<std::shared_ptr<CopySite>> open(RegistryEndpoint endpoint) = 0;
};

}  // namespace entrepot
