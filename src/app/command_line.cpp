#include "app/command_line.hpp"

#include "app/agent_options.hpp"
#include "app/backup_options.hpp"
#include "app/config_keys.hpp"
#include "app/simulate_options.hpp"

#include <algorithm>
#include <string_view>

#include <CLI/CLI.hpp>

namespace entrepot {
namespace {

constexpr std::string_view overview = R"(NAME
  entrepot - a registry for OCI artifacts: container images, charts, anything with a digest

SYNOPSIS
  entrepot serve [--config FILE] [--listen ADDR:PORT] [--data DIR] [--database URL]
                 [--tls-listen ADDR:PORT --tls-cert FILE --tls-key FILE]
  entrepot check-config [--config FILE | --print-reference]
  entrepot audit verify|show [OPTIONS]
  entrepot reset-admin-password [--config FILE] [--data DIR] [--database URL]
  entrepot backup --to DIR | list|verify|prune --from DIR [OPTIONS]
  entrepot restore --from DIR [OPTIONS]
  entrepot rebuild-index [OPTIONS]
  entrepot agent --registry URL [OPTIONS]
  entrepot simulate [OPTIONS] SCENARIO...
  entrepot ctl COMMAND
  entrepot version

DESCRIPTION
  serve                 runs the registry until SIGTERM or SIGINT
  check-config          reads the configuration as serve would, tells what is wrong with it and starts nothing
  audit                 proves the audit trail, or prints what it holds
  reset-admin-password  gives the user "admin" a new password, when nobody can log in any more
  backup                keeps everything in another place while the server runs; lists, verifies and prunes backups
  restore               brings a backup back into an empty place
  rebuild-index         makes a lost database anew, from what the blob store keeps beside the blobs
  agent                 has the images that a node's pods pull, from other nodes and the registry
  simulate              works out how long a rollout to many nodes takes
  ctl                   works with a registry over its API: projects, members, artifacts and all else
  version               prints the version

  `entrepot COMMAND --help` explains a command.
)";

constexpr std::string_view serve_head = R"(NAME
  entrepot serve - run the registry

SYNOPSIS
  entrepot serve [--config FILE] [--listen ADDR:PORT] [--data DIR] [--database URL]
                 [--tls-listen ADDR:PORT --tls-cert FILE --tls-key FILE]

DESCRIPTION
  Serves the OCI distribution API, the token endpoint, the management API and metrics. Without any option it listens on
  127.0.0.1:5000 and keeps everything (SQLite database, blobs, keys) in ./var. The first start makes the user "admin"
  and prints its password once, unless ENTREPOT_ADMIN_PASSWORD gives it.

  SIGTERM and SIGINT stop it: transfers that make progress finish, idle connections close at once. SIGHUP reads the
  certificates again.

OPTIONS
  --config FILE           YAML file with any of the keys below; no file is picked up by itself
  --listen ADDR:PORT      Listen here, with all surfaces; nothing else is opened. ADDR is a numeric address, IPv6 in
                          brackets ([::1]:5000), localhost or an interface's name (eth1:5000); left out it means all
                          IPv4 addresses (:5000). Default: 127.0.0.1:5000
  --tls-listen ADDR:PORT  Listen here for TLS, with all surfaces; beside --listen where both are given
  --tls-cert FILE         PEM file with the certificate and its chain, for --tls-listen
  --tls-key FILE          PEM file with the certificate's key, for --tls-listen
  --data DIR              Directory that holds everything; created if missing. Default: ./var
  --database URL          postgresql://USER:PASSWORD@HOST/NAME instead of SQLite in the data directory
  --help                  Print this

CONFIGURATION
  Options count over the environment, that over the file, that over the default. Unknown keys are errors.
  Listeners with their own surfaces, TLS and rate are a list in the file (`listeners`).

  KEY IN THE FILE, ENVIRONMENT VARIABLE                              DEFAULT
)";

