#include "app/backup_options.hpp"

#include <string_view>

namespace entrepot {
namespace {

constexpr std::string_view backup_help = R"(NAME
  entrepot backup - keep a registry's metadata, blobs and audit trail in another place

SYNOPSIS
  entrepot backup --to DIR [--config FILE] [--data DIR] [--database URL] [--with-keys] [--link]
  entrepot backup list --from DIR
  entrepot backup verify --from DIR [--at ID] [--quick]
  entrepot backup prune --from DIR --keep COUNT

DESCRIPTION
  backup  copies everything of one moment while the server runs, or while it doesn't. What DIR has already is not
          copied again: run it as often as you like. Each blob is read and compared with its digest. Garbage collection
          removes no bytes meanwhile; it goes on afterwards. root goes on as the owner of the data directory
  list    prints the backups in DIR, oldest first
  verify  reads the backups and all that they need, and compares it with what it should be
  prune   removes all but the newest backups, and what they alone needed

  Kept are all metadata, blobs, the audit trail and the instance's name. Not kept: sessions and refresh tokens, unfinished
  uploads, the configuration, TLS certificates, and the master key unless --with-keys says so.

OPTIONS
  --to DIR        Where the backup goes: a directory on another disk or machine. It is made where it is missing
  --from DIR      Where backups are
  --config FILE   The server's YAML file
  --data DIR      The server's data directory. Default: ./var
  --database URL  The server's database.url, where it uses PostgreSQL
  --with-keys     Keep the master key too. Who can read the backup then can read the secrets in it
  --link          Blobs become names of the store's own files, where DIR is on the same file system: at once and without
                  room, and damaged when they are
  --at ID         One backup alone
  --quick         Of blobs look only whether they are there, with their size
  --keep COUNT    How many stay
  --help          Print this

EXAMPLES
  entrepot backup --data /var/lib/entrepot --to /backup/entrepot
  entrepot backup verify --from /backup/entrepot
  entrepot backup prune --from /backup/entrepot --keep 14

EXIT CODES
  0   done, and good
  1   failed: there is no new backup; the message says why
  3   blobs are missing or damaged, each is named; all else is kept
  64  wrong arguments
  78  wrong configuration
)";

constexpr std::string_view restore_help = R"(NAME
  entrepot restore - bring a backup back into an empty place

SYNOPSIS
  entrepot restore --from DIR [--at ID] [--config FILE] [--data DIR] [--database URL] [--metadata-only] [--verify]
                   [--without-missing] [--without-keys]

DESCRIPTION
  Fills the data directory, and the database where it is PostgreSQL, from a backup of either engine. Both must be empty;
  master.key may be there. Killed, it leaves a directory that no server starts on: run it again, it goes on.

  Sessions and refresh tokens have ended, unfinished uploads begin anew, jobs that ran are run again, and what happened
  since the backup is gone. That goes for the removal of users, robots, tokens and members too: look through them.

OPTIONS
  --from DIR         Where backups are
  --at ID            The one to restore. Default: the newest
  --config FILE      The server's YAML file
  --data DIR         The data directory to fill. Default: ./var
  --database URL     postgresql://USER:PASSWORD@HOST/NAME to fill, instead of SQLite in the data directory
  --metadata-only    The blobs are in their store already (storage.root, or DIR/blobs): nothing is copied there, it is
                     looked whether each is there
  --verify           Read each blob that is there already and compare it with its digest
  --without-missing  Go on where blobs are missing or damaged
  --without-keys     The master key is lost: leave the server's own keys out, so that it makes new ones
  --help             Print this

EXAMPLES
  entrepot restore --from /backup/entrepot --data /var/lib/entrepot
  entrepot restore --from /backup/entrepot --data /var/lib/entrepot --database postgresql://entrepot@db/entrepot

EXIT CODES
  0   everything is there
  1   failed; the message says why
  3   restored, but something is missing or does not add up, each is named
  64  wrong arguments
  78  wrong configuration
)";

constexpr std::string_view rebuild_help = R"(NAME
  entrepot rebuild-index - make a lost database anew from what the blob store keeps beside the blobs

SYNOPSIS
  entrepot rebuild-index [--config FILE] [--data DIR] [--database URL] [--without-keys]

