#pragma once

#include "core/task.hpp"
#include "oci/names.hpp"
#include "ports/actor.hpp"
#include "ports/upload_catalog.hpp"

#include <cstdint>
#include <optional>

namespace entrepot {

// What of the removal of blobs was known before bytes were stored. By it arrive() tells whether they are still there.
struct BlobLook {
    std::int64_t sweeps = 0;
    bool leaving = false;  // bytes of this digest are being removed: wait
};

// Which repository holds which blob. A blob is readable through a repository only by such a link. Links that no
// manifest of their repository uses are kept for the time of a lease from when they were last promised to somebody.
// What a changing method acknowledges is durable. Each may answer unavailable; those that write also storage_full.
class BlobCatalog {
public:
    virtual ~BlobCatalog() = default;

    // The size of the blob in this repository, from memory and exact, else nullopt.
    virtual std::optional<std::uint64_t> peek(const RepositoryName& repository, const Digest& digest) = 0;
    virtual Task<std::uint64_t> load(RepositoryName repository, Digest digest) = 0;  // blob_unknown

    // The same for somebody who relies on it from now on, as a client does that asks before it pushes. What a manifest
    // uses is promised anyway; another link's lease is renewed where it began before `renewed_before`. blob_unknown.
    virtual std::optional<std::uint64_t> peek_promised(const RepositoryName& repository, const Digest& digest) = 0;
    virtual Task<std::uint64_t>
    promise(RepositoryName repository, Digest digest, Micros renewed_before, Actor actor) = 0;

    // To be asked before bytes are stored; an upload session brings the number along.
    virtual Task<BlobLook> look(Digest digest) = 0;

    // A stored and durable blob enters the repository (created where needed), and its upload session, if there was one,
    // ends in the same transaction: upload_unknown when that session is gone or was taken over since.
    // name_unknown when the project does not exist. Linking what is linked is success. look_again, with nothing
    // changed, when the bytes may have been removed since `sweeps`.
    struct Arrival {
        RepositoryName repository;
        Digest digest;
        std::uint64_t size = 0;
        std::optional<UploadId> upload{};
        std::int64_t fence = 0;
        std::int64_t sweeps = 0;  // of the look that came before the bytes
        Actor actor{};
    };
    enum class Arrived { linked, look_again };
    virtual Task<Arrived> arrive(Arrival arrival) = 0;

    // Links a blob that `from` holds into `into`; blob_unknown when `from` does not hold it.
    virtual Task<std::uint64_t> mount(RepositoryName into, RepositoryName from, Digest digest, Actor actor) = 0;

    // Some repositories that hold the blob, at most `limit`: a mount without a source looks for one the caller may
    // read.
    virtual Task<std::vector<RepositoryName>> holders(Digest digest, std::int64_t limit) = 0;

    // Unlinks. blob_unknown; blob_in_use while a manifest of the repository needs it.
    virtual Task<> remove(RepositoryName repository, Digest digest, Actor actor) = 0;
};

}  // namespace entrepot
