#include "upkeep/backup/restore_backup.hpp"

#include "oci/hasher.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace entrepot {
namespace {

constexpr std::chrono::seconds between_lines{10};
// Sealed under the master key, and made anew where they are missing.
constexpr std::array<std::string_view, 2> tables_of_keys{"signing_keys", "swarm_secrets"};
constexpr std::string_view settings = "settings";
constexpr std::size_t piece_size = 1U << 20U;

BackupTarget::Seen hashing(Hasher& hasher, const Digest& digest)
{
    return [&hasher, &digest](std::span<const std::byte> piece, bool last) -> Result<> {
        hasher.update(piece);
        if (!last || hasher.digest() == digest) return {};
        return fail(Errc::corrupt, "the blob " + digest.text() + " has other bytes than its name says");
    };
}

bool is_of_the_trail(const std::string& path)
{
    return path.starts_with("audit/");
}

}  // namespace

RestoreBackup::RestoreBackup(
    const BackupManifest& manifest,
    BackupTarget& source,
    Place place,
    Options options,
    const Clock& clock,
    BackupProgress progress
)
    : manifest_{manifest},
      source_{source},
      place_{std::move(place)},
      options_{options},
      clock_{clock},
      progress_{std::move(progress)},
      chunks_{source},
      told_{clock.steady()}
{
}

// Metadata last: what it says to be there is there by then.
Result<RestoreBackup::Report> RestoreBackup::run()
{
    if (!options_.without_blobs) CHECK(bring_blobs());
    CHECK(bring_files());
    CHECK(bring_metadata());
    return report_;
}

Result<> RestoreBackup::bring_blobs()
{
    CHECK(read_blob_rows(chunks_, manifest_, [&](const KeptBlob& blob) -> Result<> {
        tell_now_and_then();
        const auto brought = bring_blob(blob);
        if (brought) {
            ++report_.blobs;
            report_.bytes += blob.size;
            return {};
        }
        const auto code = brought.error().code();
        if (code != Errc::not_found && code != Errc::blob_unknown && code != Errc::corrupt) return brought;
        if (!blob.is_live) return {};
        progress_("MISSING: " + blob.digest + ": " + brought.error().message());
        report_.missing.push_back(blob.digest);
        return {};
    }));
    CHECK(place_.blobs.settle());
    progress_(
        std::to_string(report_.blobs) + " blobs are there, " + std::to_string(report_.missing.size()) + " are missing"
    );
    if (report_.missing.empty() || options_.without_missing) return {};
    return fail(Errc::not_found, std::to_string(report_.missing.size()) + " blobs are missing or damaged");
}

Result<> RestoreBackup::bring_blob(const KeptBlob& blob)
{
    TRY(const auto digest, Digest::parse(blob.digest));
    TRY(const auto there, place_.blobs.find(digest));
    if (there == blob.size && !options_.verify) return {};
    if (there == blob.size || options_.blobs_are_there) {
        TRY(const auto reader, place_.blobs.open(digest));
        if (reader->size() != blob.size)
            return fail(
                Errc::corrupt, "it has " + std::to_string(reader->size()) + " bytes, not " + std::to_string(blob.size)
            );
        return options_.verify ? check_blob(digest, *reader) : Result<>{};
    }
    TRY(const auto reader, source_.open(blob_name(blob.digest)));
    Hasher hasher{digest.algorithm()};
    CHECK(place_.blobs.take_in(digest, *reader, hashing(hasher, digest)));
    ++report_.copied;
    return {};
}

Result<> RestoreBackup::check_blob(const Digest& digest, ByteReader& reader) const
{
    Hasher hasher{digest.algorithm()};
    const auto seen = hashing(hasher, digest);
    std::vector<std::byte> piece(piece_size);
    for (;;) {
        TRY(const auto count, reader.read(piece));
        CHECK(seen(std::span{piece}.first(count), count == 0));
        if (count == 0) return {};
    }
}

Result<> RestoreBackup::bring_files()
{
    for (const auto& [path, file] : manifest_.files) CHECK(bring_file(path, file));
    return {};
}

