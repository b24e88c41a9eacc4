#pragma once

#include "core/task.hpp"
#include "oci/names.hpp"
#include "ports/actor.hpp"
#include "ports/blob_store.hpp"

#include <cstdint>
#include <vector>

namespace entrepot {

// A manifest that nothing keeps, and since when.
struct DeadManifest {
    std::int64_t id = 0;
    RepositoryName repository;
};

// A link that no manifest of its repository uses, last promised to somebody at `since`.
struct UnusedLink {
    std::int64_t project_id = 0;
    RepositoryName repository;
    std::int64_t repository_id = 0;
    std::int64_t blob_id = 0;
    std::uint64_t size = 0;
    Micros since = 0;
};

// What a collection would take. Untagged children of a dead index are not among it: they die with it.
struct GarbageEstimate {
    std::uint64_t manifests = 0;
    std::uint64_t blobs = 0;
    std::uint64_t bytes = 0;  // of these blobs
};

// What nobody needs any more. Finding it costs what there is of it, never a walk over what is alive. The steps are
// those of docs/decisions/0014-garbage-collection.md; each checks what it was told in its own transaction, so none
// takes what has come back to life meanwhile. Each may answer unavailable; those that write also storage_full.
class GarbageCatalog {
public:
    virtual ~GarbageCatalog() = default;

    enum class Dead {
        orphaned,      // what belonged to an artifact that is gone
        untagged_too,  // and what no tag, no index and no subject keeps
    };
    // Those dead since `before` or longer, at most `limit`.
    virtual Task<std::vector<DeadManifest>> dead_manifests(Dead which, Micros before, std::int64_t limit) = 0;

    struct Removed {
        std::uint64_t manifests = 0;
        std::uint64_t bytes = 0;
    };
    // Those of one repository that still are what dead_manifests() said.
    virtual Task<Removed> remove_manifests(
        RepositoryName repository, std::vector<std::int64_t> ids, Dead which, Micros before, Actor actor
    ) = 0;

    // Expire: lets go of at most `limit` manifests of the trash whose window ended at `now` or before. How many.
    virtual Task<std::int64_t> expire_trash(Micros now, std::int64_t limit) = 0;

    virtual Task<std::vector<UnusedLink>> unused_links(Micros before, std::int64_t limit) = 0;

    // SweepLinks and Condemn: removes those links of one project that have neither been used nor promised since. A blob
    // that no repository holds then is condemned. How many links went.
    virtual Task<std::uint64_t> sweep_links(std::int64_t project_id, std::vector<UnusedLink> links, Actor actor) = 0;

    // Claim: at most `limit` blobs that were condemned at `before` or earlier begin to leave; nobody can link them
    // then. Answers all whose bytes are to be removed now, with those that an earlier claim left. Only who holds the
    // store's BlobRemover may claim and forget.
    virtual Task<std::vector<StoredBlob>> claim(Micros before, std::int64_t limit) = 0;

    // Forget: the bytes of all that was claimed are gone.
    virtual Task<> forget() = 0;

    // Bytes that the store has: those that no row knows are condemned.
    virtual Task<> condemn_unknown(std::vector<StoredBlob> blobs, Actor actor) = 0;

    virtual Task<GarbageEstimate> estimate(Dead which, Micros manifests_before, Micros links_before) = 0;
};

}  // namespace entrepot
