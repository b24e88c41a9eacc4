#pragma once

#include "app/backup_command.hpp"

#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace entrepot {

// `backup`, `restore` and `rebuild-index` on the command line.
class BackupOptions {
public:
    explicit BackupOptions(CLI::App& app);

    std::vector<CLI::App*> commands() const { return {backup_, list_, verify_, prune_, restore_, rebuild_}; }
    // After parsing: which of them it was.
    std::optional<BackupCommand> backup() const;
    std::optional<RestoreCommand> restore() const;
    std::optional<RebuildCommand> rebuild() const;
    std::string name() const;  // "backup" for all that is done with backups
    // What is wrong beyond the grammar; empty: nothing.
    std::string complaint() const;
    // Of the one that was parsed; empty: of none.
    std::string help() const;

private:
    CLI::App* backup_;
    CLI::App* list_;
    CLI::App* verify_;
    CLI::App* prune_;
    CLI::App* restore_;
    CLI::App* rebuild_;
    BackupCommand taken_;
    RestoreCommand restored_;
    RebuildCommand rebuilt_;
};

}  // namespace entrepot
