#pragma once

#include "core/clock.hpp"
#include "ports/backup_target.hpp"
#include "ports/metadata_copy.hpp"
#include "ports/stored_files.hpp"
#include "upkeep/backup/chunk_store.hpp"
#include "upkeep/backup/take_backup.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace entrepot {

// Brings one backup back into an empty place (docs/decisions/0018-backup.md). Run again after it was killed, it goes on
// with the blobs and begins anew with the rest. Blocks; one thread.
class RestoreBackup {
public:
    struct Options {
        bool blobs_are_there = false;  // nothing is copied to the store, it is only looked at
        bool verify = false;           // reads each blob that was there already
        bool without_missing = false;  // goes on where blobs are missing
        bool without_keys = false;     // leaves keys out that can be made anew: what they were sealed under is lost
        bool without_blobs = false;    // they are not looked at
        // A row of the settings that is there with the others; an empty name: none.
        std::pair<std::string, std::string> setting{};
    };
    struct Place {
        std::function<Result<std::unique_ptr<MetadataFilling>>()> open_filling;
        BlobFiles& blobs;
        KeptFiles& audit;
        KeptFiles& directory;  // for "instance" and "master.key"
    };
    struct Report {
        std::uint64_t rows = 0;
        std::uint64_t blobs = 0;
        std::uint64_t bytes = 0;
        std::uint64_t copied = 0;
        std::vector<std::string> missing;  // digests
        std::vector<std::string> wrong;    // what does not add up, a line each
    };

    RestoreBackup(
        const BackupManifest& manifest,
        BackupTarget& source,
        Place place,
        Options options,
        const Clock& clock,
        BackupProgress progress
    );

    // corrupt when the backup is damaged, not_found when blobs are missing, conflict when the place is not empty.
    Result<Report> run();

private:
    Result<> bring_blobs();
    Result<> bring_blob(const KeptBlob& blob);
    Result<> check_blob(const Digest& digest, ByteReader& reader) const;
    Result<> bring_files();
    Result<> bring_file(const std::string& path, const BackupManifest::File& file);
    Result<> bring_metadata();
    std::uint64_t erase_setting(RowChunk& chunk) const;
    Result<> add_setting(MetadataFilling& filling) const;
    Result<> bring_table(MetadataFilling& filling, const std::string& name, const BackupManifest::Table& table);
    void tell_now_and_then();

    const BackupManifest& manifest_;
    BackupTarget& source_;
    Place place_;
    Options options_;
    const Clock& clock_;
    BackupProgress progress_;
    ChunkStore chunks_;
    Report report_;
    std::chrono::steady_clock::time_point told_;
};

}  // namespace entrepot
