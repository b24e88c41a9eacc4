#pragma once

#include "core/clock.hpp"
#include "core/task.hpp"
#include "oci/names.hpp"
#include "ports/project_catalog.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace entrepot {

// What a project caches, and how.
struct ProxyProject {
    std::int64_t project_id = 0;
    std::int64_t registry_id = 0;
    std::string registry_name;
    std::string registry_type;  // RegistryEndpoint::type
    std::string settings;       // JSON object, or empty
    ProjectMetadata metadata{};
};

// What a tag led to when the upstream was asked last.
struct CachedTag {
    std::string digest;  // empty: there was no such tag
    Micros checked_at = 0;
};

// One fetch from an upstream, among all instances. `fence` is another one each time that it
// changes hands, also when it was released between.
struct FetchClaim {
    std::int64_t project_id = 0;
    Digest digest;
    std::string repository;  // for which it is fetched
    std::string owner;       // who fetches: unique among instances and their restarts
    std::int64_t fence = 0;
    std::string place{};     // its upload; empty: not begun
    std::uint64_t size = 0;  // of the blob; 0: not known yet
    Micros expires_at = 0;
};

// What proxy caches know besides what they store. Each method is one transaction; nothing here needs to survive the
// loss of power. unavailable, storage_full.
class ProxyCatalog {
public:
    virtual ~ProxyCatalog() = default;

    virtual Task<ProxyProject> proxy(std::int64_t project_id) = 0;  // not_found: no proxy cache

    virtual Task<std::optional<CachedTag>> cached_tag(RepositoryName repository, Tag tag) = 0;
    // Nothing happens without the repository. An older look doesn't replace a younger one.
    virtual Task<> note_tag(RepositoryName repository, Tag tag, CachedTag seen) = 0;

    // The size of a blob as some manifest of the repository describes it; nullopt where none names it.
    virtual Task<std::optional<std::uint64_t>> described(RepositoryName repository, Digest digest) = 0;

    // `wish.owner`'s from now on where nobody's claim on this digest stands, or where it expired before `now`: with the
    // place of what was begun, if it was for the same repository. Otherwise the claim that stands.
    virtual Task<FetchClaim> claim(FetchClaim wish, Micros now) = 0;
    // Writes place, size and expiry. conflict: it has changed hands.
    virtual Task<> keep(FetchClaim claim) = 0;
    // The claim that stands, for those who wait for it.
    virtual Task<std::optional<FetchClaim>> standing(std::int64_t project_id, Digest digest) = 0;
    virtual Task<> release(FetchClaim claim) = 0;  // changed hands or gone: success
};

}  // namespace entrepot
