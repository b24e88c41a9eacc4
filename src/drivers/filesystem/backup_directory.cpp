#include "drivers/filesystem/backup_directory.hpp"

#include "drivers/filesystem/posix.hpp"

#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>

namespace entrepot {
namespace {

class FileHold final : public BackupTarget::Hold {
public:
    explicit FileHold(FileDescriptor file) noexcept : file_{std::move(file)} {}

private:
    FileDescriptor file_;
};

}  // namespace

BackupDirectory::BackupDirectory(std::filesystem::path directory, FileSharing sharing)
    : directory_{std::move(directory)}, sharing_{sharing}
{
}

Result<std::optional<std::uint64_t>> BackupDirectory::find(const std::string& name)
{
    return size_of_file(AT_FDCWD, (directory_ / name).string());
}

Result<std::unique_ptr<ByteReader>> BackupDirectory::open(const std::string& name)
{
    return open_file(AT_FDCWD, (directory_ / name).string());
}

Result<FileBatch*> BackupDirectory::batch()
{
    if (batch_) return &*batch_;
    TRY(auto opened, FileBatch::open(directory_, "drafts"));
    batch_.emplace(std::move(opened));
    return &*batch_;
}

Result<> BackupDirectory::put(const std::string& name, std::string_view bytes)
{
    TRY(auto* const files, batch());
    return files->put(name, bytes);
}

Result<> BackupDirectory::copy(const std::string& name, ByteReader& source, const Seen& seen)
{
    TRY(auto* const files, batch());
    return files->copy(name, source, seen, sharing_);
}

Result<> BackupDirectory::settle()
{
    return batch_ ? batch_->settle() : Result<>{};
}

Result<> BackupDirectory::list(const std::string& folder, const std::function<Result<>(std::string_view name)>& each)
{
    std::error_code error;
    const auto top = directory_ / folder;
    std::filesystem::recursive_directory_iterator entry{top, error};
    if (error == std::errc::no_such_file_or_directory) return {};
    const auto prefix = top.string().size() + 1;
    for (; !error && entry != std::filesystem::recursive_directory_iterator{}; entry.increment(error)) {
        if (entry->is_directory(error)) continue;
        CHECK(each(std::string_view{entry->path().native()}.substr(prefix)));
    }
    if (error) return system_failure("list " + top.string(), error.value());
    return {};
}

Result<> BackupDirectory::remove(const std::string& name)
{
    const auto path = directory_ / name;
    if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
    return system_failure("remove " + path.string());
}

Result<std::unique_ptr<BackupTarget::Hold>> BackupDirectory::hold(Use use)
{
    const bool writes = use == Use::writing;
    std::error_code error;
    if (writes) std::filesystem::create_directories(directory_, error);
    if (error) return system_failure("create " + directory_.string(), error.value());
    const auto path = directory_ / "lock";
    FileDescriptor file{::open(path.c_str(), writes ? O_RDWR | O_CREAT | O_CLOEXEC : O_RDONLY | O_CLOEXEC, 0600)};
    if (!file && errno == ENOENT) return fail(Errc::not_found, "there are no backups in " + directory_.string());
    if (!file) return system_failure("open " + path.string());
    if (::flock(file.get(), (writes ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return system_failure("lock " + path.string());
        return fail(Errc::conflict, "another process works with the backups in " + directory_.string());
    }
    return std::make_unique<FileHold>(std::move(file));
}

}  // namespace entrepot
