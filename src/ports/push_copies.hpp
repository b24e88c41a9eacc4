#pragma once

#include "core/task.hpp"
#include "oci/manifest.hpp"
#include "oci/names.hpp"
#include "ports/actor.hpp"
#include "ports/blob_store.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace entrepot {

// A manifest that is being pushed, as the other sites of its project have to get it.
struct CopiedPush {
    RepositoryName repository;
    Digest digest;
    std::string media_type;
    std::string bytes;
    std::vector<Descriptor> blobs;
    std::vector<Descriptor> children;
    std::vector<Tag> tags;
    Actor actor;
};

// The sites share it: manifests may have megabytes.
using CopiedPushPtr = std::shared_ptr<const CopiedPush>;

// Sites that have to hold what is pushed here before it is acknowledged. Safe from any loop.
class PushCopies {
public:
    virtual ~PushCopies() = default;

    // Whether the repository's project is one of those; from memory.
    virtual bool concerns(const RepositoryName& repository) const = 0;
    // The same after a look at what has changed.
    virtual Task<bool> concerns_now(RepositoryName repository) = 0;
    // So many bytes of an upload have come by now and are readable, but for the latest, in its view: the sites get them
    // while the rest comes, though nobody knows yet what it will be. Never waits.
    virtual void blob_comes(
        const RepositoryName& repository, DigestAlgorithm algorithm, const UploadId& upload, std::uint64_t bytes
    ) = 0;
    // The upload has ended, and is no blob: what the sites were sent of it goes. Never waits.
    virtual void blob_fails(const UploadId& upload) = 0;
    // A blob has come, by this upload: the sites get what they lack of it while the client sends the next one. Never
    // waits.
    virtual void
    blob_came(const RepositoryName& repository, const UploadId& upload, const Digest& digest, std::uint64_t size) = 0;
    // Before the manifest is committed: until enough sites hold all that it names and itself. unavailable (naming the
    // sites) where too few do and the project refuses that: nothing has happened then that anybody sees.
    virtual Task<> bring_content(CopiedPushPtr push) = 0;
    // After it was committed with its tags: until enough sites have these too. Answers a warning for the client, or
    // nothing. unavailable where too few do and the project refuses that: it stands here, and is brought over.
    virtual Task<std::string> bring_tags(CopiedPushPtr push) = 0;
};

}  // namespace entrepot
