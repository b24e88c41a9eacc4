#pragma once

#include "core/bytes.hpp"
#include "oci/manifest.hpp"
#include "ports/blob_catalog.hpp"
#include "ports/blob_store.hpp"
#include "ports/chunk_catalog.hpp"
#include "ports/manifest_catalog.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace entrepot {

inline std::unexpected<Error> not_asked_for()
{
    return fail(Errc::internal, "nobody asks for this here");
}

class FewManifests final : public ManifestCatalog {
public:
    std::map<std::pair<std::string, Digest>, ManifestPtr> stored{};
    std::atomic<bool> away{false};
    std::mutex mutex{};  // of what is stored, where somebody loads meanwhile

    std::optional<ManifestPtr> peek(const RepositoryName&, const Reference&) override { return std::nullopt; }
    Task<ManifestPtr> load(RepositoryName repository, Reference reference) override
    {
        if (away) co_return fail(Errc::unavailable, "away");
        const std::lock_guard guard{mutex};
        const auto found = stored.find({repository.text(), *reference.digest()});
        if (found == stored.end()) co_return fail(Errc::manifest_unknown, "no such manifest");
        co_return found->second;
    }
    Task<> commit(NewManifest) override { co_return not_asked_for(); }
    Task<> remove(RepositoryName, Reference, Actor) override { co_return not_asked_for(); }
    std::optional<NamePagePtr> peek_tags(const RepositoryName&, const PageRequest&) override { return std::nullopt; }
    Task<NamePagePtr> tags(RepositoryName, PageRequest) override { co_return not_asked_for(); }
    Task<ReferrerPage> referrers(RepositoryName, Digest, std::string, PageRequest) override
    {
        co_return not_asked_for();
    }
    Task<NamePage> repositories(std::optional<std::vector<std::int64_t>>, PageRequest) override
    {
        co_return not_asked_for();
    }
    Task<std::vector<TagState>> tag_states(std::optional<std::vector<std::int64_t>>, TagRange) override
    {
        co_return not_asked_for();
    }
};

class FewLinks final : public BlobCatalog {
public:
    std::map<std::pair<std::string, Digest>, std::uint64_t> linked{};

    std::optional<std::uint64_t> peek(const RepositoryName&, const Digest&) override { return std::nullopt; }
    Task<std::uint64_t> load(RepositoryName repository, Digest digest) override
    {
        const auto found = linked.find({repository.text(), digest});
        if (found == linked.end()) co_return fail(Errc::blob_unknown, "no such blob");
        co_return found->second;
    }
    std::optional<std::uint64_t> peek_promised(const RepositoryName&, const Digest&) override { return std::nullopt; }
    Task<std::uint64_t> promise(RepositoryName, Digest, Micros, Actor) override { co_return not_asked_for(); }
    Task<BlobLook> look(Digest) override { co_return not_asked_for(); }
    Task<Arrived> arrive(Arrival) override { co_return not_asked_for(); }
    Task<std::uint64_t> mount(RepositoryName, RepositoryName, Digest, Actor) override { co_return not_asked_for(); }
    Task<std::vector<RepositoryName>> holders(Digest, std::int64_t) override { co_return not_asked_for(); }
    Task<> remove(RepositoryName, Digest, Actor) override { co_return not_asked_for(); }
};

// Counts how often each blob is opened. Larger ones are files, as they are of a real store.
class CountedBlobs final : public BlobReader {
public:
    std::map<Digest, std::string> stored{};
    std::map<Digest, int> opened{};
    std::mutex mutex{};

    std::optional<BlobContent> peek(const Digest&) override { return std::nullopt; }
    Task<BlobContent> load(Digest digest) override
    {
        const std::lock_guard guard{mutex};
        ++opened[digest];
        const auto found = stored.find(digest);
        if (found == stored.end()) co_return fail(Errc::blob_unknown, "no such blob");
        const auto& bytes = found->second;
        BlobContent content;
        content.size = bytes.size();
        if (bytes.size() < 1000) {
            content.bytes = std::make_shared<const std::string>(bytes);
            co_return content;
        }
        const int descriptor = ::memfd_create("blob", MFD_CLOEXEC);
        content.file = std::make_shared<const OpenFile>(descriptor);
        if (::pwrite(descriptor, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
            co_return fail(Errc::unavailable, "no room for a blob");
        co_return content;
    }
};

class MemoryChunks final : public ChunkCatalog {
public:
    std::map<Digest, ChunkList> stored{};
    std::mutex mutex{};
    std::atomic<bool> full{false};

    Task<std::vector<ChunkRoot>> roots(std::vector<Digest> blobs) override
    {
        const std::lock_guard guard{mutex};
        std::vector<ChunkRoot> found;
        for (const auto& blob : blobs) {
            if (const auto list = stored.find(blob); list != stored.end()) found.push_back(list->second.of);
        }
        co_return found;
    }
    Task<std::string> hashes(Digest blob) override
    {
        const std::lock_guard guard{mutex};
        co_return stored.at(blob).hashes;
    }
    Task<> store(ChunkList list) override
    {
        if (full) co_return fail(Errc::storage_full, "full");
        const std::lock_guard guard{mutex};
        const auto blob = list.of.blob;
        stored.insert_or_assign(blob, std::move(list));
        co_return Result<>{};
    }
};

// Two repositories, 1 and 2, and what is pushed to them.
struct SwarmImages {
    std::string blob(const std::string& bytes) { return blob(bytes, {here, there}); }
    std::string blob(const std::string& bytes, const std::vector<RepositoryName>& in)
    {
        const auto digest = digest_of(bytes);
        for (const auto& repository : in) links.linked[{repository.text(), digest}] = bytes.size();
        blobs.stored.insert_or_assign(digest, bytes);
        return descriptor_of(digest.text(), bytes.size());
    }
    static std::string descriptor_of(const std::string& digest, std::size_t size, const std::string& more = "")
    {
        return R"({"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":")" + digest + R"(","size":)" +
               std::to_string(size) + more + "}";
    }
    Digest manifest(const std::string& config, const std::vector<std::string>& layers)
    {
        return manifest(config, layers, here);
    }
    Digest manifest(const std::string& config, const std::vector<std::string>& layers, const RepositoryName& in)
    {
        std::string list;
        for (const auto& layer : layers) list += (list.empty() ? "" : ",") + layer;
        auto bytes = R"({"schemaVersion":2,"mediaType":")" + std::string{media::oci_manifest} + R"(","config":)" +
                     config + R"(,"layers":[)" + list + "]}";
        return put(std::string{media::oci_manifest}, std::move(bytes), in);
    }
    Digest put(std::string type, std::string bytes, const RepositoryName& in)
    {
        const auto digest = digest_of(bytes);
        const auto row = ++rows;
        const std::lock_guard guard{manifests.mutex};
        manifests.stored[{in.text(), digest}] = std::make_shared<const StoredManifest>(StoredManifest{
            .digest = digest,
            .media_type = std::move(type),
            .bytes = std::move(bytes),
            .id = row,
            .repository_id = in == here ? 1 : 2,
        });
        return digest;
    }
    void remove(const Digest& manifest, const RepositoryName& from)
    {
        const std::lock_guard guard{manifests.mutex};
        manifests.stored.erase({from.text(), manifest});
    }

    const RepositoryName here = RepositoryName::parse("shop/app").value();
    const RepositoryName there = RepositoryName::parse("other/app").value();
    FewManifests manifests;
    FewLinks links;
    CountedBlobs blobs;
    MemoryChunks chunks;
    std::int64_t rows = 0;
};

}  // namespace entrepot
