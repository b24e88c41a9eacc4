#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace entrepot {

// For tests: a directory of their own, gone with it.
class TestFolder {
public:
    TestFolder()
    {
        auto name = (std::filesystem::temp_directory_path() / "entrepot-agent-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"no temporary directory"};
        path_ = name;
    }
    ~TestFolder()
    {
        std::error_code unimportant;
        std::filesystem::remove_all(path_, unimportant);
    }
    TestFolder(const TestFolder&) = delete;
    TestFolder& operator=(const TestFolder&) = delete;

    const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace entrepot
