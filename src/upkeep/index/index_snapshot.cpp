#include "upkeep/index/index_snapshot.hpp"

#include "core/log.hpp"
#include "core/run_to_end.hpp"
#include "upkeep/backup/chunk_store.hpp"
#include "upkeep/backup/kept_backups.hpp"
#include "upkeep/backup/take_backup.hpp"
#include "upkeep/index/index_changes.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <utility>

namespace entrepot {
namespace {

constexpr std::size_t kept_snapshots = 2;
constexpr int most_openings = 20;
constexpr std::int64_t events_at_once = 1'000;

bool is_damage(const Error& error)
{
    return error.code() == Errc::corrupt || error.code() == Errc::not_found || error.code() == Errc::unsupported;
}

}  // namespace

Task<JobEnd> IndexSnapshot::run(JobRun& run)
{
    CO_TRY(const auto manifest, co_await offload(parts_.pool, [this] { return take(); }));
    std::uint64_t rows = 0;
    for (const auto& [name, table] : manifest.tables) rows += table.rows;
    run.log(
        manifest.id + ": " + std::to_string(rows) + " rows, " + std::to_string(manifest.written.chunks) +
        " new chunks of " + std::to_string(manifest.written.chunk_bytes) + " bytes"
    );
    const boost::json::object result{
        {"id", manifest.id},
        {"rows", rows},
        {"chunks", manifest.written.chunks},
        {"bytes", manifest.written.chunk_bytes},
    };
    co_return JobEnd{.kind = JobEnd::Kind::done, .result = boost::json::serialize(result)};
}

// A chunk that an older snapshot wrote and that is damaged since would be part of the new one as well.
Result<BackupManifest> IndexSnapshot::take()
{
    TRY(auto manifest, take_once());
    TRY(const auto dropped, drop_damaged(manifest));
    if (dropped > 0) {
        log::warning(
            "the index beside the blobs had damaged chunks: written anew", {{"chunks", std::uint64_t{dropped}}}
        );
        TRY(manifest, take_once());
    }
    CHECK(prune());
    return manifest;
}

Result<BackupManifest> IndexSnapshot::take_once()
{
    BackupManifest::Journal journal;
    TakeBackup taking{
        {.open_snapshot = [&] { return open(journal); },
         .small_files = {},
         .engine = parts_.engine,
         .program = parts_.program,
         .master_key = parts_.master_key,
         .journal = [&] { return journal; }},
        parts_.target,
        parts_.clock,
        parts_.random,
        [](const std::string& line) { log::debug("index snapshot", {{"line", line}}); }
    };
    return taking.run({});
}

// All that the log has before the snapshot is opened is in it, and what comes later is repeated when it is brought
// back. That changes nothing, but for renames and what else has to be done once: then it is opened anew.
Result<std::unique_ptr<MetadataSnapshot>> IndexSnapshot::open(BackupManifest::Journal& journal)
{
    for (int tries = 0; tries < most_openings; ++tries) {
        TRY(const auto segments, parts_.files.segments());
        TRY(const auto before, run_to_end(parts_.log.settle()));
        TRY(auto snapshot, parts_.open_snapshot());
        TRY(const auto after, run_to_end(parts_.log.settle()));
        TRY(const bool renamed, has_renames(before.newest, after.newest));
        if (renamed) continue;
        journal = {.segment = segments.empty() ? 0 : segments.back(), .sequence = before.newest};
        return snapshot;
    }
    return fail(Errc::conflict, "repositories are renamed all the time: no snapshot of the index can be taken");
}

Result<bool> IndexSnapshot::has_renames(std::int64_t after, std::int64_t up_to)
{
    while (after < up_to) {
        TRY(const auto events, run_to_end(parts_.log.read(after, events_at_once)));
        if (events.empty()) break;
        for (const auto& event : events) {
            if (IndexChanges::is_done_once(event)) return true;
        }
        after = events.back().sequence;
    }
    return false;
}

Result<std::size_t> IndexSnapshot::drop_damaged(const BackupManifest& manifest)
{
    ChunkStore chunks{parts_.target};
    std::size_t dropped = 0;
    for (const auto& [name, table] : manifest.tables) {
        for (const auto& hash : table.chunks) {
            const auto content = chunks.rows(hash, name);
            if (content) continue;
            if (!is_damage(content.error())) return std::unexpected{content.error()};
            CHECK(parts_.target.remove(chunk_name(hash)));
            ++dropped;
        }
    }
    return dropped;
}

// Damaged ones are none of those that stay.
Result<> IndexSnapshot::prune()
{
    TRY(const auto ids, backup_ids(parts_.target));
    for (const auto& id : ids) {
        const auto manifest = load_backup(parts_.target, id);
        if (!manifest && is_damage(manifest.error())) CHECK(parts_.target.remove(backup_name(id)));
    }
    const auto pruned = prune_backups(parts_.target, kept_snapshots);
    if (pruned || !is_damage(pruned.error())) return pruned ? Result<>{} : std::unexpected{pruned.error()};
    // The older one lacks something: the newest was read as a whole.
    CHECK(prune_backups(parts_.target, 1));
    return {};
}

}  // namespace entrepot
