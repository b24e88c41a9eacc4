#include "drivers/filesystem/stored_blob_files.hpp"

#include "core/bytes.hpp"
#include "drivers/filesystem/blob_tree.hpp"
#include "drivers/filesystem/posix.hpp"

#include <algorithm>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>

namespace entrepot {
namespace {

class RemovalHold final : public BackupTarget::Hold {
public:
    explicit RemovalHold(FileDescriptor lock) noexcept : lock_{std::move(lock)} {}

private:
    FileDescriptor lock_;
};

}  // namespace

Result<StoredBlobFiles> StoredBlobFiles::open_store(const std::filesystem::path& root, bool make)
{
    if (make) {
        try {
            const BlobTree made{root.string()};
        } catch (const std::runtime_error& failure) {
            return fail(Errc::unavailable, failure.what());
        }
    }
    FileDescriptor directory{::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!directory || ::faccessat(directory.get(), "layout", F_OK, 0) != 0)
        return fail(Errc::not_found, "there is no blob store in " + root.string());
    return StoredBlobFiles{root, std::move(directory)};
}

Result<std::unique_ptr<BackupTarget::Hold>> StoredBlobFiles::hold_removals()
{
    TRY(auto lock, lock_blob_removal(root_.get()));
    return std::make_unique<RemovalHold>(std::move(lock));
}

Result<std::unique_ptr<ByteReader>> StoredBlobFiles::open(const Digest& digest)
{
    auto file = open_file(root_.get(), path_of_blob(digest));
    if (!file && file.error().code() == Errc::not_found)
        return fail(Errc::blob_unknown, "the blob " + digest.text() + " is not there");
    return file;
}

Result<std::optional<std::uint64_t>> StoredBlobFiles::find(const Digest& digest)
{
    return size_of_file(root_.get(), path_of_blob(digest));
}

Result<> StoredBlobFiles::take_in(const Digest& digest, ByteReader& source, const BackupTarget::Seen& seen)
{
    if (!batch_) {
        TRY(auto opened, FileBatch::open(path_, "restoring"));
        batch_.emplace(std::move(opened));
    }
    return batch_->copy(path_of_blob(digest), source, seen, FileSharing::blocks);
}

Result<> StoredBlobFiles::settle()
{
    return batch_ ? batch_->settle() : Result<>{};
}

Result<std::vector<std::string>> DirectoryFiles::list()
{
    std::vector<std::string> found;
    std::error_code error;
    std::filesystem::recursive_directory_iterator entry{directory_, error};
    if (error == std::errc::no_such_file_or_directory) return found;
    for (; !error && entry != std::filesystem::recursive_directory_iterator{}; entry.increment(error)) {
        if (!entry->is_regular_file(error) || !wanted_(entry->path().filename().native())) continue;
        found.push_back(entry->path().lexically_relative(directory_).string());
    }
    if (error) return system_failure("list " + directory_.string(), error.value());
    std::ranges::sort(found);
    return found;
}

Result<std::unique_ptr<ByteReader>> DirectoryFiles::open(const std::string& path)
{
    return open_file(AT_FDCWD, (directory_ / path).string());
}

Result<> DirectoryFiles::write(const std::string& path, const std::function<Result<std::string>()>& next_piece)
{
    const auto file = directory_ / path;
    std::error_code error;
    std::filesystem::create_directories(file.parent_path(), error);
    if (error) return system_failure("create " + file.parent_path().string(), error.value());
    const FileDescriptor output{::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    if (!output) return system_failure("create " + file.string());
    std::uint64_t at = 0;
    for (;;) {
        TRY(const auto piece, next_piece());
        if (piece.empty()) break;
        CHECK(write_all(output.get(), as_bytes(piece), at));
        at += piece.size();
    }
    CHECK(sync_data(output.get()));
    return sync_directory(AT_FDCWD, file.parent_path().c_str());
}

}  // namespace entrepot
