#pragma once

#include "core/bytes.hpp"
#include "core/error.hpp"

#include <filesystem>

namespace entrepot {

// The directory that holds everything of one installation, made where it is missing and locked while this object
// lives: a second process on it is refused. So is a server while a restore into it is not finished.
class DataDirectory {
public:
    enum class Use { serving, restoring };

    // Throws std::runtime_error, saying which directory and why.
    explicit DataDirectory(const std::filesystem::path& path, Use use = Use::serving);

    const std::filesystem::path& path() const noexcept { return path_; }

    // A restore marks it before it writes anything, and when all is there. Durable. storage_full, unavailable.
    bool is_unfinished() const;
    Result<> mark_unfinished() const;
    Result<> mark_finished() const;

private:
    std::filesystem::path path_;
    OpenFile lock_;
};

}  // namespace entrepot
