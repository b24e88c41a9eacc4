#pragma once

#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "oci/names.hpp"
#include "ports/manifest_catalog.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace entrepot {

// Where artifacts are copied from and to: this registry, or another one. What a site answers is not believed: whoever
// copies compares digests. Safe from any loop; bodies are read on the executor that asked.
//
// Each method may answer denied (the credentials are not enough), too_many_requests (rests_until() says
// until when), unavailable, request_timeout, connection_lost; those that write also storage_full and
// quota_exceeded.

// Whether a site says that what was asked for isn't there.
constexpr bool is_unknown(Errc code) noexcept
{
    return code == Errc::manifest_unknown || code == Errc::name_unknown || code == Errc::not_found;
}

// What a reference leads to at the moment.
struct ManifestHead {
    Digest digest;
    std::string media_type;
    std::uint64_t size = 0;
};

// The bytes as they came; they have the digest.
struct CopiedManifest {
    Digest digest;
    std::string media_type;
    std::string bytes;
};

struct BlobStream {
    std::unique_ptr<ByteSource> body;
    std::uint64_t first = 0;              // of the blob; 0 where the source knows no ranges
    std::optional<std::uint64_t> size{};  // of the whole blob, where the source says so
};

class CopySource {
public:
    virtual ~CopySource() = default;

    // manifest_unknown, name_unknown. Costs the source as little as it can: Docker Hub counts no look as a pull.
    virtual Task<ManifestHead> look(RepositoryName repository, Reference reference) = 0;
    // The same and digest_mismatch, manifest_invalid (an HTML page, say).
    virtual Task<CopiedManifest> manifest(RepositoryName repository, Reference reference) = 0;
    // From its byte `first` on. blob_unknown.
    virtual Task<BlobStream> blob(RepositoryName repository, Digest digest, std::uint64_t first) = 0;
    // Those whose subject it is, also where the source only has the fallback tag (OCI distribution-spec, "Referrers
    // tag schema").
    virtual Task<ReferrerPage> referrers(RepositoryName repository, Digest subject, PageRequest page) = 0;

    // In the source's order, with a place to go on from that may be kept for a later run. unsupported where the source
    // lists none (Docker Hub, GHCR).
    struct Listing {
        std::vector<std::string> names;
        std::string next;  // PageRequest::last of the next page; empty: this is the last
    };
    virtual Task<Listing> repositories(PageRequest page) = 0;
    virtual Task<Listing> tags(RepositoryName repository, PageRequest page) = 0;  // name_unknown
};

// An upload that outlives the connection and the process: `place` names it to the target.
struct CopyUpload {
    std::string place;
    std::uint64_t offset = 0;          // bytes that the target has
    std::uint64_t shortest_chunk = 0;  // but for the last one (OCI-Chunk-Min-Length); 0: any
};

class CopyTarget {
public:
    virtual ~CopyTarget() = default;

    virtual Task<ManifestHead> look(RepositoryName repository, Reference reference) = 0;
    // Makes sure that things can be put there: projects are created where the target has such and the copier may.
    virtual Task<> prepare(RepositoryName repository) = 0;

    virtual Task<bool> holds(RepositoryName repository, Digest digest) = 0;
    // Links a blob that `from` holds at the target; false when the target doesn't do it.
    virtual Task<bool> mount(RepositoryName into, RepositoryName from, Digest digest) = 0;

    // A small blob in one step. digest_mismatch.
    virtual Task<> put(RepositoryName repository, Digest digest, std::string bytes) = 0;
    // What will have a digest of that algorithm, and so many bytes where that is known.
    virtual Task<CopyUpload>
    begin(RepositoryName repository, DigestAlgorithm algorithm, std::optional<std::uint64_t> size) = 0;
    // Where it stands after a break. upload_unknown: begin anew.
    virtual Task<CopyUpload> resume(RepositoryName repository, std::string place) = 0;
    // Sends exactly `length` bytes of `body` from upload.offset on. After a failure resume() tells what arrived;
    // nothing of `body` can be had again. upload_offset: what an earlier call had sent has arrived since; resume()
    // again.
    virtual Task<CopyUpload>
    append(RepositoryName repository, CopyUpload upload, ByteSource& body, std::uint64_t length) = 0;
    // digest_mismatch: the upload is gone.
    virtual Task<> finish(RepositoryName repository, CopyUpload upload, Digest digest) = 0;
    virtual Task<> cancel(RepositoryName repository, std::string place) = 0;  // gone already: success

    // By digest, or tagged. manifest_blob_unknown; precondition_failed for an immutable tag; denied by a push policy.
    virtual Task<> push(RepositoryName repository, Reference reference, CopiedManifest manifest) = 0;
    // A tag alone, or a manifest with its tags. manifest_unknown; unsupported.
    virtual Task<> remove(RepositoryName repository, Reference reference) = 0;
};

// A registry as both.
class CopySite : public CopySource, public CopyTarget {
public:
    // One of the two above has it twice.
    Task<ManifestHead> look(RepositoryName repository, Reference reference) override = 0;

    // What the first tags of a range point at, and what refers to that; or in short. To those who can list the tags.
    // unsupported where a site doesn't tell it: whoever compares two then lists both.
    virtual Task<TagSummary> tag_summary(TagRange /*range*/)
    {
        co_return fail(Errc::unsupported, "this registry does not sum its tags up");
    }
    virtual Task<std::vector<TagState>> tag_states(TagRange /*range*/)
    {
        co_return fail(Errc::unsupported, "this registry does not tell what its tags point at");
    }

    // Logs in and asks for nothing. unavailable and denied say why.
    virtual Task<> ping() = 0;
    // When it may be asked again, as it said itself (Retry-After, a used-up limit); 0: now.
    virtual Micros rests_until() const = 0;
};

}  // namespace entrepot
