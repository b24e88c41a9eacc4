#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace entrepot {

// For tests: an empty directory that is removed with its owner.
class ScratchDirectory {
public:
    ScratchDirectory()
    {
        auto pattern = (std::filesystem::temp_directory_path() / "entrepot-blobs-XXXXXX").string();
        if (!::mkdtemp(pattern.data())) throw std::runtime_error{"no scratch directory"};
        path_ = pattern;
    }
    ~ScratchDirectory()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;

    const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace entrepot
