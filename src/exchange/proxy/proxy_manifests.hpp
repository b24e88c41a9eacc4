#pragma once

#include "core/flights.hpp"
#include "exchange/proxy/proxy_blobs.hpp"
#include "exchange/proxy/proxy_counters.hpp"
#include "exchange/proxy/tag_book.hpp"
#include "exchange/proxy/upstream_desk.hpp"
#include "ports/blob_store.hpp"
#include "ports/manifest_catalog.hpp"

#include <optional>
#include <string>

namespace entrepot {

// Brings manifests here from upstreams and keeps tags as fresh as their project wants.
class ProxyManifests {
public:
    struct Needs {
        ProxyCatalog& catalog;
        ManifestCatalog& manifests;
        BlobReader& bytes;
        UpstreamDesk& desk;
        ProxyBlobs& blobs;
        ProxyCounters& counters;
        const Clock& clock;
    };
    ProxyManifests(Needs needs, asio::io_context& loop) : needs_{needs}, flights_{loop} {}

    // Null: the manifest is as fresh as it has to be in the catalog. Otherwise one that there was no room for.
    // manifest_unknown, name_unknown, denied, too_many_requests, unavailable.
    Task<ManifestPtr> bring(OpenProxyPtr proxy, RepositoryName repository, Reference reference);

    // Whether this tag needs no look at the upstream, as far as that is known from memory.
    bool is_fresh(const ProxySettings& settings, const RepositoryName& repository, const Tag& tag) const;

    asio::awaitable<void> drain() { return flights_.drain(); }

private:
    struct Wish {
        OpenProxyPtr proxy;
        RepositoryName repository;
        RepositoryName upstream;
        Reference reference;
        std::optional<Digest> here{};  // what the tag leads to here
    };
    Task<ManifestPtr> bring_digest(Wish wish);
    Task<ManifestPtr> bring_tag(Wish wish);
    Task<std::optional<Digest>> here(const Wish& wish);
    Task<bool> fresh_here(const Wish& wish);
    Flights<ManifestPtr>::FlightPtr start(const Wish& wish);
    bool is_known_missing(const Wish& wish) const;
    Task<ManifestPtr> fetch(Wish wish);
    Task<ManifestPtr> fetch_from(Wish wish, Reference reference);
    Task<ManifestPtr> keep(const Wish& wish, CopiedManifest came);
    asio::awaitable<std::optional<std::string>> config_of(const Wish& wish, const Manifest& manifest);
    Task<> seen(const Wish& wish, std::string digest);

    Needs needs_;
    TagBook book_;
    Flights<ManifestPtr> flights_;
};

}  // namespace entrepot
