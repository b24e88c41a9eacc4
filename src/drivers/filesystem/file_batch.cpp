#include "drivers/filesystem/file_batch.hpp"

#include "core/bytes.hpp"
#include "drivers/filesystem/posix.hpp"

#include <algorithm>
#include <system_error>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

namespace entrepot {
namespace {

constexpr std::size_t most_kept = 512;
constexpr std::uint64_t most_kept_bytes = 256U << 20U;
constexpr std::size_t piece_size = 1U << 20U;

// The folders above `path`.
Result<> make_folders(int directory, const std::string& path)
{
    for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
        if (::mkdirat(directory, path.substr(0, slash).c_str(), 0700) != 0 && errno != EEXIST)
            return system_failure("create a directory");
    }
    return {};
}

// Whether both are one file now, or share their blocks.
bool share_blocks(int file, int source) noexcept
{
    return source >= 0 && ::ioctl(file, FICLONE, source) == 0;
}

bool link_file(int source, int directory, const std::string& name)
{
    const auto from = "/proc/self/fd/" + std::to_string(source);
    return source >= 0 && ::linkat(AT_FDCWD, from.c_str(), directory, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
}

}  // namespace

Result<std::size_t> FileReader::read(std::span<std::byte> into)
{
    const auto left = std::min<std::uint64_t>(into.size(), size_ - at_);
    TRY(const auto count, read_some(file_.get(), into.first(left), at_));
    at_ += count;
    return count;
}

Result<std::unique_ptr<ByteReader>> open_file(int directory, const std::string& path)
{
    FileDescriptor file{::openat(directory, path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file && errno == ENOENT) return fail(Errc::not_found, "there is no " + path);
    if (!file) return system_failure("open " + path);
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) return system_failure("fstat " + path);
    ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
    return std::make_unique<FileReader>(std::move(file), static_cast<std::uint64_t>(status.st_size));
}

Result<std::optional<std::uint64_t>> size_of_file(int directory, const std::string& path)
{
    struct stat status{};
    if (::fstatat(directory, path.c_str(), &status, 0) == 0) return static_cast<std::uint64_t>(status.st_size);
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    return system_failure("fstat " + path);
}

Result<FileBatch> FileBatch::open(const std::filesystem::path& directory, std::string drafts)
{
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) return system_failure("create " + directory.string(), error.value());
    FileDescriptor root{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!root) return system_failure("open " + directory.string());
    const auto folder = directory / drafts;
    std::filesystem::remove_all(folder, error);
    if (error) return system_failure("empty " + folder.string(), error.value());
    if (::mkdirat(root.get(), drafts.c_str(), 0700) != 0) return system_failure("create " + folder.string());
    return FileBatch{std::move(root), std::move(drafts)};
}

FileBatch::~FileBatch()
{
    if (!directory_) return;
    for (const auto& kept : kept_) ::unlinkat(directory_.get(), kept.draft.c_str(), 0);
    ::unlinkat(directory_.get(), drafts_.c_str(), AT_REMOVEDIR);
}

Result<> FileBatch::put(const std::string& name, std::string_view bytes)
{
    auto draft = drafts_ + '/' + std::to_string(next_++);
    const FileDescriptor file{::openat(directory_.get(), draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    if (!file) return system_failure("create " + draft);
    if (auto written = write_all(file.get(), as_bytes(bytes), 0); !written) {
        ::unlinkat(directory_.get(), draft.c_str(), 0);
        return written;
    }
    return keep(std::move(draft), name, bytes.size());
}

Result<>
FileBatch::copy(const std::string& name, ByteReader& source, const BackupTarget::Seen& seen, FileSharing sharing)
{
    auto draft = drafts_ + '/' + std::to_string(next_++);
    bool is_shared = sharing == FileSharing::name && link_file(source.file(), directory_.get(), draft);
    FileDescriptor file;
    if (!is_shared) {
        constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
        file = FileDescriptor{::openat(directory_.get(), draft.c_str(), flags, 0600)};
        if (!file) return system_failure("create " + draft);
        is_shared = share_blocks(file.get(), source.file());
    }
    if (auto filled = fill(file.get(), source, seen, is_shared); !filled) {
        ::unlinkat(directory_.get(), draft.c_str(), 0);
        return filled;
    }
    return keep(std::move(draft), name, is_shared ? 0 : source.size());
}

// Also what is shared is read, for whoever checks it.
Result<> FileBatch::fill(int file, ByteReader& source, const BackupTarget::Seen& seen, bool is_shared)
{
    std::vector<std::byte> buffer(std::clamp<std::size_t>(source.size(), 1, piece_size));
    std::uint64_t at = 0;
    for (;;) {
        TRY(const auto count, source.read(buffer));
        const auto piece = std::span{buffer}.first(count);
        CHECK(seen(piece, count == 0));
        if (count == 0) return {};
        if (!is_shared) CHECK(write_all(file, piece, at));
        at += count;
    }
}

Result<> FileBatch::keep(std::string draft, const std::string& name, std::uint64_t size)
{
    kept_.push_back({std::move(draft), name});
    kept_bytes_ += size;
    if (kept_.size() >= most_kept || kept_bytes_ >= most_kept_bytes) return settle();
    return {};
}

Result<> FileBatch::settle()
{
    if (kept_.empty()) return {};
    if (::syncfs(directory_.get()) != 0) return system_failure("sync the file system");
    for (const auto& kept : kept_) {
        const auto rename = [&] {
            return ::renameat(directory_.get(), kept.draft.c_str(), directory_.get(), kept.name.c_str()) == 0;
        };
        if (rename()) continue;
        if (errno != ENOENT) return system_failure("rename to " + kept.name);
        CHECK(make_folders(directory_.get(), kept.name));
        if (!rename()) return system_failure("rename to " + kept.name);
    }
    kept_.clear();
    kept_bytes_ = 0;
    if (::syncfs(directory_.get()) != 0) return system_failure("sync the file system");
    return {};
}

}  // namespace entrepot
