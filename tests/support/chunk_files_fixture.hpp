#pragma once

#include "core/bytes.hpp"
#include "drivers/chunk_files/chunk_disk.hpp"
#include "drivers/chunk_files/chunk_files.hpp"
#include "drivers/chunk_files/chunk_folder.hpp"
#include "swarm/crypto/sha256_stream.hpp"
#include "swarm/descriptor/chunk_hashes.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/pattern.hpp"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace entrepot {

// A blob that tests keep, with all that is known of it.
struct ChunkedBytes {
    DescribedBlob blob;
    std::vector<Sha256> hashes;
    std::string bytes;

    std::uint32_t chunks() const { return static_cast<std::uint32_t>(hashes.size()); }
    std::span<const std::byte> chunk(std::uint32_t number) const
    {
        return as_bytes(bytes).subspan(number * chunk_bytes, chunk_size(bytes.size(), number));
    }
};

inline ChunkedBytes chunked(std::size_t size, unsigned seed = 1)
{
    ChunkedBytes made{.blob = {}, .hashes = {}, .bytes = pattern(size, seed)};
    ChunkHashes hashes;
    if (!hashes.update(as_bytes(made.bytes))) throw std::runtime_error{"a blob too large to hash"};
    auto hashed = std::move(hashes).finish();
    made.blob = hashed.blob;
    made.hashes = std::move(hashed.chunks);
    return made;
}

