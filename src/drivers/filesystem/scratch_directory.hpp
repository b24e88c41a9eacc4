#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace entrepot {

// Where tests that don't need a device keep their files.
inline std::filesystem::path memory_or_disk()
{
    const std::filesystem::path memory{"/dev/shm"};
    return std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
}

// For tests: an empty directory that is removed with its owner.
class ScratchDirectory {
public:
    explicit ScratchDirectory(const std::filesystem::path& parent = std::filesystem::temp_directory_path())
    {
        auto pattern = (parent / "entrepot-blobs-XXXXXX").string();
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
