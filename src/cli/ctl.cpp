#include "cli/ctl.hpp"

#include "cli/ctl_command.hpp"
#include "cli/ctl_help.hpp"
#include "cli/ctl_line.hpp"
#include "cli/ctl_run.hpp"

#include <fmt/format.h>

namespace entrepot {
namespace {

// What the line calls the user, project … that the server says is not there; empty when it is not clear.
std::string name_of_missing(const CtlLine& line, std::string_view noun)
{
    std::vector<std::string> names;
    for (const auto& [word, values] : line.values) {
        for (const auto& value : values) {
            const bool within = noun == "project" && value.contains('/') &&
                                (word == "artifact" || word == "repository" || word == "from" || word == "to");
            const bool end = (word == "subject" || word == "object") && value.starts_with(std::string{noun} + ":");
            const bool person = noun == "user" && (word == "admin" || (word == "name" && line.has("project")));
            if (within)
                names.push_back(value.substr(0, value.find('/')));
            else if (end)
                names.push_back(value.substr(noun.size() + 1));
            else if (word == noun || person)
                names.push_back(value);
        }
    }
    return names.size() == 1 ? names.front() : std::string{};
}

// "there is no such user" → "there is no user eve".
std::string message_for(const Error& error, const CtlLine& line)
{
    constexpr std::string_view mark = "no such ";
    const std::string& message = error.message();
    const auto at = message.find(mark);
    if (error.code() != Errc::not_found || at == message.npos) return message;
    const auto noun = message.substr(at + mark.size());
    const auto name = name_of_missing(line, noun);
    return name.empty() ? message : fmt::format("there is no {} {}", noun, name);
}

}  // namespace

int run_ctl(CtlIo& io, std::span<const std::string> words)
{
    const auto line = parse_ctl_line(words);
    if (!line) {
        io.error(fmt::format("entrepot: {}\n", line.error().message()));
        return ctl_exit_code(line.error().code());
    }
    if (line->command == nullptr) {
        io.out(ctl_help(line->topic));
        return ctl_exit::success;
    }
    CtlRun run{io, *line};
    const auto done = line->command->run(run);
    if (done) return *done;
    io.error(fmt::format("entrepot: {}\n", message_for(done.error(), *line)));
    return ctl_exit_code(done.error().code());
}

}  // namespace entrepot
