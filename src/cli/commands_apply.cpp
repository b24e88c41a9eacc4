#include "cli/ctl_tables.hpp"

namespace entrepot {

std::vector<CtlCommand> apply_commands()
{
    return {};
}

}  // namespace entrepot