constexpr std::string_view serve_tail = R"(
ENVIRONMENT
  ENTREPOT_ADMIN_PASSWORD  Password of "admin" at the first start: 8 to 128 characters with an upper-case letter, a
                           lower-case letter and a digit
  ENTREPOT_SECTION_KEY     The key `section.key` of the file, as listed above

FILES
  DIR/entrepot.db          The SQLite database, unless PostgreSQL is used
  DIR/blobs/               The blobs, unless storage.root says otherwise

EXAMPLES
  entrepot serve
  entrepot serve --listen '[::]:5000' --data /var/lib/entrepot
  entrepot serve --tls-listen :443 --tls-cert tls.crt --tls-key tls.key --database postgresql://entrepot@db/entrepot
  ENTREPOT_LOG_FORMAT=json entrepot serve --config /etc/entrepot/entrepot.yaml

EXIT CODES
  0   stopped as asked
  1   could not start or go on; the log says why
  64  wrong arguments
  78  wrong configuration
)";

constexpr std::string_view check_help = R"(NAME
  entrepot check-config - check a configuration without starting anything

SYNOPSIS
  entrepot check-config [--config FILE | --print-reference]

DESCRIPTION
  Reads FILE and the environment as `entrepot serve` would and prints every problem with its file and line or variable.

OPTIONS
  --config FILE      YAML file to check; without it, the environment alone is checked
  --print-reference  Print the reference of all keys as Markdown and check nothing
  --help             Print this

EXAMPLES
  entrepot check-config --config /etc/entrepot/entrepot.yaml

EXIT CODES
  0   the configuration is good
  64  wrong arguments
  78  wrong configuration
)";

constexpr std::string_view audit_help = R"(NAME
  entrepot audit - prove the audit trail, or print what it holds

SYNOPSIS
  entrepot audit verify [--data DIR] [--database URL] [--directory DIR]
  entrepot audit show [--data DIR] [--directory DIR] [--since TIME] [--until TIME] [--user NAME] [--resource PART]
                      [--operation WORD] [--result ok|denied|failed] [--limit COUNT]

DESCRIPTION
  verify  walks all segments of every chain in the directory: each block's hash, each segment's place, and the anchors
          that the database keeps. Tells the first thing that is wrong, with its segment and record. A server that runs
          meanwhile is not disturbed.
  show    prints records as lines of JSON, oldest first

OPTIONS
  --data DIR        The server's data directory. Default: ./var
  --directory DIR   The trail's directory, where the server has an audit.directory
  --database URL    The server's database.url, where it uses PostgreSQL
  --since TIME      Records from then on: RFC 3339, or a duration before now (36h, 7d)
  --until TIME      Records up to then
  --user NAME       Of this user alone
  --resource PART   Whose resource holds this text
  --operation WORD  create, read (only where it was denied), update, delete, pull, login or logout
  --result WORD     ok, denied or failed
  --limit COUNT     No more records than this
  --help            Print this

EXAMPLES
  entrepot audit verify --data /var/lib/entrepot
  entrepot audit show --data /var/lib/entrepot --since 24h --result denied

EXIT CODES
  0   all chains are proven; the records were printed
  1   a chain is broken
  2   the trail or the database can't be read
  64  wrong arguments
)";

constexpr std::string_view reset_help = R"(NAME
  entrepot reset-admin-password - give the user "admin" a new password

SYNOPSIS
  entrepot reset-admin-password [--config FILE] [--data DIR] [--database URL]

DESCRIPTION
  Makes a new password for "admin" and prints it once. The user is enabled, a platform admin, and made where it is
  missing; its sessions and the tokens made from its old password end. Only the database and the audit trail are
  needed: the reset is recorded there, as done by local:USER of this machine. Nothing is changed when it can't be.
  root goes on as the owner of the data directory.

  With SQLite the server must be stopped; with PostgreSQL running instances take the new password at once.

