#include "agent/private_file.hpp"

#include "core/file_descriptor.hpp"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace entrepot {

namespace fs = std::filesystem;

namespace {

std::unexpected<Error> disk_failure(const fs::path& file, int number = errno)
{
    const auto code = number == ENOENT                       ? Errc::not_found
                      : number == ENOSPC || number == EDQUOT ? Errc::storage_full
                                                             : Errc::unavailable;
    const auto why = std::generic_category().message(number);
    return fail(code, "a file of the agent's can't be used", file.string() + ": " + why);
}

// On the device, under a name that nobody looks for.
Result<> write_draft(const fs::path& draft, std::string_view text)
{
    const FileDescriptor output{::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (!output) return disk_failure(draft);
    while (!text.empty()) {
        const auto count = ::write(output.get(), text.data(), text.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return disk_failure(draft);
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    if (::fsync(output.get()) != 0) return disk_failure(draft);
    return {};
}

Result<> sync_folder_of(const fs::path& file)
{
    const auto folder = file.has_parent_path() ? file.parent_path() : fs::path{"."};
    const FileDescriptor directory{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!directory || ::fsync(directory.get()) != 0) return disk_failure(folder);
    return {};
}

}  // namespace

Result<std::string> read_private_file(const fs::path& file, std::size_t most)
{
    const FileDescriptor input{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!input) return disk_failure(file);
    std::string text;
    std::string some(std::size_t{16} * 1024, '\0');
    for (;;) {
        const auto count = ::read(input.get(), some.data(), some.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return disk_failure(file);
        if (count == 0) return text;
        text.append(some, 0, static_cast<std::size_t>(count));
        if (text.size() > most)
            return fail(Errc::payload_too_large, "a file of the agent's is too long", file.string());
    }
}

Result<> make_private_file(const fs::path& file, std::string_view text, Random& random)
{
    auto draft = file;
    draft += "." + random.hex(8);
    auto made = write_draft(draft, text);
    // link() never replaces what another process made meanwhile.
    if (made && ::link(draft.c_str(), file.c_str()) != 0 && errno != EEXIST) made = disk_failure(file);
    ::unlink(draft.c_str());
    CHECK(made);
    return sync_folder_of(file);
}

Result<> replace_private_file(const fs::path& file, std::string_view text)
{
    auto draft = file;
    draft += ".new";
    // Of a process that was killed.
    ::unlink(draft.c_str());
    CHECK(write_draft(draft, text));
    if (::rename(draft.c_str(), file.c_str()) != 0) return disk_failure(file);
    return sync_folder_of(file);
}

}  // namespace entrepot