// An empty directory that is removed with its owner; on a file system of its own where a size is given.
class ChunkTestFolder {
public:
    explicit ChunkTestFolder(const char* size = nullptr)
    {
        auto name = (std::filesystem::temp_directory_path() / "entrepot-chunks-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"no temporary directory"};
        path_ = name;
        if (size == nullptr) return;
        const auto options = std::string{"mode=0700,size="} + size;
        mounted_ = ::mount("none", path_.c_str(), "tmpfs", 0, options.c_str()) == 0;
    }
    ~ChunkTestFolder()
    {
        if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    ChunkTestFolder(const ChunkTestFolder&) = delete;
    ChunkTestFolder& operator=(const ChunkTestFolder&) = delete;

    const std::filesystem::path& path() const noexcept { return path_; }
    bool mounted() const noexcept { return mounted_; }

private:
    std::filesystem::path path_;
    bool mounted_ = false;
};

// The system's disk until a test lets it refuse: with an error's number, 0 for none.
class RefusingDisk final : public ChunkDisk {
public:
    std::atomic<int> create_error{0};
    std::atomic<int> write_error{0};
    std::atomic<int> sync_error{0};
    std::atomic<int> rename_error{0};
    std::atomic<int> writes_tried{0};
    std::atomic<std::uint64_t> free{~std::uint64_t{0}};

    Result<FileDescriptor> create(int directory, const std::string& name, std::uint64_t size) override
    {
        if (create_error != 0) return chunk_disk_failure("create", create_error);
        return ChunkDisk::create(directory, name, size);
    }
    Result<> write(int file, std::span<const std::byte> bytes, std::uint64_t offset) override
    {
        ++writes_tried;
        if (write_error != 0) return chunk_disk_failure("write", write_error);
        return ChunkDisk::write(file, bytes, offset);
    }
    Result<> sync(int file) override
    {
        if (sync_error != 0) return chunk_disk_failure("sync", sync_error);
        return ChunkDisk::sync(file);
    }
    Result<> rename(int from, const std::string& name, int to, const std::string& new_name) override
    {
        if (rename_error != 0) return chunk_disk_failure("rename", rename_error);
        return ChunkDisk::rename(from, name, to, new_name);
    }
    Result<std::uint64_t> free_bytes(int directory) override
    {
        if (free == ~std::uint64_t{0}) return ChunkDisk::free_bytes(directory);
        return free.load();
    }
};

// A disk that keeps every index at once and no data before they are synced: the worst order that a power loss may show.
class ForgetfulDisk final : public ChunkDisk {
public:
    Result<> write(int file, std::span<const std::byte> bytes, std::uint64_t offset) override
    {
        CHECK(ChunkDisk::write(file, bytes, offset));
        const auto path = path_of(file);
        const std::lock_guard guard{mutex_};
        if (!path.contains("/index/")) unsynced_[path.filename()].emplace_back(offset, bytes.size());
        return {};
    }
    Result<> sync(int file) override
    {
        const auto name = path_of(file).filename();
        const std::lock_guard guard{mutex_};
        unsynced_.erase(name);
        return ChunkDisk::sync(file);
    }
    // How many bytes below `root` are lost.
    std::uint64_t lose_power(const std::filesystem::path& root)
    {
        std::uint64_t lost = 0;
        for (const auto& [name, ranges] : unsynced_) {
            for (const auto* folder : {"partial", "blobs"}) {
                const FileDescriptor file{::open((root / folder / name).c_str(), O_WRONLY | O_CLOEXEC)};
                if (!file) continue;
                for (const auto& [offset, size] : ranges) {
                    const std::string zeros(size, '\0');
                    if (!ChunkDisk::write(file.get(), as_bytes(zeros), offset)) throw std::runtime_error{"no zeros"};
                    lost += size;
                }
            }
        }
        return lost;
    }

private:
    struct Path : std::string {
        std::string filename() const { return substr(rfind('/') + 1); }
    };
    static Path path_of(int file)
    {
        std::string link(4096, '\0');
        const auto length = ::readlink(("/proc/self/fd/" + std::to_string(file)).c_str(), link.data(), link.size());
        link.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
        return Path{std::move(link)};
    }

    std::mutex mutex_;
    std::map<std::string, std::vector<std::pair<std::uint64_t, std::size_t>>> unsynced_;
};

// A store in a directory of its own, and what tests do with it again and again.
class ChunkFilesFixture {
public:
    explicit ChunkFilesFixture(const char* disk_size = nullptr) : folder{disk_size}
    {
        options.root = folder.path() / "store";
        options.budget_bytes = std::uint64_t{1} << 30U;
    }

    Result<> open()
    {
        store.reset();
        TRY(store, ChunkFiles::open(options, clock));
        return {};
    }
    // All chunks of a blob, in order. The pin of it.
    Result<ChunkPin> keep(const ChunkedBytes& of)
    {
        TRY(auto pin, store->begin(of.blob, of.hashes));
        for (std::uint32_t chunk = 0; chunk < of.chunks(); ++chunk) CHECK(store->write(pin, chunk, of.chunk(chunk)));
        return pin;
    }
    Result<std::string> read(const ChunkPin& pin, ChunkSpan span)
    {
        const auto end = std::min(pin.blob().size, (std::uint64_t{span.first} + span.count) * chunk_bytes);
        std::string bytes(end - span.first * chunk_bytes, '\0');
        CHECK(store->read(pin, span, std::as_writable_bytes(std::span{bytes.data(), bytes.size()})));
        return bytes;
    }
    std::filesystem::path file_of(const ChunkedBytes& of, const char* in = "blobs") const
    {
        return options.root / in / chunk_file_name(of.blob.digest);
    }
    static void damage(const std::filesystem::path& file, std::uint64_t offset)
    {
        std::fstream stream{file, std::ios::in | std::ios::out | std::ios::binary};
        stream.seekg(static_cast<std::streamoff>(offset));
        const auto byte = static_cast<char>(stream.get() ^ 1);
        stream.seekp(static_cast<std::streamoff>(offset));
        stream.put(byte);
        if (!stream.flush()) throw std::runtime_error{"nothing to damage in " + file.string()};
    }
    std::uint64_t bytes_on_disk() const
    {
        std::uint64_t bytes = 0;
        for (const auto& entry : std::filesystem::recursive_directory_iterator{options.root}) {
            struct stat status{};
            if (entry.is_regular_file() && ::stat(entry.path().c_str(), &status) == 0) {
                bytes += static_cast<std::uint64_t>(status.st_blocks) * 512;
            }
        }
        return bytes;
    }

    ChunkTestFolder folder;
    FakeClock clock;
    ChunkFilesOptions options;
    std::unique_ptr<ChunkFiles> store;
};

}  // namespace entrepot
