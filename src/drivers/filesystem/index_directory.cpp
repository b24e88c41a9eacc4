#include "drivers/filesystem/index_directory.hpp"

#include "core/bytes.hpp"
#include "drivers/filesystem/posix.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace entrepot {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view ending = ".log";
constexpr std::uint64_t longest_segment = 256U << 20U;

std::optional<std::int64_t> number_of(std::string_view name)
{
    if (!name.ends_with(ending)) return std::nullopt;
    name.remove_suffix(ending.size());
    std::int64_t number = 0;
    const auto [end, wrong] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (wrong != std::errc{} || end != name.data() + name.size() || number < 1) return std::nullopt;
    return number;
}

}  // namespace

fs::path IndexDirectory::path_of(std::int64_t segment) const
{
    return directory_ / (std::to_string(segment) + std::string{ending});
}

Result<bool> IndexDirectory::hold()
{
    if (lock_) return true;
    std::error_code error;
    const bool is_new = fs::create_directories(directory_, error);
    if (error) return system_failure("create " + directory_.string(), error.value());
    // The rows of all that have passwords lie here and beside it.
    for (const auto& path : {directory_, directory_.parent_path()}) {
        if (is_new && ::chmod(path.c_str(), 0700) != 0) return system_failure("chmod " + path.string());
    }
    const auto path = directory_ / "lock";
    FileDescriptor file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    if (!file) return system_failure("open " + path.string());
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) return false;
        return system_failure("lock " + path.string());
    }
    if (is_new) CHECK(sync_directory(AT_FDCWD, directory_.parent_path().c_str()));
    lock_ = std::move(file);
    return true;
}

Result<std::vector<std::int64_t>> IndexDirectory::segments()
{
    std::vector<std::int64_t> numbers;
    std::error_code error;
    for (fs::directory_iterator entry{directory_, error}, end; !error && entry != end; entry.increment(error)) {
        if (const auto number = number_of(entry->path().filename().string())) numbers.push_back(*number);
    }
    if (error && error != std::errc::no_such_file_or_directory)
        return system_failure("read " + directory_.string(), error.value());
    std::ranges::sort(numbers);
    return numbers;
}

Result<std::string> IndexDirectory::read(std::int64_t segment)
{
    const auto path = path_of(segment);
    const FileDescriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file && errno == ENOENT) return fail(Errc::not_found, "there is no segment " + path.string());
    struct stat about{};
    if (!file || ::fstat(file.get(), &about) != 0) return system_failure("open " + path.string());
    const auto size = static_cast<std::uint64_t>(about.st_size);
    if (size > longest_segment) return fail(Errc::corrupt, "the segment " + path.string() + " is too long");
    std::string bytes(size, '\0');
    TRY(const auto count, read_some(file.get(), std::as_writable_bytes(std::span{bytes}), 0));
    bytes.resize(count);
    return bytes;
}

Result<> IndexDirectory::begin(std::int64_t segment, std::string_view bytes)
{
    const auto path = path_of(segment);
    FileDescriptor file{::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    if (!file) return system_failure("make " + path.string());
    CHECK(write_all(file.get(), as_bytes(bytes), 0));
    CHECK(sync_data(file.get()));
    CHECK(sync_directory(AT_FDCWD, directory_.c_str()));
    file_ = std::move(file);
    size_ = bytes.size();
    is_torn_ = false;
    return {};
}

Result<> IndexDirectory::append(std::string_view bytes)
{
    if (is_torn_ && ::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0) return system_failure("ftruncate");
    is_torn_ = true;
    auto written = write_all(file_.get(), as_bytes(bytes), size_);
    if (written) written = sync_data(file_.get());
    if (!written) {
        is_torn_ = ::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0;
        return written;
    }
    size_ += bytes.size();
    is_torn_ = false;
    return {};
}

Result<> IndexDirectory::remove(std::int64_t segment)
{
    if (::unlink(path_of(segment).c_str()) != 0 && errno != ENOENT) return system_failure("remove a segment");
    return {};
}

}  // namespace entrepot
