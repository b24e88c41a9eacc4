#include "app/data_directory.hpp"

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace entrepot {
namespace {

int locked_descriptor(const std::filesystem::path& directory)
{
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error)
        throw std::runtime_error{"can't create the data directory " + directory.string() + ": " + error.message()};
    const auto file = (directory / "lock").string();
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) {
        throw std::runtime_error{
            "can't write to the data directory: " + file + ": " + std::generic_category().message(errno)
        };
    }
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        ::close(descriptor);
        throw std::runtime_error{"the data directory " + directory.string() + " is in use by another process"};
    }
    return descriptor;
}

}  // namespace

DataDirectory::DataDirectory(const std::filesystem::path& path) : path_{path}, lock_{locked_descriptor(path)} {}

}  // namespace entrepot