DESCRIPTION
  The database is gone, there is no backup, and the blobs are where they were (storage.root, or DIR/blobs). A server
  keeps snapshots of its metadata there, and a journal of what has changed in repositories since (index.enabled). This
  brings the newest snapshot back that is whole, repeats the journal, looks whether all blobs are there, and says what is
  missing and up to when the index goes.

  There must be no database: remove what is left of it. master.key, the audit trail and the blobs stay where they are.
  Stop all servers. Killed, it leaves a directory that no server starts on: run it again, it goes on.

  Users, robots, grants, rules, labels and settings are those of the snapshot, also those that were removed since: look
  through them. Sessions and refresh tokens have ended. Take a backup where you can: it has all of that.

OPTIONS
  --config FILE   The server's YAML file
  --data DIR      The data directory. Default: ./var
  --database URL  postgresql://USER:PASSWORD@HOST/NAME to fill, instead of SQLite in the data directory
  --without-keys  The master key is lost: leave the server's own keys out, so that it makes new ones
  --help          Print this

EXIT CODES
  0   everything that the index tells of is there
  1   failed; the message says why
  3   rebuilt, but something is missing or damaged, each is named
  64  wrong arguments
  78  wrong configuration
)";

}  // namespace

BackupOptions::BackupOptions(CLI::App& app)
    : backup_{app.add_subcommand("backup")},
      list_{backup_->add_subcommand("list")},
      verify_{backup_->add_subcommand("verify")},
      prune_{backup_->add_subcommand("prune")},
      restore_{app.add_subcommand("restore")},
      rebuild_{app.add_subcommand("rebuild-index")}
{
    backup_->require_subcommand(0, 1);
    backup_->add_option("--to", taken_.directory);
    backup_->add_option("--config", taken_.config_file);
    backup_->add_option("--data", taken_.flags.data);
    backup_->add_option("--database", taken_.flags.database);
    backup_->add_flag("--with-keys", taken_.with_keys);
    backup_->add_flag("--link", taken_.link);
    for (auto* command : {list_, verify_, prune_}) command->add_option("--from", taken_.directory)->required();
    verify_->add_option("--at", taken_.at);
    verify_->add_flag("--quick", taken_.quick);
    prune_->add_option("--keep", taken_.keep)->required()->check(CLI::Range(1, 1'000'000));
    restore_->add_option("--from", restored_.directory)->required();
    restore_->add_option("--at", restored_.at);
    restore_->add_option("--config", restored_.config_file);
    restore_->add_option("--data", restored_.flags.data);
    restore_->add_option("--database", restored_.flags.database);
    restore_->add_flag("--metadata-only", restored_.metadata_only);
    restore_->add_flag("--verify", restored_.verify);
    restore_->add_flag("--without-missing", restored_.without_missing);
    restore_->add_flag("--without-keys", restored_.without_keys);
    rebuild_->add_option("--config", rebuilt_.config_file);
    rebuild_->add_option("--data", rebuilt_.flags.data);
    rebuild_->add_option("--database", rebuilt_.flags.database);
    rebuild_->add_flag("--without-keys", rebuilt_.without_keys);
}

std::optional<BackupCommand> BackupOptions::backup() const
{
    if (!backup_->parsed()) return std::nullopt;
    auto command = taken_;
    if (list_->parsed()) command.action = BackupCommand::Action::list;
    if (verify_->parsed()) command.action = BackupCommand::Action::verify;
    if (prune_->parsed()) command.action = BackupCommand::Action::prune;
    return command;
}

std::optional<RestoreCommand> BackupOptions::restore() const
{
    return restore_->parsed() ? std::optional{restored_} : std::nullopt;
}

std::optional<RebuildCommand> BackupOptions::rebuild() const
{
    return rebuild_->parsed() ? std::optional{rebuilt_} : std::nullopt;
}

std::string BackupOptions::name() const
{
    if (restore_->parsed()) return restore_->get_name();
    return rebuild_->parsed() ? rebuild_->get_name() : backup_->get_name();
}

std::string BackupOptions::complaint() const
{
    if (backup_->parsed() && taken_.directory.empty()) return "--to is required: where the backup goes";
    return {};
}

std::string BackupOptions::help() const
{
    if (backup_->parsed()) return std::string{backup_help};
    if (rebuild_->parsed()) return std::string{rebuild_help};
    return restore_->parsed() ? std::string{restore_help} : std::string{};
}

}  // namespace entrepot
