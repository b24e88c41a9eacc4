#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

inline constexpr std::size_t most_sources = 16;  // of a project

// A project in which pulls of another one look as well (docs/decisions/0026-virtual-repositories.md).
struct ProjectSource {
    std::int64_t project_id = 0;              // 0: the project whose source this is, which else comes first
    std::vector<std::string> repositories{};  // patterns (doublestar) of names below the project; none: all
    std::vector<std::string> except{};        // of names that are never looked for there
    bool optional = false;                    // a tag is looked for further on while this one can't answer

    bool covers(std::string_view path) const noexcept;
};

}  // namespace entrepot
