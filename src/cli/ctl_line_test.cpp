#include "cli/ctl_line.hpp"

#include "cli/ctl_completion.hpp"
#include "cli/ctl_help.hpp"
#include "cli/test_io.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

namespace entrepot {
namespace {

Result<CtlLine> parse(std::vector<std::string> words)
{
    return parse_ctl_line(words);
}

TEST(CtlLine, finds_the_longest_path_and_gives_names_to_the_rest)
{
    const auto line = parse({"tenant", "member", "add", "acme", "ada", "--role", "tenant-admin", "-q"}).value();
    EXPECT_EQ(line.command->path, "tenant member add");
    EXPECT_EQ(line.value("tenant"), "acme");
    EXPECT_EQ(line.value("user"), "ada");
    EXPECT_EQ(line.value("role"), "tenant-admin");
    EXPECT_TRUE(line.has("quiet"));
}

TEST(CtlLine, takes_options_in_all_their_forms)
{
    EXPECT_EQ(parse({"whoami", "-o", "json"}).value().value("output"), "json");
    EXPECT_EQ(parse({"whoami", "--output=yaml"}).value().value("output"), "yaml");
    EXPECT_EQ(parse({"config", "set", "--", "x", "-1"}).value().value("value"), "-1");
    EXPECT_EQ(parse({"tenant", "create", "a", "--description="}).value().value("description"), "");
    EXPECT_EQ(
        parse({"role", "create", "r", "--permission", "a:b:c", "--permission", "d:e:f"})
            .value()
            .all("permission")
            .size(),
        2U
    );
}

TEST(CtlLine, says_what_is_wrong)
{
    for (const auto& [words, problem] : std::vector<std::pair<std::vector<std::string>, std::string>>{
             {{}, "a command is missing"},
             {{"nonsense"}, "no command \"nonsense\""},
             {{"tenant"}, "a command is missing"},
             {{"tenant", "nonsense"}, "no command \"tenant nonsense\""},
             {{"tenant", "show"}, "tenant is missing"},
             {{"tenant", "show", ""}, "tenant is empty"},
             {{"tenant", "show", "a", "b"}, "one argument too many"},
             {{"tenant", "show", "a", "--nonsense"}, "no option --nonsense"},
             {{"tenant", "show", "a", "-x"}, "no option -x"},
             {{"tenant", "show", "a", "--o", "json"}, "no option --o"},
             {{"tenant", "show", "a", "-o"}, "--output lacks its FORMAT"},
             {{"tenant", "show", "a", "-o", "xml"}, "--output is one of table, json, yaml"},
             {{"tenant", "show", "a", "--quiet=yes"}, "--quiet takes no value"},
             {{"tenant", "show", "a", "--quiet", "--quiet"}, "--quiet is there twice"},
             {{"team", "list"}, "--tenant is missing"},
         }) {
        const auto line = parse(words);
        ASSERT_FALSE(line) << problem;
        EXPECT_EQ(line.error().code(), Errc::bad_request);
        EXPECT_NE(line.error().message().find(problem), std::string::npos) << line.error().message();
    }
}

TEST(CtlLine, asked_for_help_looks_at_nothing_else)
{
    EXPECT_EQ(parse({"tenant", "show", "--nonsense", "--help"}).value().topic, "tenant show");
    EXPECT_EQ(parse({"tenant", "-h"}).value().topic, "tenant");
    EXPECT_EQ(parse({"--help"}).value().topic, "");
    EXPECT_EQ(parse({"config", "set", "--", "x", "--help"}).value().command->path, "config set");
    EXPECT_FALSE(parse({"nonsense", "--help"}));
}

TEST(CtlTable, is_sound)
{
    std::set<std::string_view> paths;
    std::set<std::string_view> groups;
    for (const auto& group : ctl_groups()) groups.insert(group.path);
    for (const auto& command : ctl_commands()) {
        EXPECT_TRUE(paths.insert(command.path).second) << command.path << " is there twice";
        EXPECT_TRUE(command.run) << command.path;
        EXPECT_FALSE(command.text.empty()) << command.path;
        EXPECT_FALSE(command.text.ends_with('.')) << command.path;
        const auto last = command.path.rfind(' ');
        if (last != command.path.npos) EXPECT_TRUE(groups.contains(command.path.substr(0, last))) << command.path;
        std::set<std::string_view> names;
        for (const auto& argument : command.arguments) EXPECT_TRUE(names.insert(argument.name).second) << command.path;
        for (const auto& option : all_options(command)) {
            EXPECT_TRUE(names.insert(option.name).second) << command.path << " --" << option.name;
            EXPECT_FALSE(option.text.empty()) << command.path << " --" << option.name;
            if (option.required) EXPECT_FALSE(option.value.empty()) << command.path << " --" << option.name;
        }
    }
    for (const auto group : groups) {
        const bool used = std::any_of(paths.begin(), paths.end(), [group](const auto path) {
            return path.starts_with(std::string{group} + " ");
        });
        EXPECT_TRUE(used) << group;
    }
}

TEST(CtlHelp, explains_every_command_in_lines_that_fit)
{
    TestIo io;
    for (const auto& command : ctl_commands()) {
        const auto help = ctl_help(command.path);
        EXPECT_TRUE(help.starts_with("NAME\n  entrepot ctl " + std::string{command.path})) << help;
        for (const auto& option : all_options(command))
            EXPECT_NE(help.find("--" + std::string{option.name}), help.npos);
        if (command.traits.hidden)
            EXPECT_EQ(ctl_reference().find("### " + std::string{command.path} + "\n"), std::string::npos);
        if (!command.traits.hidden)
            EXPECT_NE(ctl_reference().find("### " + std::string{command.path} + "\n"), std::string::npos);
        std::size_t start = help.find("\nOPTIONS");
        for (auto end = help.find('\n', start + 1); end != help.npos; start = end, end = help.find('\n', start + 1))
            EXPECT_LE(end - start, 102U) << help.substr(start, end - start);
    }
    EXPECT_EQ(io.run({"tenant", "--help"}), 0);
    EXPECT_NE(io.said.find("tenant member add"), std::string::npos);
    EXPECT_EQ(io.said.find("team member add"), std::string::npos);
    EXPECT_EQ(io.run({"--help"}), 0);
    EXPECT_NE(io.said.find("EXIT CODES"), std::string::npos);
    EXPECT_EQ(io.run({}), 2);
}

TEST(CtlCompletion, follows_the_table)
{
    TestIo io;
    const auto next = [&io](std::vector<std::string> words) { return ctl_candidates(io, words); };
    using Words = std::vector<std::string>;
    EXPECT_EQ(next({"ten"}), Words{"tenant"});
    EXPECT_EQ(next({"tenant", "un"}), Words{"unfreeze"});
    EXPECT_EQ(next({"tenant", "member", ""}), (Words{"add", "list", "remove"}));
    EXPECT_EQ(next({"tenant", "show", "x", "--ou"}), Words{"--output"});
    EXPECT_EQ(next({"whoami", "-o", ""}), (Words{"json", "table", "yaml"}));
    EXPECT_EQ(next({"whoami", "--output", "y"}), Words{"yaml"});
    EXPECT_EQ(next({"member", "add", "x", "--role", "g"}), Words{"guest"});
    EXPECT_EQ(next({"apply", "-f", ""}), Words{"<file>"});
    EXPECT_EQ(next({"whoami", "--ca-file", ""}), Words{"<file>"});
    EXPECT_TRUE(next({"nonsense", ""}).empty());
    const auto all = next({""});
    EXPECT_EQ(std::count(all.begin(), all.end(), "tenant"), 1);
    EXPECT_EQ(std::count(all.begin(), all.end(), "complete"), 0);
    io.files["/home/ada/.config/entrepot/config.json"] = R"({"current":"a","contexts":{"abc":{"url":"http://x"}}})";
    EXPECT_EQ(next({"context", "use", "a"}), Words{"abc"});
    EXPECT_EQ(io.run({"complete", "--", "whoami", "-o", ""}), 0);
    EXPECT_EQ(io.said, "json\ntable\nyaml\n");
    EXPECT_EQ(next({"whoami", "--context", ""}), Words{"abc"});
}

}  // namespace
}  // namespace entrepot
