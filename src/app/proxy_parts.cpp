#include "app/proxy_parts.hpp"

#include "app/outbound_parts.hpp"

namespace entrepot {

ProxyParts::ProxyParts(
    const Config& config,
    MetadataStore& store,
    FilesystemBlobs& blobs,
    const AccessPolicy& policy,
    const MasterKey& master_key,
    const Clock& clock,
    Random& random
)
    : secrets_{master_key, random},
      upstreams_{store.endpoints(), secrets_, outbound_rules_of(config), clock},
      cache_{
          {.loop = loop_,
           .policy = policy,
           .catalog = store.proxies(),
           .upstreams = upstreams_,
           .manifests = store.manifests(),
           .links = store.blobs(),
           .sessions = store.uploads(),
           .bytes = blobs,
           .store = blobs,
           .views = blobs,
           .random = random,
           .clock = clock},
          {.alone = !config.uses_postgres()}
      }
{
}

}  // namespace entrepot
