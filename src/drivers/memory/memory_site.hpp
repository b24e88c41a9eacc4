#pragma once

#include "ports/copy_site.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace entrepot {

// A registry in memory to copy from and into, for tests: it keeps the whole contract, and counts. Safe from any thread.
class MemorySite final : public CopySite {
public:
    struct Options {
        std::uint64_t room = UINT64_MAX;   // bytes of blobs and uploads; beyond: storage_full
        std::uint64_t shortest_chunk = 0;  // refused below it, but for the last one
        bool takes_chunks = true;          // else append() answers unsupported to less than a whole blob
        bool keeps_partial_chunks = true;  // of a chunk that breaks off
        bool knows_ranges = true;          // else blob() begins at 0
        bool lists_repositories = true;
        bool tells_states = true;  // tag_summary(), tag_states()
    };
    MemorySite() = default;
    explicit MemorySite(const Options& options) : options_{options} {}

    struct Counts {
        std::uint64_t looks = 0;
        std::uint64_t manifests = 0;  // given
        std::uint64_t received = 0;   // bytes of blobs
        std::uint64_t given = 0;      // bytes of blobs
        std::uint64_t begun = 0;      // uploads
        std::uint64_t mounts = 0;
        std::uint64_t pushes = 0;
        std::uint64_t lists = 0;  // pages
        std::uint64_t prepared = 0;
        std::uint64_t summaries = 0;
        std::uint64_t states = 0;  // of tags, given
    };
    Counts counts() const;
    // Ends all uploads, as a registry does that was cleaned.
    void forget_uploads();
    // Whether all that can be reached from the tag is there, with the right bytes.
    bool is_whole(const RepositoryName& repository, const Reference& reference) const;
    std::uint64_t bytes() const;
    std::size_t uploads() const;  // under way

    Task<ManifestHead> look(RepositoryName repository, Reference reference) override;
    Task<CopiedManifest> manifest(RepositoryName repository, Reference reference) override;
    Task<BlobStream> blob(RepositoryName repository, Digest digest, std::uint64_t first) override;
    Task<ReferrerPage> referrers(RepositoryName repository, Digest subject, PageRequest page) override;
    Task<Listing> repositories(PageRequest page) override;
    Task<Listing> tags(RepositoryName repository, PageRequest page) override;

    Task<> prepare(RepositoryName repository) override;
    Task<bool> holds(RepositoryName repository, Digest digest) override;
    Task<bool> mount(RepositoryName into, RepositoryName from, Digest digest) override;
    Task<> put(RepositoryName repository, Digest digest, std::string bytes) override;
    Task<CopyUpload>
    begin(RepositoryName repository, DigestAlgorithm algorithm, std::optional<std::uint64_t> size) override;
    Task<CopyUpload> resume(RepositoryName repository, std::string place) override;
    Task<CopyUpload>
    append(RepositoryName repository, CopyUpload upload, ByteSource& body, std::uint64_t length) override;
    Task<> finish(RepositoryName repository, CopyUpload upload, Digest digest) override;
    Task<> cancel(RepositoryName repository, std::string place) override;
    Task<> push(RepositoryName repository, Reference reference, CopiedManifest manifest) override;
    Task<> remove(RepositoryName repository, Reference reference) override;

    Task<TagSummary> tag_summary(TagRange range) override;
    Task<std::vector<TagState>> tag_states(TagRange range) override;

    Task<> ping() override { co_return Result<>{}; }
    Micros rests_until() const override { return 0; }

private:
    struct Held {
        std::string media_type;
        std::string bytes;
    };
    struct Repository {
        std::map<std::string, Held> manifests;  // by digest
        std::map<std::string, std::string> tags;
        std::set<std::string> blobs;
    };
    struct Upload {
        std::string repository;
        std::string bytes;
        std::optional<std::uint64_t> size{};
    };
    struct Found {
        std::string digest;
        const Held* held = nullptr;
    };

    Result<Found> find(const RepositoryName& repository, const Reference& reference) const;
    bool whole(const Repository& place, const std::string& digest) const;
    bool has_room(std::uint64_t more) const;
    using Referring = std::multimap<std::string, std::string>;  // by subject
    static Referring referring_in(const Repository& place);
    std::vector<TagState> states_in(const TagRange& range, std::int64_t limit) const;
    template <class Map>
    static Listing page_of(const Map& names, const PageRequest& page);

    const Options options_{};
    mutable std::mutex mutex_;
    std::map<std::string, Repository> repositories_;
    std::map<std::string, std::string> blobs_;  // bytes by digest
    std::map<std::string, Upload> uploads_;
    std::uint64_t last_upload_ = 0;
    Counts counts_;
};

}  // namespace entrepot
