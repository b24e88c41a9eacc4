#include "drivers/audit_files/audit_files.hpp"

#include "drivers/audit_files/audit_file_calls.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace entrepot {
namespace {

constexpr std::string_view suffix = ".jsonl";
constexpr std::uint64_t room_step = std::uint64_t{1} << 20U;
// Where the file system can't reserve: that much must be free.
constexpr std::uint64_t free_without_reserve = std::uint64_t{32} << 20U;

std::string name_of_segment(std::uint64_t number)
{
    auto digits = std::to_string(number);
    if (digits.size() < 8) digits.insert(0, 8 - digits.size(), '0');
    return digits + std::string{suffix};
}

std::optional<std::uint64_t> segment_named(std::string_view name)
{
    if (!name.ends_with(suffix)) return std::nullopt;
    name.remove_suffix(suffix.size());
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc{} || end != name.data() + name.size() || number == 0) return std::nullopt;
    return number;
}

Result<std::vector<std::string>> names_in(const std::filesystem::path& folder)
{
    std::vector<std::string> names;
    std::error_code error;
    for (std::filesystem::directory_iterator entry{folder, error}, end; !error && entry != end;
         entry.increment(error)) {
        names.push_back(entry->path().filename().string());
    }
    if (error && error != std::errc::no_such_file_or_directory) {
        return audit_file_failure("list " + folder.string(), error.value());
    }
    std::ranges::sort(names);
    return names;
}

[[noreturn]] void refuse(const std::string& what, const std::filesystem::path& folder)
{
    throw std::runtime_error{"the audit trail in " + folder.string() + " " + what};
}

}  // namespace

Result<std::vector<std::string>> AuditFiles::instances()
{
    TRY(auto names, names_in(directory_));
    std::erase_if(names, [&](const std::string& name) {
        std::error_code ignored;
        return !std::filesystem::is_directory(directory_ / name, ignored);
    });
    return names;
}

Result<std::vector<AuditSegment>> AuditFiles::segments(const std::string& instance)
{
    const auto folder = directory_ / instance;
    TRY(const auto names, names_in(folder));
    std::vector<AuditSegment> found;
    for (const auto& name : names) {
        const auto number = segment_named(name);
        if (!number) continue;
        struct stat status{};
        if (::stat((folder / name).c_str(), &status) != 0) {
            if (errno == ENOENT) continue;
            return audit_file_failure("stat " + name);
        }
        found.push_back({*number, static_cast<std::uint64_t>(status.st_size)});
    }
    std::ranges::sort(found, {}, &AuditSegment::number);
    return found;
}

Result<std::string>
AuditFiles::read(const std::string& instance, std::uint64_t number, std::uint64_t offset, std::size_t length)
{
    const auto path = directory_ / instance / name_of_segment(number);
    const int opened = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (opened < 0 && errno == ENOENT) return fail(Errc::not_found, "there is no such audit segment");
    if (opened < 0) return audit_file_failure("open " + path.string());
    const OpenFile file{opened};
    return read_audit_file(file.descriptor(), offset, length);
}

