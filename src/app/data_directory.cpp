#include "app/data_directory.hpp"

#include "core/file_descriptor.hpp"

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

std::filesystem::path mark_in(const std::filesystem::path& directory)
{
    return directory / "restore.unfinished";
}

std::unexpected<Error> mark_failure(const std::filesystem::path& directory)
{
    const int number = errno;
    return fail(
        number == ENOSPC || number == EDQUOT ? Errc::storage_full : Errc::unavailable,
        "can't write to the data directory " + directory.string(),
        std::generic_category().message(number)
    );
}

Result<> sync_folder(const std::filesystem::path& directory)
{
    const FileDescriptor folder{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!folder || ::fsync(folder.get()) != 0) return mark_failure(directory);
    return {};
}

}  // namespace

DataDirectory::DataDirectory(const std::filesystem::path& path, Use use) : path_{path}, lock_{locked_descriptor(path)}
{
    if (use == Use::restoring || !is_unfinished()) return;
    throw std::runtime_error{
        "a restore into " + path.string() +
        " has not finished: run `entrepot restore` again, or begin with an empty directory"
    };
}

bool DataDirectory::is_unfinished() const
{
    std::error_code error;
    return std::filesystem::exists(mark_in(path_), error);
}

Result<> DataDirectory::mark_unfinished() const
{
    const FileDescriptor file{::open(mark_in(path_).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
    if (!file || ::fsync(file.get()) != 0) return mark_failure(path_);
    return sync_folder(path_);
}

Result<> DataDirectory::mark_finished() const
{
    if (::unlink(mark_in(path_).c_str()) != 0 && errno != ENOENT) return mark_failure(path_);
    return sync_folder(path_);
}

}  // namespace entrepot