Result<> RestoreBackup::bring_file(const std::string& path, const BackupManifest::File& file)
{
    const bool is_trail = is_of_the_trail(path);
    auto& into = is_trail ? place_.audit : place_.directory;
    auto chunk = file.chunks.begin();
    return into.write(is_trail ? path.substr(6) : path, [&]() -> Result<std::string> {
        if (chunk == file.chunks.end()) return std::string{};
        return chunks_.get(*chunk++);
    });
}

Result<> RestoreBackup::bring_metadata()
{
    TRY(const auto filling, place_.open_filling());
    CHECK(filling->prepare(manifest_.schema_version));
    for (const auto& [name, table] : manifest_.tables) CHECK(bring_table(*filling, name, table));
    for (const auto& table : filling->tables()) {
        if (!manifest_.tables.contains(table.name))
            return fail(Errc::corrupt, "the backup has nothing of the table " + table.name);
    }
    if (!options_.setting.first.empty()) CHECK(add_setting(*filling));
    progress_(std::to_string(report_.rows) + " rows are loaded; indexes and checks");
    CHECK(filling->complete(manifest_.given_ids));
    // As it was when the backup was taken: no reason to be left without it.
    TRY(report_.wrong, filling->discrepancies());
    for (const auto& line : report_.wrong) progress_("WRONG: " + line);
    return filling->publish();
}

// One that was left from before.
std::uint64_t RestoreBackup::erase_setting(RowChunk& chunk) const
{
    const auto& columns = chunk.table.columns;
    const auto place =
        static_cast<std::size_t>(std::ranges::find(columns, "name", &StoredColumn::name) - columns.begin());
    return std::erase_if(chunk.rows, [&](const StoredRow& row) {
        const auto* name = place < row.size() ? std::get_if<std::string>(&row[place]) : nullptr;
        return name && !name->empty() && *name == options_.setting.first;
    });
}

Result<> RestoreBackup::add_setting(MetadataFilling& filling) const
{
    const auto& tables = filling.tables();
    const auto found = std::ranges::find(tables, settings, &StoredTable::name);
    if (found == tables.end()) return fail(Errc::unsupported, "the backup is from before there were settings");
    StoredRow row;
    for (const auto& column : found->columns) {
        if (column.name == "name")
            row.emplace_back(options_.setting.first);
        else if (column.name == "value")
            row.emplace_back(options_.setting.second);
        else
            row.emplace_back(clock_.now());
    }
    return filling.add(*found, {&row, 1});
}

Result<>
RestoreBackup::bring_table(MetadataFilling& filling, const std::string& name, const BackupManifest::Table& table)
{
    if (options_.without_keys && std::ranges::find(tables_of_keys, name) != tables_of_keys.end()) return {};
    const auto& tables = filling.tables();
    const auto found = std::ranges::find(tables, name, &StoredTable::name);
    if (found == tables.end()) return fail(Errc::corrupt, "the backup has an unknown table: " + name);
    std::uint64_t replaced = 0;
    for (const auto& hash : table.chunks) {
        TRY(auto chunk, chunks_.rows(hash, name));
        if (chunk.table != *found)
            return fail(Errc::corrupt, "the backup's table " + name + " has other columns than its schema version");
        if (name == settings) replaced += erase_setting(chunk);
        CHECK(filling.add(*found, chunk.rows));
        report_.rows += chunk.rows.size();
        tell_now_and_then();
    }
    TRY(const auto count, filling.count(name));
    if (static_cast<std::uint64_t>(count) + replaced == table.rows) return {};
    return fail(
        Errc::corrupt,
        "the table " + name + " has " + std::to_string(count) + " rows, the backup says " + std::to_string(table.rows)
    );
}

void RestoreBackup::tell_now_and_then()
{
    const auto now = clock_.steady();
    if (now - told_ < between_lines) return;
    told_ = now;
    progress_(std::to_string(report_.blobs) + " blobs, " + std::to_string(report_.rows) + " rows");
}

}  // namespace entrepot
