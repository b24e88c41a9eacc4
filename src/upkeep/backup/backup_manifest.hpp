#pragma once

#include "core/clock.hpp"
#include "ports/metadata_copy.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// Where the journal beside a store's index goes on from a snapshot (docs/formats/index.md).
struct JournalPlace {
    std::int64_t segment = 0;   // the oldest that may have anything newer
    std::int64_t sequence = 0;  // of the newest event that the snapshot has for sure
};

// What one backup is made of (docs/formats/backup.md). Chunks are named by the SHA-256 of what they hold, in 64
// hexadecimal digits.
struct BackupManifest {
    struct Table {
        std::uint64_t rows = 0;
        std::vector<std::string> chunks;
    };
    struct File {
        std::uint64_t size = 0;
        std::vector<std::string> chunks;
    };
    struct Blobs {
        std::uint64_t count = 0;
        std::uint64_t bytes = 0;
        std::vector<std::string> missing;  // digests that rows name and that could not be copied
    };
    // What this run wrote; the rest was there.
    struct Written {
        std::uint64_t chunks = 0;
        std::uint64_t chunk_bytes = 0;  // compressed
        std::uint64_t blobs = 0;
        std::uint64_t blob_bytes = 0;
        bool operator==(const Written&) const = default;
    };

    using Journal = JournalPlace;

    std::string id;
    std::string program;  // version
    std::string engine;   // "sqlite" or "postgresql": where it was taken from, for people
    std::int64_t schema_version = 0;
    Micros started_at = 0;
    Micros snapshot_at = 0;
    Micros ended_at = 0;
    std::map<std::string, Table> tables;
    GivenIds given_ids;
    std::map<std::string, File> files;  // by path: "audit/…", "instance", "master.key"
    std::string master_key;             // its fingerprint; empty: unknown
    Blobs blobs;
    Written written;
    std::optional<Journal> journal;  // of a snapshot of the index alone

    bool is_complete() const noexcept { return blobs.missing.empty(); }

    std::string json() const;
    // corrupt when it is no manifest, unsupported when it is one of a newer format.
    static Result<BackupManifest> parse(std::string_view text);
};

// Where things lie in a target.
std::string backup_name(std::string_view id);
std::string chunk_name(std::string_view hex);
std::string blob_name(std::string_view digest);  // "blobs/sha256/ab/abcd…" of "sha256:abcd…"
inline constexpr const char* backups_folder = "backups";
inline constexpr const char* chunks_folder = "chunks";
inline constexpr const char* blobs_folder = "blobs";

// 64 hexadecimal digits.
bool is_chunk_hash(std::string_view text) noexcept;
// "20261122T150405Z-1f2e3d4c" and the like: what begins a file's name.
bool is_backup_id(std::string_view text) noexcept;

}  // namespace entrepot
