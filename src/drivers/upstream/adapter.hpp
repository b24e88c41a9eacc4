#pragma once

#include "drivers/upstream/registry_calls.hpp"
#include "oci/names.hpp"
#include "ports/copy_site.hpp"
#include "ports/upstreams.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// A registry that a site talks to, as an adapter sees it.
struct AdapterCalls {
    RegistryCalls& calls;
    const RegistryEndpoint& endpoint;  // its secret in clear
};

// What one kind of registry does in another way than the OCI distribution-spec says, and de facto registries do; null:
// nothing. docs/endpoints.md has a section for each.
struct Adapter {
    AdapterInfo info;
    // Where the log-in of this kind is besides the registry's host.
    std::vector<std::string> token_hosts{};
    // What a token must allow for listing tags.
    std::string list_actions = "pull";
    // A POST may carry a small blob (OCI distribution-spec, "Single POST").
    bool single_post = false;

    // The registry's address, of what people enter.
    HttpUrl (*registry_url)(HttpUrl entered) = nullptr;
    std::string (*remote_name)(const RepositoryName& repository) = nullptr;
    // The log-in of this kind; its pass counts for all repositories.
    Task<RegistryPass> (*pass)(HttpClient& client, RegistryEndpoint endpoint, const Clock& clock) = nullptr;
    Task<CopySource::Listing> (*repositories)(AdapterCalls site, PageRequest page) = nullptr;
    Task<> (*prepare)(AdapterCalls site, RepositoryName repository) = nullptr;
    // Where it tells what ranges of tags point at, as CopySite does.
    Task<TagSummary> (*tag_summary)(AdapterCalls site, TagRange range) = nullptr;
    Task<std::vector<TagState>> (*tag_states)(AdapterCalls site, TagRange range) = nullptr;
    // Of a tag alone. Manifests are removed by the distribution API.
    Task<> (*remove_tag)(AdapterCalls site, RepositoryName repository, Tag tag) = nullptr;
};

std::span<const Adapter> all_adapters();
const Adapter* find_adapter(std::string_view type);

}  // namespace entrepot
