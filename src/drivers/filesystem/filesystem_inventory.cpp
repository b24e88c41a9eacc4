#include "drivers/filesystem/filesystem_inventory.hpp"

#include "core/completion.hpp"
#include "oci/hasher.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

namespace entrepot {
namespace {

constexpr std::size_t piece = 1 << 20;  // bytes read at once

Micros modified_at(const struct stat& status)
{
    return static_cast<Micros>(status.st_mtim.tv_sec) * 1'000'000 + status.st_mtim.tv_nsec / 1000;
}

// The `limit` names of a directory that come first after `after`, sorted. A directory that isn't there has none.
Result<std::vector<std::string>> names_in(int base, const std::string& path, std::string_view after, std::size_t limit)
{
    FileDescriptor directory{::openat(base, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!directory && errno == ENOENT) return std::vector<std::string>{};
    if (!directory) return system_failure("open a directory of blobs");
    std::unique_ptr<DIR, int (*)(DIR*)> listing{::fdopendir(directory.get()), ::closedir};
    if (!listing) return system_failure("list a directory of blobs");
    directory.release();
    std::vector<std::string> names;
    const auto cut = [&] {
        if (names.size() <= limit) return;
        std::ranges::nth_element(names, names.begin() + static_cast<std::ptrdiff_t>(limit));
        names.resize(limit);
    };
    for (errno = 0; const auto* entry = ::readdir(listing.get()); errno = 0) {
        const std::string_view name{entry->d_name};
        if (name.front() == '.' || name <= after) continue;
        names.emplace_back(name);
        if (names.size() >= 2 * limit) cut();
    }
    if (errno != 0) return system_failure("list a directory of blobs");
    cut();
    std::ranges::sort(names);
    return names;
}

// nullopt for what is gone, and for what is no file.
Result<std::optional<struct stat>> status_of(int base, const std::string& path)
{
    struct stat status{};
    if (::fstatat(base, path.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) return std::nullopt;
        return system_failure("look at a blob");
    }
    if (!S_ISREG(status.st_mode)) return std::nullopt;
    return status;
}

struct Place {
    DigestAlgorithm algorithm = DigestAlgorithm::sha256;
    unsigned directory = 0;
    std::string after{};  // the hexadecimal digits
};

Result<Place> place_after(const std::string& text)
{
    if (text.empty()) return Place{};
    TRY(const auto digest, Digest::parse(text));
    const auto first = digest.hex().substr(0, 2);
    const auto number = static_cast<unsigned>(std::stoul(std::string{first}, nullptr, 16));
    return Place{digest.algorithm(), number, std::string{digest.hex()}};
}

// Those of one directory that are blobs by their names.
Result<> list_directory(int root, const Place& place, std::size_t limit, std::vector<ListedBlob>& blobs)
{
    const std::array byte{static_cast<std::byte>(place.directory)};
    const std::string prefix{name_of(place.algorithm)};
    const auto path = prefix + '/' + to_hex(byte);
    // A name that is no blob's takes the place of one: the directory is looked at until the page is full or it ends.
    for (std::string after = place.after; blobs.size() < limit;) {
        const auto wanted = limit - blobs.size();
        TRY(const auto names, names_in(root, path, after, wanted));
        for (const auto& name : names) {
            auto digest = Digest::parse(prefix + ':' + name);
            if (!digest || !name.starts_with(to_hex(byte))) continue;
            TRY(const auto status, status_of(root, path + '/' + name));
            if (!status) continue;
            blobs.push_back({*std::move(digest), static_cast<std::uint64_t>(status->st_size), modified_at(*status)});
        }
        if (names.size() < wanted) return {};
        after = names.back();
    }
    return {};
}

Result<std::vector<ListedBlob>> list_blobs(int root, const std::string& after, std::size_t limit)
{
    TRY(auto place, place_after(after));
    std::vector<ListedBlob> blobs;
    for (;; ++place.directory, place.after.clear()) {
        if (place.directory == 256) {
            if (place.algorithm == DigestAlgorithm::sha512) return blobs;
            place = Place{.algorithm = DigestAlgorithm::sha512};
        }
        CHECK(list_directory(root, place, limit, blobs));
        if (blobs.size() >= limit) return blobs;
    }
}

Result<std::vector<ListedUpload>> list_stored_uploads(int uploads, std::string after, std::size_t limit)
{
    std::vector<ListedUpload> found;
    while (found.size() < limit) {
        const auto wanted = limit - found.size();
        TRY(const auto names, names_in(uploads, ".", after, wanted));
        for (const auto& name : names) {
            auto id = UploadId::parse(name);
            if (!id) continue;
            TRY(const auto status, status_of(uploads, name));
            if (!status) continue;
            found.push_back({*std::move(id), static_cast<std::uint64_t>(status->st_size), modified_at(*status)});
        }
        if (names.size() < wanted) break;
        after = names.back();
    }
    return found;
}

// Under the lock that its writer would hold.
Result<bool> discard(int uploads, const ListedUpload& upload)
{
    const auto& name = upload.id.text;
    const FileDescriptor file{::openat(uploads, name.c_str(), O_RDWR | O_CLOEXEC)};
    if (!file && errno == ENOENT) return false;
    if (!file) return system_failure("open an upload");
    TRY(const bool locked, try_lock(file.get()));
    if (!locked) return false;
    struct stat opened{};
    if (::fstat(file.get(), &opened) != 0) return system_failure("fstat an upload");
    TRY(const auto named, status_of(uploads, name));
    if (!named || named->st_ino != opened.st_ino || modified_at(*named) != upload.written_at) return false;
    if (::unlinkat(uploads, name.c_str(), 0) != 0) return system_failure("remove an upload");
    return true;
}

}  // namespace

class FilesystemInventory::Check final : public BlobCheck {
public:
    Check(FilesystemInventory& home, Digest digest, FileDescriptor file)
        : home_{home}, digest_{std::move(digest)}, file_{std::move(file)}, hasher_{digest_.algorithm()}
    {
        // What is in memory says nothing of the device.
        ::posix_fadvise(file_.get(), 0, 0, POSIX_FADV_DONTNEED);
    }

