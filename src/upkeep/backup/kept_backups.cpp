#include "upkeep/backup/kept_backups.hpp"

#include "oci/hasher.hpp"
#include "upkeep/backup/chunk_store.hpp"

#include <algorithm>
#include <functional>
#include <unordered_set>
#include <utility>

namespace entrepot {
namespace {

constexpr std::string_view ending = ".json";
constexpr std::uint64_t longest_manifest = 1U << 30U;
constexpr std::size_t piece_size = 1U << 20U;
constexpr std::uint64_t blobs_between_lines = 100'000;

// Names of objects by their hash, for millions of them take memory. Two of the same hash keep one object too many.
using Needed = std::unordered_set<std::uint64_t>;

std::uint64_t mark_of(std::string_view name)
{
    return std::hash<std::string_view>{}(name);
}

Result<> need(BackupTarget& target, const std::string& id, Needed& needed)
{
    TRY(const auto manifest, load_backup(target, id));
    for (const auto& [name, table] : manifest.tables)
        for (const auto& hash : table.chunks) needed.insert(mark_of(chunk_name(hash)));
    for (const auto& [path, file] : manifest.files)
        for (const auto& hash : file.chunks) needed.insert(mark_of(chunk_name(hash)));
    ChunkStore chunks{target};
    return read_blob_rows(chunks, manifest, [&](const KeptBlob& blob) -> Result<> {
        needed.insert(mark_of(blob_name(blob.digest)));
        return {};
    });
}

// A backup's walk through all that it needs. What is wrong is noted, and only what keeps from reading on is a failure.
class Verification {
public:
    Verification(BackupTarget& target, bool quick, const BackupProgress& progress)
        : target_{target}, quick_{quick}, progress_{progress}, chunks_{target}
    {
    }

    Result<> verify(const std::string& id)
    {
        const auto manifest = load_backup(target_, id);
        if (!manifest) return note(id, manifest.error());
        ++proof_.backups;
        for (const auto& digest : manifest->blobs.missing)
            proof_.wrong.push_back(id + ": incomplete: " + digest + " could not be copied");
        for (const auto& [name, table] : manifest->tables) CHECK(verify_table(id, name, table));
        for (const auto& [path, file] : manifest->files)
            for (const auto& hash : file.chunks) CHECK(verify_chunk(id, hash));
        const auto blobs =
            read_blob_rows(chunks_, *manifest, [&](const KeptBlob& blob) { return verify_blob(id, blob); });
        if (!blobs) return note(id, blobs.error());
        return {};
    }

    BackupProof take() { return std::move(proof_); }

private:
    Result<> note(const std::string& id, const Error& error)
    {
        if (error.code() != Errc::corrupt && error.code() != Errc::not_found && error.code() != Errc::unsupported)
            return std::unexpected{error};
        auto line = id + ": " + error.message();
        if (std::ranges::find(proof_.wrong, line) == proof_.wrong.end()) proof_.wrong.push_back(std::move(line));
        return {};
    }

    Result<> verify_chunk(const std::string& id, const std::string& hash)
    {
        if (!seen_.insert(mark_of(chunk_name(hash))).second) return {};
        ++proof_.chunks;
        if (const auto content = chunks_.get(hash); !content) return note(id, content.error());
        return {};
    }

    Result<> verify_table(const std::string& id, const std::string& name, const BackupManifest::Table& table)
    {
        std::uint64_t rows = 0;
        bool all = true;
        for (const auto& hash : table.chunks) {
            if (seen_.insert(mark_of(chunk_name(hash))).second) ++proof_.chunks;
            const auto chunk = chunks_.rows(hash, name);
            if (!chunk) CHECK(note(id, chunk.error()));
            all = all && chunk;
            rows += chunk ? chunk->rows.size() : 0;
        }
        if (all && rows != table.rows)
            proof_.wrong.push_back(id + ": the table " + name + " has another number of rows");
        return {};
    }

