#pragma once

#include "core/task.hpp"
#include "oci/artifact_view.hpp"
#include "oci/manifest.hpp"
#include "oci/names.hpp"
#include "ports/actor.hpp"
#include "ports/tag_states.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace entrepot {

// A manifest as it was pushed.
struct StoredManifest {
    Digest digest;
    std::string media_type;
    std::string bytes;
    std::int64_t id = 0;  // row, for counting pulls
    std::int64_t repository_id = 0;
};
using ManifestPtr = std::shared_ptr<const StoredManifest>;

struct NewManifest {
    RepositoryName repository;
    Digest digest;
    std::string bytes;
    Manifest manifest;
    std::vector<Tag> tags;  // point here afterwards; none for a push by digest
    Actor actor;
    ArtifactView view{};             // what lists will show
    Micros tags_expire_at = 0;       // 0: never
    bool may_lack_blobs = false;     // a sparse image: blobs that are not here count as needed once they arrive
    std::string copied_from{};       // the repository that it is copied from; empty: pushed
    std::string copied_with{};       // the digest that was asked to be copied, of what comes along with it
    std::int64_t restored_from = 0;  // the entry of the trash that it comes back from; 0: none
    Micros deleted_at = 0;           // then
    bool waits_for_sites = false;    // somebody who would wait for other sites, and knew of none: see commit()
};

// One entry of a referrers answer.
struct Referrer {
    Digest digest;
    std::string media_type;
    std::uint64_t size = 0;
    std::string artifact_type;
    Annotations annotations;
};

// Names in ASCII order; `more` when the list goes on after the last one.
struct NamePage {
    std::vector<std::string> names;
    bool more = false;
};
using NamePagePtr = std::shared_ptr<const NamePage>;

struct ReferrerPage {
    std::vector<Referrer> referrers;
    bool more = false;
};

// A place in a list: at most `limit` entries, those after `last` (exclusive; empty: from the start).
struct PageRequest {
    std::int64_t limit = 0;
    std::string last;
};

// Why a manifest is refused for one of its blobs, whoever finds out: the repository does not hold it
// (manifest_blob_unknown), or another size of it (size_invalid).
std::unexpected<Error> refuse_blob_unknown(const RepositoryName& repository, const Digest& blob);
std::unexpected<Error> refuse_blob_size(const Digest& blob);

// Manifests, tags and what they refer to. One method, one transaction; what a changing method acknowledges is durable.
// peek() answers from memory only if the answer is exact now, else nullopt; load() may ask the database.
// Each may answer unavailable; those that write also storage_full.
class ManifestCatalog {
public:
    virtual ~ManifestCatalog() = default;

    virtual std::optional<ManifestPtr> peek(const RepositoryName& repository, const Reference& reference) = 0;
    // manifest_unknown (name_unknown where there is not even the repository).
    virtual Task<ManifestPtr> load(RepositoryName repository, Reference reference) = 0;

    // Stores the manifest and moves its tags. manifest_blob_unknown (naming the digest in the message) when a required
    // blob is not linked to the repository, unless it may lack blobs; name_unknown when the project does not exist.
    // Pushing again is success. precondition_failed when it would move an immutable tag,
    // denied when a push policy of the project refuses it. unavailable, with nothing done, for what waits for sites and
    // hasn't been brought to those that the project has (push_copies.hpp).
    virtual Task<> commit(NewManifest manifest) = 0;

    // manifest_unknown when there is none. By digest also drops every tag that points at it. precondition_failed for an
    // immutable tag, and for what one points at.
    virtual Task<> remove(RepositoryName repository, Reference reference, Actor actor) = 0;

    virtual std::optional<NamePagePtr> peek_tags(const RepositoryName& repository, const PageRequest& page) = 0;
    virtual Task<NamePagePtr> tags(RepositoryName repository, PageRequest page) = 0;  // name_unknown

    // Manifests whose subject is `subject`, in digest order (PageRequest::last is a digest), also those that a
    // pre-existing fallback tag's index lists; of one artifact type when that is not empty.
    virtual Task<ReferrerPage>
    referrers(RepositoryName repository, Digest subject, std::string artifact_type, PageRequest page) = 0;

    // The repositories that hold at least one manifest or blob, in name order: those of the projects of these ids, or
    // all for nullopt.
    virtual Task<NamePage> repositories(std::optional<std::vector<std::int64_t>> projects, PageRequest page) = 0;

    // What the tags of a range point at and, where the range asks for it, what refers to that, for comparing two
    // registries; of the projects of these ids, or of all.
    virtual Task<std::vector<TagState>>
    tag_states(std::optional<std::vector<std::int64_t>> projects, TagRange range) = 0;
};

// What pulls add up to, gathered in memory and written at most once a second.
struct PullCount {
    std::int64_t manifest_id = 0;
    std::int64_t repository_id = 0;
    std::int64_t pulls = 0;
    Micros last = 0;
};
class PullCounters {
public:
    virtual ~PullCounters() = default;
    virtual Task<> add(std::vector<PullCount> counts) = 0;
};

}  // namespace entrepot
