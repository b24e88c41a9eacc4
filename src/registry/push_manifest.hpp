#pragma once

#include "core/task.hpp"
#include "oci/manifest.hpp"
#include "oci/media_type.hpp"
#include "oci/names.hpp"
#include "ports/blob_catalog.hpp"
#include "ports/blob_store.hpp"
#include "ports/manifest_catalog.hpp"
#include "ports/push_copies.hpp"
#include "registry/project_gate.hpp"

#include <optional>
#include <string>
#include <vector>

namespace entrepot {

struct ManifestPush {
    RepositoryName repository;
    Reference reference;
    std::vector<Tag> extra_tags;          // the `tag` parameters of a push by digest
    std::optional<MediaType> media_type;  // unset: the bytes say it
    std::string bytes;
    Caller caller;
    Actor actor;
};

struct PushedManifest {
    Digest digest;
    std::optional<Digest> subject;
    std::vector<Tag> tags;
    std::string warning{};             // of sites that lack it still; empty: none
    std::size_t missing_children = 0;  // manifests that a pushed index lists and the repository does not hold (yet)
};

// Accepts a manifest: parses it, checks its digest, works out what lists will show of it, and commits it with its tags
// in one transaction.
class PushManifest {
public:
    struct Stores {
        ManifestCatalog& catalog;
        BlobCatalog& links;
        BlobReader& blobs;
    };
    struct Options {
        bool accept_sparse = false;  // an image may come before, or without, some of its blobs
        bool expire_tags = false;    // what says by itself how long it is wanted is not kept longer
    };
    // Large manifests and configs are parsed on `parsing`, which outlives this.
    PushManifest(Stores stores, ProjectGate& gate, asio::thread_pool& parsing, Options options)
        : catalog_{stores.catalog},
          links_{stores.links},
          blobs_{stores.blobs},
          gate_{gate},
          parsing_{parsing},
          options_{options}
    {
    }

    // Sites that hold what is pushed to some projects; null: there are none. Before the first push.
    void copy_to(PushCopies* copies) noexcept { copies_ = copies; }

    // manifest_invalid, digest_mismatch, manifest_blob_unknown, name_unknown, and what the catalog and PushCopies
    // answer.
    Task<PushedManifest> operator()(ManifestPush push);

private:
    Task<std::string> commit(NewManifest record);
    Task<std::string> commit_at_sites(NewManifest record);
    Task<> check_blobs(const NewManifest& record);
    asio::awaitable<std::optional<BlobContent>> find_config(RepositoryName repository, Digest digest);
    Task<std::size_t> missing_among(RepositoryName repository, std::vector<Descriptor> children);

    ManifestCatalog& catalog_;
    BlobCatalog& links_;
    BlobReader& blobs_;
    ProjectGate& gate_;
    asio::thread_pool& parsing_;
    Options options_;
    PushCopies* copies_ = nullptr;
};

}  // namespace entrepot