AuditFileWriter::AuditFileWriter(const std::filesystem::path& directory, const std::string& instance)
    : folder_{directory / instance}
{
    std::error_code error;
    std::filesystem::create_directories(folder_, error);
    if (error) refuse("can't be made: " + error.message(), folder_);
    ::chmod(directory.c_str(), 0700);
    lock_.emplace(::open((folder_ / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (lock_->descriptor() < 0) refuse("can't be written: " + std::generic_category().message(errno), folder_);
    if (::flock(lock_->descriptor(), LOCK_EX | LOCK_NB) != 0) {
        throw AuditChainInUse{
            "the audit trail in " + folder_.string() +
            " is written by another process: give each instance a name of its own (instance.name)"
        };
    }
    folder_descriptor_ = ::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder_descriptor_ < 0) refuse("can't be read: " + std::generic_category().message(errno), folder_);
}

AuditFileWriter::~AuditFileWriter()
{
    close();
    if (folder_descriptor_ >= 0) ::close(folder_descriptor_);
}

Result<> AuditFileWriter::resume(std::uint64_t number, std::uint64_t length)
{
    close();
    const int file = ::openat(folder_descriptor_, name_of_segment(number).c_str(), O_RDWR | O_CLOEXEC);
    if (file < 0) return audit_file_failure("open an audit segment");
    file_ = file;
    size_ = reserved_ = length;
    struct stat status{};
    if (::fstat(file, &status) != 0) return audit_file_failure("fstat an audit segment");
    // Left alone, it keeps what was reserved behind its end.
    damaged_ = static_cast<std::uint64_t>(status.st_size) != length;
    return damaged_ ? mend() : Result<>{};
}

Result<> AuditFileWriter::begin(std::uint64_t number)
{
    const auto name = name_of_segment(number);
    const int file = ::openat(folder_descriptor_, name.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) return audit_file_failure("create an audit segment");
    auto made = reserve_in_file(file, 0, room_step, free_without_reserve);
    if (made && ::fsync(folder_descriptor_) != 0) made = audit_file_failure("fsync the audit folder");
    if (!made) {
        ::close(file);
        ::unlinkat(folder_descriptor_, name.c_str(), 0);
        return made;
    }
    close();
    file_ = file;
    size_ = 0;
    reserved_ = room_step;
    return {};
}

Result<> AuditFileWriter::append(std::string_view bytes)
{
    if (file_ < 0) return fail(Errc::unavailable, "the audit trail is closed");
    if (damaged_) CHECK(mend());
    auto written = write_audit_file(file_, size_, bytes);
    if (written && ::fdatasync(file_) != 0) written = audit_file_failure("sync the audit trail");
    if (!written) {
        damaged_ = true;
        if (const auto mended = mend(); !mended) return mended;
        return written;
    }
    size_ += bytes.size();
    reserved_ = std::max(reserved_, size_);
    return {};
}

// Cuts off what was not acknowledged; the reserve behind it goes with it.
Result<> AuditFileWriter::mend()
{
    if (::ftruncate(file_, static_cast<off_t>(size_)) != 0) return audit_file_failure("truncate the audit trail");
    if (::fsync(file_) != 0) return audit_file_failure("sync the audit trail");
    reserved_ = size_;
    damaged_ = false;
    return {};
}

std::uint64_t AuditFileWriter::room() const
{
    return file_ < 0 || damaged_ ? 0 : reserved_ - size_;
}

Result<> AuditFileWriter::make_room(std::uint64_t bytes)
{
    if (file_ < 0) return fail(Errc::unavailable, "the audit trail is closed");
    if (damaged_) CHECK(mend());
    const auto wanted = (size_ + bytes + room_step - 1) / room_step * room_step;
    if (wanted <= reserved_) return {};
    CHECK(reserve_in_file(file_, reserved_, wanted - reserved_, free_without_reserve));
    reserved_ = wanted;
    return {};
}

Result<> AuditFileWriter::remove(std::uint64_t number)
{
    const auto name = name_of_segment(number);
    if (::unlinkat(folder_descriptor_, name.c_str(), 0) != 0 && errno != ENOENT) {
        return audit_file_failure("remove an audit segment");
    }
    if (::fsync(folder_descriptor_) != 0) return audit_file_failure("fsync the audit folder");
    return {};
}

void AuditFileWriter::close()
{
    if (file_ < 0) return;
    // A cut at the end gives the reserve back; where it fails the next start does it.
    if (::ftruncate(file_, static_cast<off_t>(size_)) == 0) ::fsync(file_);
    ::close(std::exchange(file_, -1));
}

Result<std::string> AuditFileWriter::load(const std::string& name)
{
    const int opened = ::openat(folder_descriptor_, name.c_str(), O_RDONLY | O_CLOEXEC);
    if (opened < 0 && errno == ENOENT) return std::string{};
    if (opened < 0) return audit_file_failure("open " + name);
    const OpenFile file{opened};
    return read_audit_file(file.descriptor(), 0, 4096);
}

Result<> AuditFileWriter::save(const std::string& name, std::string_view text)
{
    const auto temporary = name + ".new";
    const int opened = ::openat(folder_descriptor_, temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (opened < 0) return audit_file_failure("create " + temporary);
    const OpenFile file{opened};
    CHECK(write_audit_file(opened, 0, text));
    if (::fdatasync(opened) != 0) return audit_file_failure("sync " + temporary);
    if (::renameat(folder_descriptor_, temporary.c_str(), folder_descriptor_, name.c_str()) != 0) {
        return audit_file_failure("rename " + temporary);
    }
    return {};
}

}  // namespace entrepot
