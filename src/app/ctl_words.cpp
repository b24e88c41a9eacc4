#include "app/ctl_words.hpp"

#include "cli/ctl.hpp"

namespace entrepot {

int run_ctl_words(const CtlWords& command)
{
    const auto io = make_process_io();
    return run_ctl(*io, command.words);
}

}  // namespace entrepot
