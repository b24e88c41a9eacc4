#pragma once

#include "core/clock.hpp"
#include "core/random.hpp"
#include "ports/backup_target.hpp"
#include "ports/metadata_copy.hpp"
#include "ports/stored_files.hpp"
#include "upkeep/backup/backup_manifest.hpp"
#include "upkeep/backup/chunk_store.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace entrepot {

// What is told to whoever waits: a line, now and then.
using BackupProgress = std::function<void(const std::string& line)>;

// Takes one backup of a registry, which goes on meanwhile (docs/decisions/0018-backup.md). Blocks; one thread.
class TakeBackup {
public:
    struct Source {
        // Opened when nobody can remove blobs any more, where blobs are copied.
        std::function<Result<std::unique_ptr<MetadataSnapshot>>()> open_snapshot;
        BlobFiles* blobs = nullptr;                      // null: metadata alone
        KeptFiles* audit = nullptr;                      // null: none of the trail
        std::map<std::string, std::string> small_files;  // path and content
        std::string engine;
        std::string program;
        std::string master_key;  // fingerprint
        // Of the snapshot, asked once it is open; none: it has no journal.
        std::function<BackupManifest::Journal()> journal{};
    };

    TakeBackup(Source source, BackupTarget& target, const Clock& clock, Random& random, BackupProgress progress);

    // The manifest that was written last; blobs that could not be copied are in it and the rest is there. conflict
    // when another process works with the target, or removes blobs for longer than `patience`.
    Result<BackupManifest> run(std::chrono::seconds patience);

private:
    Result<std::unique_ptr<BackupTarget::Hold>> keep_blobs(std::chrono::seconds patience);
    Result<> copy_metadata();
    Result<> copy_table(MetadataSnapshot& snapshot, const StoredTable& table);
    Result<> copy_files();
    Result<BackupManifest::File> copy_file(ByteReader& reader);
    Result<> copy_blobs();
    Result<> copy_blob(const KeptBlob& blob);
    void tell_now_and_then();

    Source source_;
    BackupTarget& target_;
    const Clock& clock_;
    BackupProgress progress_;
    ChunkStore chunks_;
    BackupManifest manifest_;
    std::chrono::steady_clock::time_point told_;
    std::uint64_t rows_ = 0;
};

}  // namespace entrepot
