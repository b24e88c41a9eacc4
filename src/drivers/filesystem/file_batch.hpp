#pragma once

#include "core/file_descriptor.hpp"
#include "ports/backup_target.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace entrepot {

// How a file gets the bytes of another one.
enum class FileSharing {
    blocks,  // as a copy that shares its blocks where the file system can do that, else written anew
    name     // as another name of the same file, where both are on one file system
};

// A file read from its beginning to where it ended when it was opened.
class FileReader final : public ByteReader {
public:
    FileReader(FileDescriptor file, std::uint64_t size) noexcept : file_{std::move(file)}, size_{size} {}

    std::uint64_t size() const override { return size_; }
    Result<std::size_t> read(std::span<std::byte> into) override;
    int file() const noexcept override { return file_.get(); }

private:
    FileDescriptor file_;
    std::uint64_t size_;
    std::uint64_t at_ = 0;
};

// not_found where there is no such file.
Result<std::unique_ptr<ByteReader>> open_file(int directory, const std::string& path);
Result<std::optional<std::uint64_t>> size_of_file(int directory, const std::string& path);

// New files below a directory, which get their names only when their bytes are on disk: many with one sync. Killed on
// the way, it leaves drafts alone. Blocks; one thread.
class FileBatch {
public:
    // Drafts lie in the folder `drafts` below the directory, which is made or emptied.
    static Result<FileBatch> open(const std::filesystem::path& directory, std::string drafts);
    ~FileBatch();
    FileBatch(FileBatch&&) = default;
    FileBatch& operator=(FileBatch&&) = delete;

    int directory() const noexcept { return directory_.get(); }

    Result<> put(const std::string& name, std::string_view bytes);
    // As BackupTarget::copy.
    Result<> copy(const std::string& name, ByteReader& source, const BackupTarget::Seen& seen, FileSharing sharing);
    // What was put has its name, for good. put() and copy() do it by themselves now and then.
    Result<> settle();

private:
    FileBatch(FileDescriptor directory, std::string drafts) noexcept
        : directory_{std::move(directory)}, drafts_{std::move(drafts)}
    {
    }
    Result<> keep(std::string draft, const std::string& name, std::uint64_t size);
    Result<> fill(int file, ByteReader& source, const BackupTarget::Seen& seen, bool is_shared);

    struct Draft {
        std::string draft;
        std::string name;
    };
    FileDescriptor directory_;
    std::string drafts_;
    std::vector<Draft> kept_;
    std::uint64_t kept_bytes_ = 0;
    std::uint64_t next_ = 0;
};

}  // namespace entrepot