OPTIONS
  --config FILE   The server's YAML file
  --data DIR      The server's data directory. Default: ./var
  --database URL  postgresql://USER:PASSWORD@HOST/NAME instead of SQLite in the data directory
  --help          Print this

EXAMPLES
  entrepot reset-admin-password --data /var/lib/entrepot
  entrepot reset-admin-password --config /etc/entrepot/entrepot.yaml

EXIT CODES
  0   the password was printed
  1   the database or the audit trail can't be used; the message says why
  64  wrong arguments
  78  wrong configuration
)";

constexpr std::string_view version_help = R"(NAME
  entrepot version - print the version

SYNOPSIS
  entrepot version
)";

std::string serve_help()
{
    constexpr std::size_t name_width = 31;
    constexpr std::size_t column = 69;
    const Config defaults;
    std::string text{serve_head};
    for (const auto& key : config_keys()) {
        auto line = "  " + std::string{key.name};
        line.resize(std::max<std::size_t>(line.size() + 1, name_width), ' ');
        line += variable_of(key.name);
        line.resize(std::max(line.size() + 1, column), ' ');
        text += line + key.show(defaults);
        while (text.ends_with(' ')) text.pop_back();
        text += "\n      " + std::string{key.text} + "\n";
    }
    return text += serve_tail;
}

// The parser of one run; CLI11 writes into the members while it parses.
struct Parser {
    CLI::App app{"entrepot"};
    CLI::App* serve = app.add_subcommand("serve");
    CLI::App* check = app.add_subcommand("check-config");
    CLI::App* audit = app.add_subcommand("audit");
    CLI::App* verify = audit->add_subcommand("verify");
    CLI::App* show = audit->add_subcommand("show");
    CLI::App* reset = app.add_subcommand("reset-admin-password");
    CLI::App* version = app.add_subcommand("version");
    BackupOptions backups{app};
    AgentOptions agents{app};
    SimulateOptions simulations{app};
    AuditVerifyCommand to_verify;
    AuditShowCommand to_show;
    std::optional<std::string> config_file;
    ConfigFlags flags;
    bool print_reference = false;
    bool help = false;

    Parser()
    {
        app.require_subcommand(0, 1);
        for (auto* command : {&app, serve, check, audit, verify, show, reset, version, simulations.command()}) {
            command->set_help_flag();
            command->add_flag("-h,--help", help);
        }
        for (const auto& commands : {backups.commands(), agents.commands()}) {
            for (auto* command : commands) {
                command->set_help_flag();
                command->add_flag("-h,--help", help);
            }
        }
        serve->add_option("--config", config_file);
        serve->add_option("--listen", flags.listen);
        auto* tls = serve->add_option("--tls-listen", flags.tls_listen);
        auto* certificate = serve->add_option("--tls-cert", flags.tls_cert);
        auto* key = serve->add_option("--tls-key", flags.tls_key);
        tls->needs(certificate)->needs(key);
        certificate->needs(tls);
        key->needs(tls);
        for (auto* command : {serve, reset}) {
            command->add_option("--data", flags.data);
            command->add_option("--database", flags.database);
        }
        reset->add_option("--config", config_file);
        add_audit_options();
        auto* file = check->add_option("--config", config_file);
        check->add_flag("--print-reference", print_reference)->excludes(file);
    }

    void add_audit_options()
    {
        audit->require_subcommand(0, 1);
        verify->add_option("--data", to_verify.data);
        verify->add_option("--directory", to_verify.directory);
        verify->add_option("--database", to_verify.database);
        show->add_option("--data", to_show.data);
        show->add_option("--directory", to_show.directory);
        show->add_option("--since", to_show.since);
        show->add_option("--until", to_show.until);
        show->add_option("--user", to_show.user);
        show->add_option("--resource", to_show.resource);
        show->add_option("--operation", to_show.operation)
            ->check(CLI::IsMember({"create", "read", "update", "delete", "pull", "login", "logout"}));
        show->add_option("--result", to_show.result)->check(CLI::IsMember({"ok", "denied", "failed"}));
        show->add_option("--limit", to_show.limit);
    }

