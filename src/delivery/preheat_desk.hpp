#pragma once

#include "access/policy.hpp"
#include "oci/names.hpp"
#include "ports/manifest_catalog.hpp"
#include "ports/node_catalog.hpp"
#include "ports/preheat_catalog.hpp"

#include <functional>
#include <string>
#include <vector>

namespace entrepot {

struct NewPreheat {
    RepositoryName repository;
    Reference reference;
    std::string platform{};  // of an index: os/architecture[/variant]; empty: linux/amd64
    PreheatSelection selection{};
    Micros lifetime = 0;  // from now on; exclusive with `deadline`
    Micros deadline = 0;
    std::int64_t rate = 0;  // bytes a second of each node; 0: no limit
};

// Images that nodes are to have before anybody asks for them: who may have that done, of which image, on which nodes.
// It takes the right to pull the image, and preheat-instance on the platform or preheat-policy in the project. Who may
// not read a preheat hears that there is none. Safe from any loop.
class PreheatDesk {
public:
    static constexpr Micros default_lifetime = 24LL * 3600 * 1'000'000;
    static constexpr Micros longest_lifetime = 30 * default_lifetime;
    static constexpr std::size_t most_running = 256;

    // `hurry`: called when something is to be carried out; may be empty.
    PreheatDesk(
        PreheatCatalog& catalog,
        NodeCatalog& nodes,
        ManifestCatalog& manifests,
        const AccessPolicy& policy,
        const Clock& clock,
        std::function<void()> hurry
    );

    // unauthorized, denied; name_unknown, manifest_unknown; bad_request: what can't be meant, no node that is meant, or
    // an index without the platform; unsupported: no image; conflict: too many run.
    Task<PreheatEntry> create(Caller caller, NewPreheat wanted);
    // Those that the caller may read. unauthorized, denied: none of any project; bad_request.
    Task<ListPage<PreheatEntry>> list(Caller caller, ListQuery query);
    Task<PreheatEntry> find(Caller caller, std::int64_t id);  // unauthorized, not_found
    // unauthorized, not_found, bad_request.
    Task<ListPage<PreheatNode>> nodes(Caller caller, std::int64_t id, ListQuery query);
    // As it was. unauthorized, not_found, denied; conflict: it has ended.
    Task<PreheatEntry> cancel(Caller caller, std::int64_t id);

private:
    struct Image {
        std::string digest;
        std::string platform;
        std::int64_t bytes = 0;
    };
    bool may(const Caller& caller, const PreheatEntry& entry, std::string_view action) const;
    AccessPolicy::Ids readable(const Caller& caller) const;
    Task<Image> image_of(RepositoryName repository, Reference reference, std::string platform);
    Task<std::vector<NodeEntry>> certified_nodes(Micros now);

    PreheatCatalog& catalog_;
    NodeCatalog& nodes_;
    ManifestCatalog& manifests_;
    const AccessPolicy& policy_;
    const Clock& clock_;
    const std::function<void()> hurry_;
};

}  // namespace entrepot
