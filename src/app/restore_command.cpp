#include "app/backup_command.hpp"
#include "app/backup_places.hpp"
#include "app/data_directory.hpp"
#include "app/exit_code.hpp"
#include "drivers/filesystem/backup_directory.hpp"
#include "drivers/filesystem/stored_blob_files.hpp"
#include "upkeep/backup/kept_backups.hpp"
#include "upkeep/backup/restore_backup.hpp"

#include <algorithm>
#include <cinttypes>
#include <cstdio>

namespace entrepot {
namespace {

namespace fs = std::filesystem;

bool holds_something(const fs::path& path)
{
    std::error_code error;
    return fs::is_directory(path, error) ? !fs::is_empty(path, error) : fs::exists(path, error);
}

// Nothing of another registry is mixed with the backup's.
Result<> expect_empty(const Config& config, bool blobs_are_there)
{
    for (const auto& path : {config.sqlite_file(), config.data / "instance", config.audit_directory()}) {
        if (holds_something(path))
            return fail(Errc::conflict, "a restore needs an empty place: there is " + path.string());
    }
    if (!blobs_are_there && holds_something(config.storage_root())) {
        return fail(
            Errc::conflict,
            "a restore needs an empty place: there is " + config.storage_root().string() +
                " (--metadata-only leaves the blobs as they are)"
        );
    }
    return {};
}

Result<BackupManifest> chosen_backup(BackupTarget& target, const RestoreCommand& command)
{
    TRY(const auto ids, backup_ids(target));
    if (ids.empty()) return fail(Errc::not_found, "there are no backups in " + command.directory);
    if (!command.at) return load_backup(target, ids.back());
    if (!is_backup_id(*command.at)) return fail(Errc::bad_request, "\"" + *command.at + "\" is no backup's name");
    return load_backup(target, *command.at);
}

int print_restored(const BackupManifest& manifest, const RestoreBackup::Report& report)
{
    const bool whole = report.missing.empty() && report.wrong.empty();
    std::printf(
        "%s: %" PRIu64 " rows, %" PRIu64 " blobs of %" PRIu64 " bytes are there, %" PRIu64
        " of them copied; %zu missing%s\n",
        manifest.id.c_str(),
        report.rows,
        report.blobs,
        report.bytes,
        report.copied,
        report.missing.size(),
        report.wrong.empty() ? "" : "; some numbers do not add up"
    );
    return whole ? exit_code::success : exit_code::incomplete;
}

Result<int> restore(const RestoreCommand& command, const Config& config)
{
    const SystemClock clock;
    BackupDirectory source{command.directory};
    TRY(const auto hold, source.hold(BackupTarget::Use::reading));
    TRY(auto manifest, chosen_backup(source, command));
    std::error_code error;
    // One that is there is the operator's.
    if (fs::exists(config.data / "master.key", error) || command.without_keys) manifest.files.erase("master.key");
    const DataDirectory directory{config.data, DataDirectory::Use::restoring};
    if (!directory.is_unfinished()) CHECK(expect_empty(config, command.metadata_only));
    {
        TRY(const auto is_empty, open_filling(config, clock));
    }
    if (command.metadata_only) CHECK(StoredBlobFiles::open_store(config.storage_root(), false));
    CHECK(directory.mark_unfinished());
    TRY(auto blobs, StoredBlobFiles::open_store(config.storage_root(), !command.metadata_only));
    DirectoryFiles audit{config.audit_directory(), is_audit_file};
    DirectoryFiles files{config.data, is_any_file};
    tell_progress("restoring " + manifest.id);
    RestoreBackup run{
        manifest,
        source,
        {.open_filling = [&] { return open_filling(config, clock); }, .blobs = blobs, .audit = audit, .directory = files
        },
        {.blobs_are_there = command.metadata_only,
         .verify = command.verify,
         .without_missing = command.without_missing,
         .without_keys = command.without_keys},
        clock,
        tell_progress
    };
    TRY(const auto report, run.run());
    CHECK(directory.mark_finished());
    CHECK(tell_of_keys(manifest, config, "restore"));
    return print_restored(manifest, report);
}

}  // namespace

int run_restore(const RestoreCommand& command)
{
    return run_on_place(command.config_file, command.flags, [&](const Config& config) {
        return restore(command, config);
    });
}

}  // namespace entrepot