    Result<> verify_blob(const std::string& id, const KeptBlob& blob)
    {
        const auto name = blob_name(blob.digest);
        if (!seen_.insert(mark_of(name)).second) return {};
        if (++proof_.blobs % blobs_between_lines == 0) progress_(std::to_string(proof_.blobs) + " blobs");
        TRY(const auto size, target_.find(name));
        if (!size && !blob.is_live) return {};
        if (!size) {
            proof_.wrong.push_back(id + ": the blob " + blob.digest + " is missing");
            return {};
        }
        proof_.bytes += *size;
        bool good = size == blob.size;
        if (good && !quick_) {
            TRY(good, has_its_bytes(name, blob.digest));
        }
        if (!good) proof_.wrong.push_back(id + ": the blob " + blob.digest + " is damaged");
        return {};
    }

    Result<bool> has_its_bytes(const std::string& name, const std::string& text)
    {
        TRY(const auto digest, Digest::parse(text));
        TRY(const auto reader, target_.open(name));
        Hasher hasher{digest.algorithm()};
        std::vector<std::byte> piece(piece_size);
        for (;;) {
            TRY(const auto count, reader->read(piece));
            if (count == 0) return hasher.digest() == digest;
            hasher.update(std::span{piece}.first(count));
        }
    }

    BackupTarget& target_;
    bool quick_;
    const BackupProgress& progress_;
    ChunkStore chunks_;
    Needed seen_;
    BackupProof proof_;
};

}  // namespace

Result<std::vector<std::string>> backup_ids(BackupTarget& target)
{
    std::vector<std::string> ids;
    CHECK(target.list(backups_folder, [&](std::string_view name) -> Result<> {
        if (!name.ends_with(ending)) return {};
        name.remove_suffix(ending.size());
        if (is_backup_id(name)) ids.emplace_back(name);
        return {};
    }));
    std::ranges::sort(ids);
    return ids;
}

Result<BackupManifest> load_backup(BackupTarget& target, const std::string& id)
{
    auto reader = target.open(backup_name(id));
    if (!reader && reader.error().code() == Errc::not_found) return fail(Errc::not_found, "there is no backup " + id);
    if (!reader) return std::unexpected{reader.error()};
    if ((*reader)->size() > longest_manifest) return fail(Errc::corrupt, "the backup's manifest is damaged");
    std::string text((*reader)->size(), '\0');
    for (std::size_t at = 0; at < text.size();) {
        TRY(const auto count, (*reader)->read(std::as_writable_bytes(std::span{text}.subspan(at))));
        if (count == 0) return fail(Errc::corrupt, "the backup's manifest is damaged");
        at += count;
    }
    TRY(auto manifest, BackupManifest::parse(text));
    if (manifest.id != id) return fail(Errc::corrupt, "the backup's manifest is that of another one");
    return manifest;
}

Result<BackupProof>
verify_backups(BackupTarget& target, const std::vector<std::string>& ids, bool quick, const BackupProgress& progress)
{
    TRY(const auto hold, target.hold(BackupTarget::Use::reading));
    Verification verification{target, quick, progress};
    for (const auto& id : ids) CHECK(verification.verify(id));
    return verification.take();
}

// The manifests go first: killed on the way, it leaves objects that nobody needs, and no backup without its objects.
Result<Pruned> prune_backups(BackupTarget& target, std::size_t keep)
{
    TRY(const auto hold, target.hold(BackupTarget::Use::writing));
    TRY(const auto ids, backup_ids(target));
    const auto dropped = ids.size() - std::min(keep, ids.size());
    Needed needed;
    for (std::size_t i = dropped; i < ids.size(); ++i) CHECK(need(target, ids[i], needed));
    Pruned pruned;
    for (; pruned.backups < dropped; ++pruned.backups) CHECK(target.remove(backup_name(ids[pruned.backups])));
    for (const char* folder : {chunks_folder, blobs_folder}) {
        std::vector<std::string> spare;
        CHECK(target.list(folder, [&](std::string_view name) -> Result<> {
            auto path = std::string{folder} + '/' + std::string{name};
            if (!needed.contains(mark_of(path))) spare.push_back(std::move(path));
            return {};
        }));
        for (const auto& name : spare) {
            TRY(const auto size, target.find(name));
            CHECK(target.remove(name));
            ++pruned.objects;
            pruned.bytes += size.value_or(0);
        }
    }
    return pruned;
}

}  // namespace entrepot
