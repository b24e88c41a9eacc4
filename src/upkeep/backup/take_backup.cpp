#include "upkeep/backup/take_backup.hpp"

#include "core/bytes.hpp"
#include "oci/hasher.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <thread>
#include <utility>

namespace entrepot {
namespace {

constexpr std::chrono::milliseconds between_tries{500};
constexpr std::chrono::seconds between_lines{10};
// Of a file that is appended to: all but its last piece are what they were.
constexpr std::size_t piece_of_file = 1U << 20U;

// In the order of time: microseconds of the second in five digits, then chance in three.
std::string id_at(Micros time, Random& random)
{
    auto id = rfc3339(time);
    std::erase_if(id, [](char letter) { return letter == '-' || letter == ':'; });
    std::array<char, 8> micros{};
    std::snprintf(micros.data(), micros.size(), "-%05x", static_cast<unsigned>(time % 1'000'000));
    return id + micros.data() + random.hex(2).substr(1);
}

// Fills `into` unless the end comes first.
Result<std::size_t> read_piece(ByteReader& reader, std::span<std::byte> into)
{
    std::size_t filled = 0;
    while (filled < into.size()) {
        TRY(const auto count, reader.read(into.subspan(filled)));
        if (count == 0) break;
        filled += count;
    }
    return filled;
}

}  // namespace

TakeBackup::TakeBackup(Source source, BackupTarget& target, const Clock& clock, Random& random, BackupProgress progress)
    : source_{std::move(source)},
      target_{target},
      clock_{clock},
      progress_{std::move(progress)},
      chunks_{target},
      told_{clock.steady()}
{
    manifest_.started_at = clock.now();
    manifest_.id = id_at(manifest_.started_at, random);
    manifest_.program = source_.program;
    manifest_.engine = source_.engine;
    manifest_.master_key = source_.master_key;
}

Result<BackupManifest> TakeBackup::run(std::chrono::seconds patience)
{
    TRY(const auto hold, target_.hold(BackupTarget::Use::writing));
    std::unique_ptr<BackupTarget::Hold> kept;
    if (source_.blobs) {
        TRY(kept, keep_blobs(patience));
    }
    CHECK(copy_metadata());
    CHECK(copy_files());
    if (source_.blobs) CHECK(copy_blobs());
    CHECK(target_.settle());
    manifest_.ended_at = clock_.now();
    // Without it, all that was written is none.
    CHECK(target_.put(backup_name(manifest_.id), manifest_.json()));
    CHECK(target_.settle());
    return manifest_;
}

// What the snapshot's rows name must stay until it is copied.
Result<std::unique_ptr<BackupTarget::Hold>> TakeBackup::keep_blobs(std::chrono::seconds patience)
{
    const auto until = clock_.steady() + patience;
    for (bool told = false;; told = true) {
        auto hold = source_.blobs->hold_removals();
        if (hold || hold.error().code() != Errc::conflict) return hold;
        if (clock_.steady() >= until)
            return fail(Errc::conflict, "garbage collection removes blobs, or another backup runs");
        if (!told) progress_("waiting: garbage collection removes blobs, or another backup runs");
        std::this_thread::sleep_for(between_tries);
    }
}

Result<> TakeBackup::copy_metadata()
{
    TRY(const auto snapshot, source_.open_snapshot());
    manifest_.snapshot_at = clock_.now();
    if (source_.journal) manifest_.journal = source_.journal();
    manifest_.schema_version = snapshot->schema_version();
    manifest_.given_ids = snapshot->given_ids();
    for (const auto& table : snapshot->tables()) CHECK(copy_table(*snapshot, table));
    CHECK(target_.settle());
    progress_(std::to_string(rows_) + " rows of metadata");
    return {};
}

Result<> TakeBackup::copy_table(MetadataSnapshot& snapshot, const StoredTable& table)
{
    auto& kept = manifest_.tables[table.name];
    RowChunkWriter writer{table};
    const auto end_chunk = [&]() -> Result<> {
        TRY(auto hash, chunks_.put(writer.take(), manifest_.written));
        kept.chunks.push_back(std::move(hash));
        return {};
    };
    CHECK(snapshot.read(table, [&](const StoredRow& row) -> Result<> {
        writer.add(row);
        ++kept.rows;
        ++rows_;
        if (!writer.is_full()) return {};
        tell_now_and_then();
        return end_chunk();
    }));
    return writer.rows() > 0 ? end_chunk() : Result<>{};
}

// After the snapshot, so that the trail is never behind the anchors that its rows hold.
Result<> TakeBackup::copy_files()
{
    for (const auto& [path, content] : source_.small_files) {
        BackupManifest::File file{.size = content.size(), .chunks = {}};
        TRY(auto hash, chunks_.put(content, manifest_.written));
        file.chunks.push_back(std::move(hash));
        manifest_.files[path] = std::move(file);
    }
    if (!source_.audit) return {};
    TRY(const auto paths, source_.audit->list());
    for (const auto& path : paths) {
        const auto reader = source_.audit->open(path);
        // Segments go when they are old enough.
        if (!reader && reader.error().code() == Errc::not_found) continue;
        if (!reader) return std::unexpected{reader.error()};
        TRY(manifest_.files["audit/" + path], copy_file(**reader));
    }
    return {};
}

Result<BackupManifest::File> TakeBackup::copy_file(ByteReader& reader)
{
    BackupManifest::File file;
    std::vector<std::byte> piece(piece_of_file);
    for (;;) {
        TRY(const auto count, read_piece(reader, piece));
        if (count == 0) return file;
        TRY(auto hash, chunks_.put(as_text(std::span{piece}.first(count)), manifest_.written));
        file.chunks.push_back(std::move(hash));
        file.size += count;
    }
}

// From the chunks that were just written: the snapshot is closed and keeps no database from its upkeep.
Result<> TakeBackup::copy_blobs()
{
    return read_blob_rows(chunks_, manifest_, [&](const KeptBlob& blob) -> Result<> {
        tell_now_and_then();
        const auto copied = copy_blob(blob);
        if (copied) {
            ++manifest_.blobs.count;
            manifest_.blobs.bytes += blob.size;
            return {};
        }
        const auto code = copied.error().code();
        if (code != Errc::blob_unknown && code != Errc::corrupt) return copied;
        if (!blob.is_live) return {};
        progress_("NOT copied: " + blob.digest + ": " + copied.error().message());
        manifest_.blobs.missing.push_back(blob.digest);
        return {};
    });
}

Result<> TakeBackup::copy_blob(const KeptBlob& blob)
{
    const auto name = blob_name(blob.digest);
    TRY(const auto there, target_.find(name));
    if (there == blob.size) return {};
    TRY(const auto digest, Digest::parse(blob.digest));
    TRY(const auto reader, source_.blobs->open(digest));
    Hasher hasher{digest.algorithm()};
    CHECK(target_.copy(name, *reader, [&](std::span<const std::byte> piece, bool last) -> Result<> {
        hasher.update(piece);
        if (!last || hasher.digest() == digest) return {};
        return fail(Errc::corrupt, "its bytes in the store are not those that were pushed");
    }));
    ++manifest_.written.blobs;
    manifest_.written.blob_bytes += reader->size();
    return {};
}

void TakeBackup::tell_now_and_then()
{
    const auto now = clock_.steady();
    if (now - told_ < between_lines) return;
    told_ = now;
    progress_(
        std::to_string(rows_) + " rows, " + std::to_string(manifest_.blobs.count) + " blobs (" +
        std::to_string(manifest_.blobs.bytes) + " bytes)"
    );
}

}  // namespace entrepot
