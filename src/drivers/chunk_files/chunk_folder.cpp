#include "drivers/chunk_files/chunk_folder.hpp"

#include "core/bytes.hpp"
#include "swarm/crypto/sha256_stream.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace entrepot {
namespace {

constexpr const char* version_name = "format";
constexpr std::string_view version = "1\n";
constexpr const char* lock_name = "lock";
constexpr const char* index_folder = "index";
constexpr const char* partial_folder = "partial";
constexpr const char* complete_folder = "blobs";
constexpr std::string_view draft_suffix = ".new";
constexpr std::size_t most_named = 20;

using Names = std::unordered_set<std::string>;

bool is_blob_name(std::string_view name) noexcept
{
    return name.size() == 2 * sizeof(Sha256) &&
           std::ranges::all_of(name, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Result<FileDescriptor> open_folder(int base, const char* name)
{
    if (::mkdirat(base, name, 0700) != 0 && errno != EEXIST) return chunk_disk_failure("create a directory");
    FileDescriptor folder{::openat(base, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!folder) return chunk_disk_failure("open a directory");
    return folder;
}

// One that holds something foreign stays, and one that is gone already is fine.
Result<> remove_folder(int base, const char* name)
{
    if (::unlinkat(base, name, AT_REMOVEDIR) == 0 || errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST)
        return {};
    return chunk_disk_failure("remove a directory");
}

// Calls look(name, is_file) for each entry but "." and "..".
template <class Look>
Result<> list(int folder, Look look)
{
    FileDescriptor own{::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!own) return chunk_disk_failure("open a directory");
    const std::unique_ptr<DIR, int (*)(DIR*)> listing{::fdopendir(own.get()), ::closedir};
    if (!listing) return chunk_disk_failure("list a directory");
    own.release();
    errno = 0;
    while (const auto* entry = ::readdir(listing.get())) {
        const std::string name{entry->d_name};
        if (name == "." || name == "..") continue;
        bool is_file = entry->d_type == DT_REG;
        if (entry->d_type == DT_UNKNOWN) {
            struct stat status{};
            is_file = ::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode);
        }
        CHECK(look(name, is_file));
        errno = 0;
    }
    if (errno != 0) return chunk_disk_failure("read a directory");
    return {};
}

void note_foreign(ChunkFolder::Content& content, std::string path)
{
    ++content.foreign;
    if (content.strange.size() < most_named) content.strange.push_back(std::move(path));
}

Result<Names> names_of(int folder, std::string_view title, ChunkFolder::Content& content)
{
    Names names;
    CHECK(list(folder, [&](const std::string& name, bool is_file) -> Result<> {
        if (is_file && is_blob_name(name)) {
            names.insert(name);
        } else if (is_file && name.ends_with(draft_suffix) &&
                   is_blob_name(std::string_view{name}.substr(0, name.size() - draft_suffix.size()))) {
            ++content.leftovers;
            return remove_chunk_file(folder, name);
        } else {
            note_foreign(content, std::string{title} + '/' + name);
        }
        return {};
    }));
    return names;
}

// What the index called `name` says of a blob whose data are in `data`; corrupt where it can't be trusted.
Result<ChunkFolder::Found> read_entry(int index, int data, const std::string& name, bool is_complete)
{
    TRY(const auto file, open_chunk_file(index, name));
    std::array<std::byte, chunk_index_head_bytes> head{};
    TRY(const auto count, read_chunk_file(file.get(), head, 0));
    TRY(const auto blob, parse_chunk_index_head(std::span{head}.first(count)));
    const ChunkIndexShape shape{blob};
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) return chunk_disk_failure("look at an index");
    const auto last_used = Micros{status.st_mtim.tv_sec} * 1'000'000 + status.st_mtim.tv_nsec / 1000;
    if (static_cast<std::uint64_t>(status.st_size) != shape.bytes || chunk_file_name(blob.digest) != name) {
        return fail(Errc::corrupt, "an index of the chunk store is damaged", "it has another size or name");
    }
    if (::fstatat(data, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return chunk_disk_failure("look at a blob");
    if (static_cast<std::uint64_t>(status.st_size) != blob.size) {
        return fail(Errc::corrupt, "a file of the chunk store is damaged", "it has another size than its index says");
    }
    ChunkFolder::Found found{
        .blob = blob, .is_complete = is_complete, .slot = {.here = ChunkSet{0}}, .last_used = last_used
    };
    if (is_complete) return found;
    std::vector<std::byte> slots(2 * shape.slot_bytes);
    TRY(const auto slots_read, read_chunk_file(file.get(), slots, shape.slots_offset));
    TRY(found.slot, parse_chunk_index_slots(blob, std::span{slots}.first(slots_read)));
    return found;
}

}  // namespace

std::string chunk_file_name(const Sha256& digest)
{
    return to_hex(as_bytes(digest));
}

Result<ChunkFolder> ChunkFolder::open(const std::filesystem::path& root, ChunkDisk& disk)
{
    std::error_code error;
    std::filesystem::create_directories(root, error);
    if (error) return chunk_disk_failure("create " + root.string(), error.value());
    ChunkFolder folder;
    TRY(folder.root_, open_folder(AT_FDCWD, root.c_str()));
    folder.lock_ = FileDescriptor{::openat(folder.root(), lock_name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)};
    if (!folder.lock_) return chunk_disk_failure("open the chunk store's lock");
    struct flock whole{};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    if (::fcntl(folder.lock_.get(), F_OFD_SETLK, &whole) != 0) {
        if (errno != EAGAIN && errno != EACCES) return chunk_disk_failure("lock the chunk store");
        return fail(Errc::conflict, "another process uses the chunk store", root.string());
    }
    CHECK(folder.check_version(disk));
    TRY(folder.index_, open_folder(folder.root(), index_folder));
    TRY(folder.partial_, open_folder(folder.root(), partial_folder));
    TRY(folder.complete_, open_folder(folder.root(), complete_folder));
    return folder;
}

// Written before anything that it speaks of, under its name only when it is whole.
Result<> ChunkFolder::check_version(ChunkDisk& disk) const
{
    const FileDescriptor file{::openat(root(), version_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
    if (!file && errno != ENOENT) return chunk_disk_failure("open the chunk store's version");
    if (file) {
        std::array<std::byte, 16> text{};
        TRY(const auto count, read_chunk_file(file.get(), text, 0));
        if (as_text(std::span{text}.first(count)) == version) return {};
        return fail(Errc::unsupported, "the chunk store was written by another version", "it is left as it is");
    }
    const auto draft = std::string{version_name} + std::string{draft_suffix};
    TRY(const auto written, disk.create(root(), draft, 0));
    CHECK(disk.write(written.get(), as_bytes(version), 0));
    CHECK(disk.sync(written.get()));
    return disk.rename(root(), draft, root(), version_name);
}

Result<ChunkFolder::Content> ChunkFolder::scan() const
{
    Content content;
    CHECK(list(root(), [&](const std::string& name, bool) -> Result<> {
        constexpr std::array<std::string_view, 6> ours{
            version_name, lock_name, index_folder, partial_folder, complete_folder, "format.new"
        };
        if (std::ranges::find(ours, name) == ours.end()) note_foreign(content, name);
        return {};
    }));
    TRY(const auto indexes, names_of(index(), index_folder, content));
    TRY(auto partials, names_of(partial(), partial_folder, content));
    TRY(auto completes, names_of(complete(), complete_folder, content));
    content.blobs.reserve(indexes.size());
    for (const auto& name : indexes) {
        const bool is_complete = completes.contains(name);
        if (!is_complete && !partials.contains(name)) {
            ++content.leftovers;
            CHECK(remove_chunk_file(index(), name));
            continue;
        }
        auto found = read_entry(index(), is_complete ? complete() : partial(), name, is_complete);
        if (!found) {
            if (found.error().code() != Errc::corrupt) return std::unexpected{std::move(found).error()};
            ++content.damaged;
            CHECK(remove_chunk_file(index(), name));
            CHECK(remove_chunk_file(is_complete ? complete() : partial(), name));
        } else {
            content.blobs.push_back(*std::move(found));
        }
        (is_complete ? completes : partials).erase(name);
    }
    // Data without an index: their blob was about to be begun, or removed.
    for (const auto& [folder, names] : {std::pair{partial(), &partials}, std::pair{complete(), &completes}}) {
        for (const auto& name : *names) CHECK(remove_chunk_file(folder, name));
        content.leftovers += names->size();
    }
    return content;
}

Result<> ChunkFolder::remove(const std::filesystem::path& root) const
{
    Content content;
    for (const int folder : {index(), partial(), complete()}) {
        TRY(const auto names, names_of(folder, {}, content));
        for (const auto& name : names) CHECK(remove_chunk_file(folder, name));
    }
    for (const auto* name : {index_folder, partial_folder, complete_folder}) CHECK(remove_folder(this->root(), name));
    // Last what makes it a store, so that what was interrupted can be done again.
    for (const auto* name : {"format.new", version_name, lock_name}) CHECK(remove_chunk_file(this->root(), name));
    return remove_folder(AT_FDCWD, root.c_str());
}

}  // namespace entrepot
