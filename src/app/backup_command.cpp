#include "app/backup_command.hpp"

#include "app/act_as_owner.hpp"
#include "app/backup_places.hpp"
#include "app/exit_code.hpp"
#include "app/version.hpp"
#include "core/log.hpp"
#include "drivers/filesystem/backup_directory.hpp"
#include "drivers/filesystem/stored_blob_files.hpp"
#include "upkeep/backup/kept_backups.hpp"
#include "upkeep/backup/take_backup.hpp"

#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <iterator>

namespace entrepot {
namespace {

// A round of garbage collection may take as long.
constexpr std::chrono::hours longest_wait{12};

Result<std::map<std::string, std::string>> small_files(const Config& config, bool with_keys, const std::string& key)
{
    std::map<std::string, std::string> files;
    std::ifstream instance{config.data / "instance"};
    std::string name{std::istreambuf_iterator<char>{instance}, {}};
    if (!name.empty()) files["instance"] = std::move(name);
    if (!with_keys) return files;
    if (key.empty()) return fail(Errc::not_found, "there is no master key to keep");
    files["master.key"] = key;
    return files;
}

void print_taken(const BackupManifest& manifest)
{
    std::uint64_t rows = 0;
    for (const auto& [name, table] : manifest.tables) rows += table.rows;
    std::printf(
        "%s: %" PRIu64 " rows, %" PRIu64 " blobs, %" PRIu64 " bytes of blobs; written: %" PRIu64 " chunks, %" PRIu64
        " bytes of chunks, %" PRIu64 " blobs, %" PRIu64 " bytes of blobs; %.1f s%s\n",
        manifest.id.c_str(),
        rows,
        manifest.blobs.count,
        manifest.blobs.bytes,
        manifest.written.chunks,
        manifest.written.chunk_bytes,
        manifest.written.blobs,
        manifest.written.blob_bytes,
        static_cast<double>(manifest.ended_at - manifest.started_at) / 1e6,
        manifest.is_complete() ? "" : "; INCOMPLETE"
    );
}

Result<int> take(const BackupCommand& command, const Config& config)
{
    const SystemClock clock;
    SystemRandom random;
    TRY(const auto key, master_key_text(config));
    TRY(auto files, small_files(config, command.with_keys, key));
    TRY(auto blobs, StoredBlobFiles::open_store(config.storage_root(), false));
    DirectoryFiles audit{config.audit_directory(), is_audit_file};
    BackupDirectory target{command.directory, command.link ? FileSharing::name : FileSharing::blocks};
    TakeBackup backup{
        {.open_snapshot = [&] { return open_snapshot(config, clock); },
         .blobs = &blobs,
         .audit = &audit,
         .small_files = std::move(files),
         .engine = config.uses_postgres() ? "postgresql" : "sqlite",
         .program = version_text,
         .master_key = fingerprint_of(key)},
        target,
        clock,
        random,
        tell_progress
    };
    TRY(const auto manifest, backup.run(longest_wait));
    print_taken(manifest);
    if (!manifest.is_complete()) {
        std::fprintf(
            stderr, "entrepot: %zu blobs could not be copied: they are named above\n", manifest.blobs.missing.size()
        );
        return exit_code::incomplete;
    }
    if (const auto noted = note_backup(config, clock); !noted) {
        std::fprintf(stderr, "entrepot: the server's metrics don't know of it: %s\n", noted.error().message().c_str());
    }
    return exit_code::success;
}

Result<int> list(BackupTarget& target)
{
    TRY(const auto hold, target.hold(BackupTarget::Use::reading));
    TRY(const auto ids, backup_ids(target));
    for (const auto& id : ids) {
        const auto manifest = load_backup(target, id);
        if (manifest)
            print_taken(*manifest);
        else
            std::printf("%s: %s\n", id.c_str(), manifest.error().message().c_str());
    }
    return exit_code::success;
}

Result<int> verify(BackupTarget& target, const BackupCommand& command)
{
    std::vector<std::string> ids;
    if (command.at) {
        ids.push_back(*command.at);
    } else {
        TRY(ids, backup_ids(target));
    }
    if (ids.empty()) return fail(Errc::not_found, "there are no backups in " + command.directory);
    TRY(const auto proof, verify_backups(target, ids, command.quick, tell_progress));
    for (const auto& line : proof.wrong) std::printf("%s\n", line.c_str());
    std::printf(
        "%" PRIu64 " backups, %" PRIu64 " chunks, %" PRIu64 " blobs, %" PRIu64 " bytes of blobs: %s\n",
        proof.backups,
        proof.chunks,
        proof.blobs,
        proof.bytes,
        proof.wrong.empty() ? "good" : "NOT GOOD"
    );
    return proof.wrong.empty() ? exit_code::success : exit_code::incomplete;
}

Result<int> prune(BackupTarget& target, std::size_t keep)
{
    TRY(const auto pruned, prune_backups(target, keep));
    std::printf(
        "%" PRIu64 " backups removed, with them %" PRIu64 " objects of %" PRIu64 " bytes\n",
        pruned.backups,
        pruned.objects,
        pruned.bytes
    );
    return exit_code::success;
}

Result<int> act(const BackupCommand& command)
{
    if (command.action == BackupCommand::Action::take) {
        const auto config = load_config(command.config_file, process_environment(), command.flags);
        if (!config) {
            std::fprintf(stderr, "%s\n", config.error().message().c_str());
            return exit_code::configuration;
        }
        act_as_owner(config->data);
        return take(command, *config);
    }
    BackupDirectory target{command.directory};
    if (command.action == BackupCommand::Action::list) return list(target);
    if (command.action == BackupCommand::Action::verify) return verify(target, command);
    return prune(target, command.keep);
}

}  // namespace

int run_backup(const BackupCommand& command)
{
    log::configure(log::Level::warning, log::Format::text);
    const auto ended = act(command);
    return ended ? *ended : complain_of(ended.error());
}

}  // namespace entrepot
