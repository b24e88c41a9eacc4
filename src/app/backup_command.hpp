#pragma once

#include "app/config.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace entrepot {

// `entrepot backup` and what is done with backups, with or without a running server.
struct BackupCommand {
    enum class Action { take, list, verify, prune };

    Action action = Action::take;
    std::optional<std::string> config_file;
    ConfigFlags flags;
    std::string directory;          // where backups lie
    bool with_keys = false;         // the master key too
    bool link = false;              // blobs as names of the store's files
    bool quick = false;             // of blobs only whether they are there
    std::optional<std::string> at;  // one backup alone
    std::size_t keep = 0;
};

// `entrepot restore`: into an empty data directory, and an empty database where it is PostgreSQL.
struct RestoreCommand {
    std::optional<std::string> config_file;
    ConfigFlags flags;
    std::string directory;
    std::optional<std::string> at;  // the newest
    bool verify = false;            // reads blobs that are there already
    bool metadata_only = false;     // the blobs are in their store
    bool without_missing = false;
    bool without_keys = false;  // the master key is lost
};

// `entrepot rebuild-index`: the database from what lies beside the blobs, into an empty place.
struct RebuildCommand {
    std::optional<std::string> config_file;
    ConfigFlags flags;
    bool without_keys = false;  // the master key is lost
};

// Print what they did to standard output, their progress to standard error, and return the exit code:
// exit_code::incomplete where something is missing or damaged.
int run_backup(const BackupCommand& command);
int run_restore(const RestoreCommand& command);
int run_rebuild(const RebuildCommand& command);

}  // namespace entrepot
