#pragma once

#include "core/bytes.hpp"

#include <filesystem>

namespace entrepot {

// The directory that holds everything of one installation, made where it is missing and locked while this object
// lives: a second process on it is refused.
class DataDirectory {
public:
    // Throws std::runtime_error, saying which directory and why.
    explicit DataDirectory(const std::filesystem::path& path);

    const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
    OpenFile lock_;
};

}  // namespace entrepot
