#pragma once

#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "core/random.hpp"
#include "core/task.hpp"
#include "oci/names.hpp"
#include "ports/blob_catalog.hpp"
#include "ports/blob_store.hpp"
#include "ports/push_copies.hpp"
#include "ports/upload_catalog.hpp"
#include "registry/project_gate.hpp"

#include <cstdint>
#include <optional>

namespace entrepot {

// "start-end" of a chunk (OCI distribution-spec, "Pushing a blob in chunks"); both inclusive.
struct ChunkRange {
    std::uint64_t first = 0;
    std::uint64_t last = 0;

    std::uint64_t length() const noexcept { return last - first + 1; }
};

// The life of an upload: begin, append any number of times, finish or cancel. A session is a row in the catalog and
// bytes in the store, so any instance that shares both goes on with it. docs/flows/push.md follows one through.
class Uploads {
public:
    struct Limits {
        std::int64_t sessions_per_user = 10'000;
        // Bodies up to this many bytes skip the upload file: they are hashed in memory and stored in one step.
        std::size_t small_blob = 64 * 1024;
    };

    Uploads(
        UploadCatalog& sessions,
        BlobCatalog& links,
        BlobIngest& store,
        ProjectGate& gate,
        Random& random,
        const Clock& clock,
        Limits limits
    )
        : sessions_{sessions},
          links_{links},
          store_{store},
          gate_{gate},
          random_{random},
          clock_{clock},
          limits_{limits}
    {
    }

    // Who is told of each blob that comes; null: nobody. Before the first upload.
    void tell(PushCopies* copies) noexcept { copies_ = copies; }

    // name_unknown, too_many_requests.
    Task<UploadId> begin(RepositoryName repository, DigestAlgorithm algorithm, Caller caller);
    // How many bytes have arrived. upload_unknown.
    Task<std::uint64_t> offset(RepositoryName repository, UploadId id);
    // Takes a chunk, or with no range all of `body`, and returns the new offset. When the body breaks off, what came is
    // kept. upload_offset when the range does not start where the upload stands, size_invalid when the body is not as
    // long as the range, cancelled when another request has taken the session over.
    Task<std::uint64_t>
    append(RepositoryName repository, UploadId id, std::optional<ChunkRange> range, ByteSource& body);
    // Takes the rest, if any, and makes it a blob of the repository. digest_mismatch ends the session.
    Task<> finish(
        RepositoryName repository,
        UploadId id,
        Digest digest,
        std::optional<ChunkRange> range,
        ByteSource& body,
        Caller caller
    );
    // upload_unknown.
    Task<> cancel(RepositoryName repository, UploadId id);
    // A whole blob in one request, without a session that a client could see.
    Task<> push(RepositoryName repository, Digest digest, ByteSource& body, Caller caller);
    // Ends all sessions that nobody has touched for `age` microseconds.
    Task<> expire(Micros age);

private:
    Task<> finish_stored(UploadSession session, Digest digest, ByteSource& body, Caller caller);
    Task<> store_small(UploadSession session, Digest digest, ByteSource& body, Caller caller);
    Task<>
    receive(const UploadSession& session, BlobUpload& upload, ByteSource& body, std::optional<std::uint64_t> expected);
    Task<> forget(UploadId id);
    Task<> arrive(const UploadSession& session, Digest digest, std::uint64_t size, std::string bytes, Caller caller);
    Task<std::int64_t> look(Digest digest);
    Task<> store_again(const UploadSession& session, Digest digest, std::string bytes);
    UploadId new_id();
    Actor actor(const Caller& caller) const { return {.user_id = caller.identity->user_id, .at = clock_.now()}; }

    UploadCatalog& sessions_;
    BlobCatalog& links_;
    BlobIngest& store_;
    ProjectGate& gate_;
    Random& random_;
    const Clock& clock_;
    Limits limits_;
    PushCopies* copies_ = nullptr;
};

}  // namespace entrepot
