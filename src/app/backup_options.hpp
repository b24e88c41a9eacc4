#pragma once

#include "app/backup_command.hpp"

#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace entrepot {

// `backup` and `restore` on the command line.
class BackupOptions {
public:
    explicit BackupOptions(CLI::App& app);

    std::vector<CLI::App*> commands() const { return {backup_, list_, verify_, prune_, restore_}; }
    // After parsing: which of them it was.
    std::optional<BackupCommand> backup() const;
    std::optional<RestoreCommand> restore() const;
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
    BackupCommand taken_;
    RestoreCommand restored_;
};

}  // namespace entrepot