    std::string help_text() const
    {
        if (serve->parsed()) return serve_help();
        if (check->parsed()) return std::string{check_help};
        if (audit->parsed()) return std::string{audit_help};
        if (reset->parsed()) return std::string{reset_help};
        if (simulations.command()->parsed()) return std::string{SimulateOptions::help()};
        if (const auto text = backups.help(); !text.empty()) return text;
        if (const auto text = agents.help(); !text.empty()) return text;
        return std::string{version->parsed() ? version_help : overview};
    }

    std::string usage_hint() const
    {
        for (const auto* command : {serve, check, audit, reset, version, simulations.command()}) {
            if (command->parsed()) return "See: entrepot " + command->get_name() + " --help\n";
        }
        for (const auto* command : backups.commands()) {
            if (!command->parsed()) continue;
            return "See: entrepot " + backups.name() + " --help\n";
        }
        if (!agents.help().empty()) return "See: entrepot agent --help\n";
        return "See: entrepot --help\n";
    }
};

// Asked for help, nothing else in the line matters, wrong options included.
bool asks_for_help(int count, const char* const* arguments)
{
    return std::any_of(arguments + std::min(count, 1), arguments + count, [](std::string_view argument) {
        return argument == "--help" || argument == "-h";
    });
}

}  // namespace

Command parse_command_line(int count, const char* const* arguments)
{
    if (count < 1) return PrintCommand{std::string{overview}, exit_code::usage};  // execve without a name
    if (count > 1 && std::string_view{arguments[1]} == "ctl") return CtlWords{{arguments + 2, arguments + count}};
    Parser parser;
    try {
        parser.app.parse(count, arguments);
    } catch (const CLI::ParseError& failure) {
        if (asks_for_help(count, arguments)) return PrintCommand{parser.help_text(), exit_code::success};
        return PrintCommand{std::string{"entrepot: "} + failure.what() + "\n" + parser.usage_hint(), exit_code::usage};
    }
    if (parser.help) return PrintCommand{parser.help_text(), exit_code::success};
    if (parser.serve->parsed()) return ServeCommand{std::move(parser.config_file), std::move(parser.flags)};
    if (parser.check->parsed()) return CheckConfigCommand{std::move(parser.config_file), parser.print_reference};
    if (parser.verify->parsed()) return std::move(parser.to_verify);
    if (parser.show->parsed()) return std::move(parser.to_show);
    if (parser.audit->parsed()) return PrintCommand{std::string{audit_help}, exit_code::usage};
    if (parser.reset->parsed()) return ResetAdminCommand{std::move(parser.config_file), std::move(parser.flags)};
    if (const auto wrong = parser.backups.complaint(); !wrong.empty())
        return PrintCommand{"entrepot: " + wrong + "\n" + parser.usage_hint(), exit_code::usage};
    if (auto command = parser.backups.backup()) return *std::move(command);
    if (auto command = parser.backups.restore()) return *std::move(command);
    if (auto command = parser.backups.rebuild()) return *std::move(command);
    if (const auto wrong = parser.agents.complaint(); !wrong.empty())
        return PrintCommand{"entrepot: " + wrong + "\n" + parser.usage_hint(), exit_code::usage};
    if (auto command = parser.agents.agent()) return *std::move(command);
    if (auto command = parser.agents.mirror()) return *std::move(command);
    if (const auto wrong = parser.simulations.complaint(); !wrong.empty())
        return PrintCommand{"entrepot: " + wrong + "\n" + parser.usage_hint(), exit_code::usage};
    if (parser.simulations.command()->parsed()) return parser.simulations.simulate();
    if (parser.version->parsed()) return VersionCommand{};
    return PrintCommand{std::string{overview}, exit_code::usage};
}

}  // namespace entrepot
