#pragma once

#include "app/agent_command.hpp"
#include "app/audit_command.hpp"
#include "app/backup_command.hpp"
#include "app/config.hpp"
#include "app/exit_code.hpp"
#include "app/reset_admin.hpp"
#include "app/simulate_command.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace entrepot {

struct ServeCommand {
    std::optional<std::string> config_file;
    ConfigFlags flags;
};

struct CheckConfigCommand {
    std::optional<std::string> config_file;
    bool print_reference = false;  // print config_reference() and do nothing else
};

struct VersionCommand {};

// `entrepot ctl` and what follows: a client of the API with a command line of its own (cli/).
struct CtlWords {
    std::vector<std::string> words;
};

// Help that was asked for (exit code 0, standard output), or what is wrong with the arguments (64, standard error).
struct PrintCommand {
    std::string text;
    int exit_code = 0;
};

using Command = std::variant<
    ServeCommand,
    CheckConfigCommand,
    AuditVerifyCommand,
    AuditShowCommand,
    ResetAdminCommand,
    BackupCommand,
    RestoreCommand,
    RebuildCommand,
    SimulateCommand,
    AgentCommand,
    AgentMirrorCommand,
    VersionCommand,
    CtlWords,
    PrintCommand>;

// Never exits and never prints: the caller does.
Command parse_command_line(int count, const char* const* arguments);

}  // namespace entrepot