    Task<std::uint64_t> read(std::uint64_t most) override
    {
        auto work = [this, most] { return hash(most); };
        auto count = co_await offload(home_.pool_, std::move(work));
        co_return count;
    }

    Digest actual() const override { return hasher_.digest(); }
    std::uint64_t size() const noexcept override { return offset_; }

    Task<bool> quarantine() override
    {
        auto work = [this] {
            auto moved = home_.tree_.quarantine(digest_, file_.get());
            home_.removals_.fetch_add(1);
            home_.cache_.forget(digest_);
            return moved;
        };
        auto moved = co_await offload(home_.pool_, std::move(work));
        co_return moved;
    }

private:
    Result<std::uint64_t> hash(std::uint64_t most)
    {
        std::vector<std::byte> bytes(std::min<std::uint64_t>(most, piece));
        std::uint64_t hashed = 0;
        while (hashed < most) {
            const auto wanted = std::min<std::uint64_t>(most - hashed, bytes.size());
            const auto got = ::pread(file_.get(), bytes.data(), wanted, static_cast<off_t>(offset_));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0 && errno == EIO) return fail(Errc::corrupt, "the stored blob can't be read", digest_.text());
            if (got < 0) return system_failure("read a blob");
            if (got == 0) break;
            hasher_.update(std::span{bytes}.first(static_cast<std::size_t>(got)));
            ::posix_fadvise(file_.get(), static_cast<off_t>(offset_), got, POSIX_FADV_DONTNEED);
            offset_ += static_cast<std::uint64_t>(got);
            hashed += static_cast<std::uint64_t>(got);
        }
        return hashed;
    }

    FilesystemInventory& home_;
    const Digest digest_;
    const FileDescriptor file_;
    Hasher hasher_;
    std::uint64_t offset_ = 0;
};

Task<std::vector<ListedBlob>> FilesystemInventory::list(std::string after, std::size_t limit)
{
    auto work = [root = tree_.root(), after = std::move(after), limit] { return list_blobs(root, after, limit); };
    auto blobs = co_await offload(pool_, std::move(work));
    co_return blobs;
}

Task<std::unique_ptr<BlobCheck>> FilesystemInventory::check(Digest digest)
{
    auto work = [this, digest] { return tree_.open_blob(digest); };
    CO_TRY(auto file, co_await offload(pool_, std::move(work)));
    co_return std::make_unique<Check>(*this, std::move(digest), std::move(file));
}

Task<std::vector<ListedUpload>> FilesystemInventory::list_uploads(std::string after, std::size_t limit)
{
    auto work = [uploads = tree_.uploads(), after = std::move(after), limit] {
        return list_stored_uploads(uploads, after, limit);
    };
    auto found = co_await offload(pool_, std::move(work));
    co_return found;
}

Task<bool> FilesystemInventory::discard_stray(ListedUpload upload)
{
    auto work = [uploads = tree_.uploads(), upload = std::move(upload)] { return discard(uploads, upload); };
    auto discarded = co_await offload(pool_, std::move(work));
    co_return discarded;
}

}  // namespace entrepot
