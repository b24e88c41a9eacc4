#pragma once

#include "core/task.hpp"
#include "oci/names.hpp"
#include "ports/actor.hpp"
#include "ports/list_query.hpp"
#include "ports/retention_policy.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace entrepot {

// An image that somebody runs, by tag or digest.
struct ImageInUse {
    std::string source;  // who says so: "cluster-a"
    RepositoryName repository;
    Reference reference;
    Micros until = 0;
};

struct ExpiredTag {
    RepositoryName repository;
    RetentionCandidate tag;
};

// All tags there are, page by page, for who decides which of them go. unavailable, storage_full.
class TagInventory {
public:
    virtual ~TagInventory() = default;

    struct Place {
        std::int64_t id = 0;
        std::int64_t project_id = 0;
        RepositoryName name;
    };
    // The project's, in the order of names.
    virtual Task<std::vector<Place>> repositories(std::int64_t project_id, std::string after, std::int64_t limit) = 0;
    // Without those of accessories, which go with what they belong to. In the order of names.
    virtual Task<std::vector<RetentionCandidate>>
    tags(Place place, std::string after, std::int64_t limit, Micros now) = 0;
    // Artifacts without a tag that are part of no other one. In the order of manifests.
    virtual Task<std::vector<RetentionCandidate>>
    untagged(Place place, std::int64_t after, std::int64_t limit, Micros now) = 0;

    struct Removed {
        std::int64_t tags = 0;
        std::int64_t artifacts = 0;
        std::int64_t spared = 0;  // changed since they were read, or immutable by now
    };
    // In one transaction: each tag that still points where it did and was not pushed since, and each artifact that has
    // no tag left and is in no index, with its accessories. precondition_failed when something else that is immutable
    // would go along: then nothing is gone.
    virtual Task<Removed> remove(RepositoryName repository, std::vector<RetentionCandidate> doomed, Actor actor) = 0;

    // When the tag goes by itself; 0: never. manifest_unknown.
    virtual Task<Micros> expiry(RepositoryName repository, Tag tag) = 0;
    virtual Task<> set_expiry(RepositoryName repository, Tag tag, Micros at) = 0;
    virtual Task<std::vector<ExpiredTag>> expired(Micros now, std::int64_t limit) = 0;
    // For what could not go: it is asked for again then.
    virtual Task<> postpone_expiry(ExpiredTag tag, Micros until) = 0;

    // Replaces what the source has said of this project.
    virtual Task<> use(std::int64_t project_id, std::string source, std::vector<ImageInUse> images) = 0;
    virtual Task<ListPage<ImageInUse>> in_use(std::int64_t project_id, Micros now, ListQuery query) = 0;
    virtual Task<> forget_unused(Micros now) = 0;
};

}  // namespace entrepot
