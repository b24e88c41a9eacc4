#pragma once

#include <array>
#include <string>

#include <unistd.h>

namespace entrepot {

// The machine's; empty where it doesn't say.
inline std::string host_name()
{
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

}  // namespace entrepot
