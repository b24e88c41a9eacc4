#include "app/command_line.hpp"

#include <initializer_list>
#include <vector>

#include <gtest/gtest.h>

namespace entrepot {
namespace {

Command parse(std::initializer_list<const char*> arguments)
{
    std::vector<const char*> all{"entrepot"};
    all.insert(all.end(), arguments);
    return parse_command_line(static_cast<int>(all.size()), all.data());
}

TEST(CommandLine, serves_with_nothing_set)
{
    const auto command = parse({"serve"});
    const auto& serve = std::get<ServeCommand>(command);
    EXPECT_FALSE(serve.config_file.has_value());
    EXPECT_FALSE(serve.flags.listen.has_value());
    EXPECT_FALSE(serve.flags.data.has_value());
}

TEST(CommandLine, takes_every_option_of_serve)
{
    const auto command = parse(
        {"serve",
         "--config",
         "c.yaml",
         "--listen",
         "[::1]:5000",
         "--tls-listen=eth1:5443",
         "--tls-cert",
         "c.pem",
         "--tls-key",
         "k.pem",
         "--data",
         "/d",
         "--database",
         "postgresql://h/n"}
    );
    const auto& serve = std::get<ServeCommand>(command);
    EXPECT_EQ(serve.config_file, "c.yaml");
    EXPECT_EQ(serve.flags.listen, "[::1]:5000");
    EXPECT_EQ(serve.flags.tls_listen, "eth1:5443");
    EXPECT_EQ(serve.flags.tls_cert, "c.pem");
    EXPECT_EQ(serve.flags.tls_key, "k.pem");
    EXPECT_EQ(serve.flags.data, "/d");
    EXPECT_EQ(serve.flags.database, "postgresql://h/n");
}

TEST(CommandLine, knows_the_other_commands)
{
    EXPECT_TRUE(std::holds_alternative<VersionCommand>(parse({"version"})));
    EXPECT_EQ(std::get<CheckConfigCommand>(parse({"check-config", "--config", "x"})).config_file, "x");
    EXPECT_TRUE(std::get<CheckConfigCommand>(parse({"check-config", "--print-reference"})).print_reference);
}

TEST(CommandLine, hands_over_what_follows_ctl)
{
    const auto command = parse({"ctl", "project", "--help"});
    EXPECT_EQ(std::get<CtlWords>(command).words, (std::vector<std::string>{"project", "--help"}));
    EXPECT_TRUE(std::get<CtlWords>(parse({"ctl"})).words.empty());
}

TEST(CommandLine, refuses_wrong_arguments)
{
    for (const auto& arguments : std::vector<std::vector<const char*>>{
             {"entrepot", "srve"},
             {"entrepot", "serve", "--lisen", ":1"},
             {"entrepot", "serve", "--listen"},
             {"entrepot", "serve", "extra"},
             {"entrepot", "serve", "--listen", ":1", "--listen", ":2"},
             {"entrepot", "serve", "--tls-listen", ":1"},
             {"entrepot", "serve", "--tls-listen", ":1", "--tls-cert", "c"},
             {"entrepot", "serve", "--tls-cert", "c", "--tls-key", "k"},
             {"entrepot", "serve", "version"},
             {"entrepot", "check-config", "--config", "x", "--print-reference"},
             {"entrepot", "version", "--config", "x"},
             {"entrepot", "audit", "show", "--result", "frob"},
             {"entrepot", "audit", "show", "--operation", "frob"},
             {"entrepot"},
             {},
         }) {
        const auto command = parse_command_line(static_cast<int>(arguments.size()), arguments.data());
        ASSERT_TRUE(std::holds_alternative<PrintCommand>(command)) << arguments.size();
        EXPECT_EQ(std::get<PrintCommand>(command).exit_code, exit_code::usage) << std::get<PrintCommand>(command).text;
        EXPECT_FALSE(std::get<PrintCommand>(command).text.empty());
    }
}

TEST(CommandLine, takes_backups_and_restores_them)
{
    using Action = BackupCommand::Action;
    const auto command = parse({"backup", "--to", "/b", "--data", "/d", "--database", "u", "--with-keys", "--link"});
    const auto& taken = std::get<BackupCommand>(command);
    EXPECT_EQ(taken.action, Action::take);
    EXPECT_EQ(taken.directory, "/b");
    EXPECT_EQ(taken.flags.data, "/d");
    EXPECT_EQ(taken.flags.database, "u");
    EXPECT_TRUE(taken.with_keys && taken.link);
    EXPECT_EQ(std::get<BackupCommand>(parse({"backup", "list", "--from", "/b"})).action, Action::list);
    const auto verify = parse({"backup", "verify", "--from", "/b", "--at", "x", "--quick"});
    EXPECT_EQ(std::get<BackupCommand>(verify).action, Action::verify);
    EXPECT_EQ(std::get<BackupCommand>(verify).at, "x");
    const auto prune = parse({"backup", "prune", "--from", "/b", "--keep", "3"});
    EXPECT_EQ(std::get<BackupCommand>(prune).action, Action::prune);
    EXPECT_EQ(std::get<BackupCommand>(prune).keep, 3U);
    const auto restore = parse({"restore", "--from", "/b", "--at", "x", "--metadata-only", "--without-keys"});
    EXPECT_EQ(std::get<RestoreCommand>(restore).directory, "/b");
    EXPECT_TRUE(std::get<RestoreCommand>(restore).metadata_only);
    EXPECT_TRUE(std::get<RestoreCommand>(restore).without_keys);
    EXPECT_FALSE(std::get<RestoreCommand>(restore).without_missing);
    for (const auto& wrong :
         {parse({"backup"}),
          parse({"backup", "list"}),
          parse({"backup", "prune", "--from", "/b"}),
          parse({"backup", "prune", "--from", "/b", "--keep", "0"}),
          parse({"restore"})}) {
        EXPECT_EQ(std::get<PrintCommand>(wrong).exit_code, 64);
    }
}

TEST(CommandLine, runs_an_agent_and_tells_runtimes_of_it)
{
    const auto command = parse(
        {"agent",
         "--registry",
         "https://r.test",
         "--serves",
         "a",
         "--serves=b",
         "--metrics-listen",
         ":9100",
         "--config",
         "f"}
    );
    const auto& agent = std::get<AgentCommand>(command);
    EXPECT_EQ(agent.config_file, "f");
    EXPECT_EQ(
        agent.settings,
        (std::vector<AgentSetting>{
            {"metrics_listen", ":9100"}, {"registry", "https://r.test"}, {"serves", "a"}, {"serves", "b"}
        })
    );
    const auto install = parse(
        {"agent", "install-mirror", "--registry", "r.test", "--containerd", "/etc/c", "--agent", "http://x", "--dry-run"
        }
    );
    const auto& mirror = std::get<AgentMirrorCommand>(install);
    EXPECT_EQ(mirror.files.registry, "r.test");
    EXPECT_EQ(mirror.files.agent, "http://x");
    EXPECT_EQ(mirror.files.containerd, "/etc/c");
    EXPECT_FALSE(mirror.files.crio || mirror.files.podman || mirror.remove);
    EXPECT_TRUE(mirror.dry_run);
    const auto remove =
        parse({"agent", "remove-mirror", "--registry", "r.test", "--crio", "a", "--podman", "b", "--data", "/var/d"});
    EXPECT_TRUE(std::get<AgentMirrorCommand>(remove).remove);
    EXPECT_EQ(std::get<AgentMirrorCommand>(remove).data, "/var/d");
    const auto wrong = parse({"agent", "install-mirror", "--registry", "r.test"});
    EXPECT_EQ(std::get<PrintCommand>(wrong).exit_code, exit_code::usage);
}

TEST(CommandLine, simulates_scenarios)
{
    const auto command =
        parse({"simulate", "a.yaml", "--json", "-", "--csv=c", "--set", "node.up=10 Gbit/s", "--set", "a=b=c", "b.yaml"}
        );
    const auto& simulate = std::get<SimulateCommand>(command);
    EXPECT_EQ(simulate.scenarios, (std::vector<std::string>{"a.yaml", "b.yaml"}));
    EXPECT_EQ(simulate.json, "-");
    EXPECT_EQ(simulate.csv, "c");
    EXPECT_FALSE(simulate.svg);
    using Settings = std::vector<std::pair<std::string, std::string>>;
    EXPECT_EQ(simulate.settings, (Settings{{"node.up", "10 Gbit/s"}, {"a", "b=c"}}));
    const auto short_forms = parse({"simulate", "--nodes", "5", "--seed", "7", "--quiet", "a.yaml"});
    EXPECT_EQ(std::get<SimulateCommand>(short_forms).settings, (Settings{{"nodes", "5"}, {"seed", "7"}}));
    EXPECT_TRUE(std::get<SimulateCommand>(short_forms).quiet);
    for (const auto& wrong :
         {parse({"simulate"}),
          parse({"simulate", "--set", "nodes", "a.yaml"}),
          parse({"simulate", "--nodes", "-3", "a.yaml"}),
          parse({"simulate", "--quiet", "--progress", "a.yaml"}),
          parse({"simulate", "--json", "-", "--svg", "-", "a.yaml"})}) {
        EXPECT_EQ(std::get<PrintCommand>(wrong).exit_code, 64);
        EXPECT_NE(std::get<PrintCommand>(wrong).text.find("simulate --help"), std::string::npos);
    }
}

TEST(CommandLine, explains_every_command)
{
    for (const auto& command :
         {parse({"--help"}),
          parse({"-h"}),
          parse({"serve", "--help"}),
          parse({"version", "--help"}),
          parse({"check-config", "-h"}),
          parse({"backup", "--help"}),
          parse({"backup", "prune", "--help"}),
          parse({"restore", "-h"}),
          parse({"simulate", "--help"}),
          parse({"serve", "--no-such-option", "--help"})}) {
        EXPECT_EQ(std::get<PrintCommand>(command).exit_code, 0);
        EXPECT_TRUE(std::get<PrintCommand>(command).text.starts_with("NAME\n")) << std::get<PrintCommand>(command).text;
    }
}

TEST(CommandLine, explains_serve_with_every_key_and_its_variable)
{
    const auto text = std::get<PrintCommand>(parse({"serve", "--help"})).text;
    for (const auto* part :
         {"SYNOPSIS",
          "DESCRIPTION",
          "OPTIONS",
          "--tls-key FILE",
          "CONFIGURATION",
          "ENVIRONMENT",
          "ENTREPOT_ADMIN_PASSWORD",
          "http.header_timeout",
          "ENTREPOT_HTTP_HEADER_TIMEOUT",
          "FILES",
          "EXAMPLES",
          "EXIT CODES"}) {
        EXPECT_NE(text.find(part), std::string::npos) << part;
    }
}

}  // namespace
}  // namespace entrepot
