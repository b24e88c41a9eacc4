#include "drivers/filesystem/blob_tree.hpp"

#include "core/bytes.hpp"

#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

namespace entrepot {
namespace {

constexpr const char* layout_name = "layout";
constexpr std::string_view layout_version = "1\n";
constexpr const char* quarantine_name = "quarantine";
constexpr int most_slots = 1024;

// Where the blob's file lies.
std::string directory_of(const Digest& digest)
{
    return std::string{name_of(digest.algorithm())} + '/' + std::string{digest.hex().substr(0, 2)};
}

void sync_or_throw(int base, const char* path)
{
    if (const auto synced = sync_directory(base, path); !synced) {
        throw std::runtime_error{"can't sync the blob store: " + synced.error().detail()};
    }
}

// Every missing directory of the way, each made durable in its parent.
void make_root(const std::filesystem::path& root)
{
    if (std::filesystem::is_directory(root)) return;
    const auto parent = root.has_parent_path() ? root.parent_path() : std::filesystem::path{"."};
    if (parent != root) make_root(parent);
    make_directory(AT_FDCWD, root.c_str());
    sync_or_throw(AT_FDCWD, parent.c_str());
}

// The directories "00" to "ff" of one algorithm, made durable together.
Result<> make_fan_out(int root, DigestAlgorithm algorithm)
{
    const std::string top{name_of(algorithm)};
    const auto make = [root](const std::string& path) {
        return ::mkdirat(root, path.c_str(), 0700) == 0 || errno == EEXIST;
    };
    if (!make(top)) return system_failure("create a directory");
    for (unsigned index = 0; index < 256; ++index) {
        const std::array byte{static_cast<std::byte>(index)};
        if (!make(top + '/' + to_hex(byte))) return system_failure("create a directory");
    }
    CHECK(sync_directory(root, top.c_str()));
    return sync_directory(root, ".");
}

void write_layout_version(int root)
{
    const FileDescriptor file{::openat(root, layout_name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
    if (!file) throw_system_error("create", layout_name);
    auto written = write_all(file.get(), as_bytes(layout_version), 0);
    if (written) written = sync_data(file.get());
    if (!written) throw std::runtime_error{"can't write the blob store's layout: " + written.error().detail()};
    sync_or_throw(root, ".");
}

// True for a store that is complete. Another layout's bytes must not be touched.
bool has_layout(int root)
{
    const FileDescriptor file{::openat(root, layout_name, O_RDONLY | O_CLOEXEC)};
    if (!file) return false;
    std::array<std::byte, 16> text{};
    const auto count = read_some(file.get(), text, 0);
    if (!count) throw std::runtime_error{"can't read the blob store's layout: " + count.error().detail()};
    if (*count == 0) return false;
    if (as_text(std::span{text}.first(*count)) != layout_version) {
        throw std::runtime_error{"the blob store was written by a newer version"};
    }
    return true;
}

void remove_files_in(int directory)
{
    std::unique_ptr<DIR, int (*)(DIR*)> listing{::fdopendir(open_directory(directory, ".").release()), ::closedir};
    if (!listing) throw_system_error("list", "a temporary directory");
    while (const auto* entry = ::readdir(listing.get())) {
        if (entry->d_name[0] == '.') continue;
        if (::unlinkat(directory, entry->d_name, 0) != 0) throw_system_error("remove", entry->d_name);
    }
}

}  // namespace

std::string path_of_blob(const Digest& digest)
{
    return directory_of(digest) + '/' + std::string{digest.hex()};
}

Result<FileDescriptor> lock_blob_removal(int root)
{
    FileDescriptor file{::openat(root, "removal.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    if (!file) return system_failure("open the lock of removals");
    TRY(const bool locked, try_lock(file.get()));
    if (!locked) return fail(Errc::conflict, "blobs are being removed already");
    return file;
}

BlobTree::BlobTree(const std::string& root)
{
    make_root(root);
    root_ = open_directory(AT_FDCWD, root.c_str());
    create_layout();
    uploads_ = open_directory(root_.get(), "uploads");
    take_slot();
}

void BlobTree::create_layout()
{
    if (has_layout(root_.get())) return;
    if (const auto made = make_fan_out(root_.get(), DigestAlgorithm::sha256); !made) {
        throw std::runtime_error{"can't create the blob store: " + made.error().detail()};
    }
    make_directory(root_.get(), "uploads");
    make_directory(root_.get(), "slots");
    sync_or_throw(root_.get(), ".");
    write_layout_version(root_.get());
}

// Takes the first slot nobody holds, and all others that nobody holds any more.
void BlobTree::take_slot()
{
    for (int number = 0; number < most_slots; ++number) {
        const auto path = "slots/" + std::to_string(number);
        const bool is_new = ::mkdirat(root_.get(), path.c_str(), 0700) == 0;
        if (!is_new && errno != EEXIST) throw_system_error("create", path);
        auto directory = open_directory(root_.get(), path.c_str());
        FileDescriptor lock{::openat(directory.get(), "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
        if (!lock) throw_system_error("create", path + "/lock");
        const auto locked = try_lock(lock.get());
        if (!locked) throw std::runtime_error{"can't lock a slot of the blob store: " + locked.error().detail()};
        if (*locked) {
            make_directory(directory.get(), "tmp");
            auto temporary = open_directory(directory.get(), "tmp");
            remove_files_in(temporary.get());
            if (!slot_) {
                slot_ = std::move(directory);
                lock_ = std::move(lock);
                temporary_ = std::move(temporary);
            } else {
                abandoned_.push_back({std::move(directory), std::move(lock)});
            }
        }
        if (is_new) sync_or_throw(root_.get(), "slots");
        const auto next = "slots/" + std::to_string(number + 1);
        if (slot_ && ::faccessat(root_.get(), next.c_str(), F_OK, 0) != 0) return;
    }
    throw std::runtime_error{"too many processes use the blob store"};
}

Result<FileDescriptor> BlobTree::open_blob(const Digest& digest) const
{
    FileDescriptor file{::openat(root_.get(), path_of_blob(digest).c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file && errno == ENOENT) return fail(Errc::blob_unknown, "the blob is not known to this registry");
    if (!file) return system_failure("open a blob");
    return file;
}

bool BlobTree::holds(const Digest& digest, std::uint64_t size) const
{
    struct stat status{};
    return ::fstatat(root_.get(), path_of_blob(digest).c_str(), &status, 0) == 0 &&
           static_cast<std::uint64_t>(status.st_size) == size;
}

Result<std::optional<std::uint64_t>> BlobTree::remove_blob(const Digest& digest) const
{
    const auto path = path_of_blob(digest);
    struct stat status{};
    if (::fstatat(root_.get(), path.c_str(), &status, 0) != 0) {
        if (errno == ENOENT) return std::nullopt;
        return system_failure("fstat a blob");
    }
    if (::unlinkat(root_.get(), path.c_str(), 0) != 0 && errno != ENOENT) return system_failure("remove a blob");
    return static_cast<std::uint64_t>(status.st_size);
}

// A push may give the name to good bytes at any moment: what was moved and is not what was looked at goes back, unless
// there is something in its place again.
Result<bool> BlobTree::quarantine(const Digest& digest, int looked_at) const
{
    struct stat bad{};
    struct stat named{};
    const auto path = path_of_blob(digest);
    if (::fstat(looked_at, &bad) != 0) return system_failure("fstat a blob");
    if (::fstatat(root_.get(), path.c_str(), &named, 0) != 0) {
        if (errno == ENOENT) return false;
        return system_failure("look at a blob");
    }
    if (named.st_ino != bad.st_ino) return false;
    const auto aside =
        std::string{quarantine_name} + '/' + std::string{name_of(digest.algorithm())} + '-' + std::string{digest.hex()};
    if (::mkdirat(root_.get(), quarantine_name, 0700) != 0 && errno != EEXIST) {
        return system_failure("create the quarantine");
    }
    if (::renameat(root_.get(), path.c_str(), root_.get(), aside.c_str()) != 0) {
        if (errno == ENOENT) return false;
        return system_failure("move a blob aside");
    }
    if (::fstatat(root_.get(), aside.c_str(), &named, 0) == 0 && named.st_ino != bad.st_ino) {
        constexpr unsigned keep_what_is_there = RENAME_NOREPLACE;
        ::renameat2(root_.get(), aside.c_str(), root_.get(), path.c_str(), keep_what_is_there);
        CHECK(sync_name(digest));
        return false;
    }
    // Whoever has it open can tell by this that it is a blob no more (is_current).
    if (::fchmod(looked_at, 0) != 0) return system_failure("close a file that was moved aside");
    CHECK(sync_name(digest));
    CHECK(sync_directory(root_.get(), quarantine_name));
    CHECK(sync_directory(root_.get(), "."));
    return true;
}

Result<BlobTree::Temporary> BlobTree::write_temporary(std::span<const std::byte> bytes)
{
    Temporary temporary;
    temporary.name = std::to_string(next_temporary_.fetch_add(1, std::memory_order_relaxed));
    constexpr int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
    temporary.file = FileDescriptor{::openat(temporary_.get(), temporary.name.c_str(), flags, 0600)};
    if (!temporary.file) return system_failure("create a temporary file");
    if (auto written = write_all(temporary.file.get(), bytes, 0); !written) {
        remove_temporary(temporary);
        return std::unexpected{std::move(written).error()};
    }
    return temporary;
}

void BlobTree::remove_temporary(const Temporary& temporary) const
{
    ::unlinkat(temporary_.get(), temporary.name.c_str(), 0);
}

// Few stores ever see a sha512 digest, so its directories are created at the first one; again in each process, whose
// own sync is the only one it knows of.
Result<> BlobTree::prepare_directory(const Digest& digest)
{
    if (digest.algorithm() == DigestAlgorithm::sha256) return {};
    const std::lock_guard guard{sha512_mutex_};
    if (sha512_prepared_) return {};
    CHECK(make_fan_out(root_.get(), DigestAlgorithm::sha512));
    sha512_prepared_ = true;
    return {};
}

Result<> BlobTree::publish_temporary(const Temporary& temporary, const Digest& digest)
{
    if (auto prepared = prepare_directory(digest); !prepared) {
        remove_temporary(temporary);
        return prepared;
    }
    if (::renameat(temporary_.get(), temporary.name.c_str(), root_.get(), path_of_blob(digest).c_str()) != 0) {
        const int number = errno;
        remove_temporary(temporary);
        return system_failure("rename a temporary file", number);
    }
    return {};
}

Result<> BlobTree::publish_upload(const std::string& name, const Digest& digest)
{
    CHECK(prepare_directory(digest));
    if (::renameat(uploads_.get(), name.c_str(), root_.get(), path_of_blob(digest).c_str()) != 0) {
        return system_failure("rename an upload");
    }
    return {};
}

Result<> BlobTree::sync_name(const Digest& digest) const
{
    return sync_directory(root_.get(), directory_of(digest).c_str());
}

}  // namespace entrepot
