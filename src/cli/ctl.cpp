#include "cli/ctl.hpp"

#include "cli/ctl_command.hpp"
#include "cli/ctl_help.hpp"
#include "cli/ctl_line.hpp"
#include "cli/ctl_run.hpp"

#include <fmt/format.h>

namespace entrepot {

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
    io.error(fmt::format("entrepot: {}\n", done.error().message()));
    return ctl_exit_code(done.error().code());
}

}  // namespace entrepot
