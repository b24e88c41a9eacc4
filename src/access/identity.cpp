#include "access/identity.hpp"

namespace entrepot {

ActionSet TokenScopes::actions_on(std::string_view repository) const noexcept
{
    ActionSet actions = 0;
    for (const auto& entry : entries) {
        if (entry.repository == repository) actions |= entry.actions;
    }
    return actions;
}

}  // namespace entrepot
