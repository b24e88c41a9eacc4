#include "cli/ctl_help.hpp"

#include "cli/ctl_command.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

#include <fmt/format.h>

namespace entrepot {
namespace {

constexpr std::size_t page_width = 100;

struct Variable {
    std::string_view name;
    std::string_view text;
};
constexpr std::array variables{
    Variable{"ENTREPOT_URL", "the server, in the place of a context; counts with ENTREPOT_USER and a secret"},
    Variable{"ENTREPOT_USER", "who to be"},
    Variable{"ENTREPOT_PASSWORD", "the password, or a robot's secret"},
    Variable{"ENTREPOT_TOKEN", "an access token; counts more than a password"},
    Variable{"ENTREPOT_NEW_PASSWORD", "the password that `user create` and `user password` set"},
    Variable{"XDG_CONFIG_HOME", "where entrepot/config.json is, if not in ~/.config"},
};

std::string upper(std::string_view text)
{
    std::string out{text};
    for (auto& byte : out) byte = byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - 'a' + 'A') : byte;
    return out;
}

std::string argument_text(const CtlArgument& argument)
{
    auto text = upper(argument.name);
    if (argument.repeated) text += "...";
    return argument.optional ? "[" + text + "]" : text;
}

std::string option_text(const CtlOption& option)
{
    auto text = fmt::format("--{}", option.name);
    if (option.name == "output") text = "-o, " + text;
    if (option.name == "quiet") text = "-q, " + text;
    if (option.name == "yes") text = "-y, " + text;
    if (option.name == "file") text = "-f, " + text;
    if (!option.value.empty()) text += fmt::format(" {}", option.value);
    return text;
}

std::string synopsis(const CtlCommand& command)
{
    auto text = fmt::format("entrepot ctl {}", command.path);
    for (const auto& argument : command.arguments) text += " " + argument_text(argument);
    bool others = false;
    for (const auto& option : all_options(command)) {
        others = others || !option.required;
        if (option.required) text += fmt::format(" --{} {}", option.name, option.value);
    }
    return others ? text + " [OPTION...]" : text;
}

std::string option_meaning(const CtlOption& option)
{
    std::string text{option.text};
    if (!option.choices.empty() && option.name != "output")
        text += fmt::format(" ({})", fmt::join(option.choices, ", "));
    return text;
}

// Words of `text` in lines of the page, all but the first behind `indent` spaces.
std::string filled(std::string_view text, std::size_t start, std::size_t indent)
{
    std::string out;
    auto at = start;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        const auto word = text.substr(0, end);
        if (!out.empty() && at + 1 + word.size() > page_width) {
            out += "\n" + std::string(indent, ' ');
            at = indent;
        } else if (!out.empty()) {
            out += ' ';
            ++at;
        }
        out += word;
        at += word.size();
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

struct Row {
    std::string left;
    std::string right;
};

std::string table(const std::vector<Row>& rows)
{
    constexpr std::size_t widest = 34;
    std::size_t width = 0;
    for (const auto& row : rows) {
        if (row.left.size() <= widest) width = std::max(width, row.left.size());
    }
    const auto column = width + 4;
    std::string out;
    for (const auto& row : rows) {
        out += "  " + row.left;
        if (row.left.size() > width)
            out += "\n" + std::string(column, ' ');
        else
            out.append(column - 2 - row.left.size(), ' ');
        out += filled(row.right, column, column) + "\n";
    }
    return out;
}

bool is_below(std::string_view path, std::string_view group)
{
    return group.empty() || (path.size() > group.size() && path.starts_with(group) && path[group.size()] == ' ');
}

std::string sentence(std::string_view text)
{
    std::string out{text};
    out.front() = upper(out.substr(0, 1)).front();
    return out + ".";
}

std::string command_help(const CtlCommand& command)
{
    auto text =
        fmt::format("NAME\n  entrepot ctl {} - {}\n\nSYNOPSIS\n  {}\n", command.path, command.text, synopsis(command));
    if (!command.more.empty()) text += fmt::format("\nDESCRIPTION\n  {}\n", filled(command.more, 2, 2));
    if (!command.arguments.empty()) {
        std::vector<Row> rows;
        for (const auto& argument : command.arguments)
            rows.push_back({argument_text(argument), std::string{argument.text}});
        text += "\nARGUMENTS\n" + table(rows);
    }
    std::vector<Row> rows;
    for (const auto& option : all_options(command)) rows.push_back({option_text(option), option_meaning(option)});
    rows.push_back({"-h, --help", "print this"});
    text += "\nOPTIONS\n" + table(rows);
    if (!command.example.empty()) text += fmt::format("\nEXAMPLE\n  {}\n", command.example);
    return text;
}

std::string overview(std::string_view group)
{
    std::string text;
    if (group.empty()) {
        text = "NAME\n  entrepot ctl - work with a registry over its API\n\nSYNOPSIS\n"
               "  entrepot ctl COMMAND [ARGUMENT...] [OPTION...]\n";
    } else {
        const auto groups = ctl_groups();
        const auto found =
            std::find_if(groups.begin(), groups.end(), [group](const auto& each) { return each.path == group; });
        text = fmt::format(
            "NAME\n  entrepot ctl {} - {}\n\nSYNOPSIS\n  entrepot ctl {} COMMAND [ARGUMENT...] [OPTION...]\n",
            group,
            found == groups.end() ? "" : found->text,
            group
        );
    }
    std::vector<Row> rows;
    for (const auto& command : ctl_commands()) {
        if (!command.traits.hidden && is_below(command.path, group))
            rows.push_back({std::string{command.path}, std::string{command.text}});
    }
    text += "\nCOMMANDS\n" + table(rows);
    if (group.empty()) {
        std::vector<Row> names;
        for (const auto& variable : variables)
            names.push_back({std::string{variable.name}, std::string{variable.text}});
        text += "\nENVIRONMENT\n" + table(names);
        std::vector<Row> codes;
        for (const auto& code : ctl_exits()) codes.push_back({std::to_string(code.code), std::string{code.text}});
        text += "\nEXIT CODES\n" + table(codes);
    }
    return text + "\n  `entrepot ctl COMMAND --help` explains a command.\n";
}

// Text for a cell or a paragraph of Markdown.
std::string markdown(std::string_view text)
{
    std::string out;
    for (const char byte : text) {
        if (std::string_view{"|<>*_"}.contains(byte)) out += '\\';
        out += byte;
    }
    return out;
}

std::string command_reference(const CtlCommand& command)
{
    auto text = fmt::format(
        "### {}\n\n{}\n\n```\n{}\n```\n\n", command.path, markdown(sentence(command.text)), synopsis(command)
    );
    if (!command.more.empty()) text += markdown(command.more) + "\n\n";
    std::vector<Row> rows;
    for (const auto& argument : command.arguments) rows.push_back({upper(argument.name), std::string{argument.text}});
    for (const auto& option : command.options) rows.push_back({option_text(option), option_meaning(option)});
    if (!rows.empty()) {
        text += "| | |\n|---|---|\n";
        for (const auto& row : rows) text += fmt::format("| `{}` | {} |\n", row.left, markdown(row.right));
        text += "\n";
    }
    std::vector<std::string_view> traits;
    if (command.traits.lists) traits.emplace_back("lists");
    if (command.traits.shows) traits.emplace_back("output");
    if (command.traits.destroys) traits.emplace_back("asks");
    if (command.traits.remote) traits.emplace_back("server");
    if (!traits.empty()) text += "With the options of: ";
    for (std::size_t at = 0; at < traits.size(); ++at)
        text += fmt::format("{}[{}](#{})", at == 0 ? "" : ", ", traits[at], traits[at]);
    if (!traits.empty()) text += ".\n\n";
    if (!command.example.empty()) text += fmt::format("```sh\n{}\n```\n\n", command.example);
    return text;
}

std::string shared_options(std::string_view title, const CtlTraits& traits)
{
    auto text = fmt::format("### {}\n\n| | |\n|---|---|\n", title);
    for (const auto& option : all_options({.traits = traits}))
        text += fmt::format("| `{}` | {} |\n", option_text(option), markdown(option_meaning(option)));
    return text + "\n";
}

}  // namespace

std::string ctl_help(std::string_view topic)
{
    for (const auto& command : ctl_commands()) {
        if (command.path == topic) return command_help(command);
    }
    return overview(topic);
}

std::string ctl_reference()
{
    std::string text = "# The command line\n\n"
                       "Made by `entrepot ctl docs`. `entrepot ctl` works with a registry over its API: any server, as "
                       "any user or robot. Declarative files are explained in [apply.md](apply.md). The examples "
                       "suppose the users, tenants and "
                       "projects that the [walk through it](quickstart/ctl.md) makes.\n\n"
                       "## Exit codes\n\n| code | means |\n|---|---|\n";
    for (const auto& code : ctl_exits()) text += fmt::format("| {} | {} |\n", code.code, markdown(code.text));
    text += "\n## Environment\n\n| variable | means |\n|---|---|\n";
    for (const auto& variable : variables)
        text += fmt::format("| `{}` | {} |\n", variable.name, markdown(variable.text));
    text += "\n## Options that commands share\n\n";
    text += shared_options("lists", {.lists = true, .remote = false});
    text += shared_options("output", {.shows = true, .remote = false});
    text += shared_options("asks", {.destroys = true, .remote = false});
    text += shared_options("server", {});
    text += "## Commands\n\n";
    for (const auto& command : ctl_commands()) {
        if (!command.traits.hidden) text += command_reference(command);
    }
    while (text.ends_with("\n\n")) text.pop_back();
    return text;
}

}  // namespace entrepot
