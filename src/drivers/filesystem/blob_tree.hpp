#pragma once

#include "drivers/filesystem/posix.hpp"
#include "oci/digest.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// Where a blob lies below the store's root: "sha256/ab/<hex>".
std::string path_of_blob(const Digest& digest);
// The lock of the one who may remove blobs from the store whose root this is, held as long as the file is open;
// conflict where another has it.
Result<FileDescriptor> lock_blob_removal(int root);

// The directories of the store (docs/formats/blob-layout.md), one slot of which belongs to this process: its temporary
// files and its journal lie there under a lock. Safe from any thread; every method blocks.
class BlobTree {
public:
    // Creates what is missing and takes a slot. Throws std::runtime_error.
    explicit BlobTree(const std::string& root);

    int root() const noexcept { return root_.get(); }
    int uploads() const noexcept { return uploads_.get(); }
    int slot() const noexcept { return slot_.get(); }

    // The slots of processes that are gone, locked until release_abandoned().
    struct Abandoned {
        FileDescriptor directory;
        FileDescriptor lock;
    };
    const std::vector<Abandoned>& abandoned() const noexcept { return abandoned_; }
    void release_abandoned() { abandoned_.clear(); }

    // An open file for reading; blob_unknown.
    Result<FileDescriptor> open_blob(const Digest& digest) const;
    bool holds(const Digest& digest, std::uint64_t size) const;

    // The size of what was removed; nullopt where there was nothing.
    Result<std::optional<std::uint64_t>> remove_blob(const Digest& digest) const;
    // Moves the file that is open as `looked_at` into quarantine/, durably; false where the blob's name means another
    // one or none by now.
    Result<bool> quarantine(const Digest& digest, int looked_at) const;
    // The lock of the one who may remove blobs, held as long as the file is open; conflict where another has it.
    Result<FileDescriptor> lock_removal() const { return lock_blob_removal(root_.get()); }

    // Bytes in a file of its own that nobody sees, in the page cache only. remove_temporary() where it isn't published.
    struct Temporary {
        FileDescriptor file;
        std::string name;
    };
    Result<Temporary> write_temporary(std::span<const std::byte> bytes);
    void remove_temporary(const Temporary& temporary) const;

    // Gives a file its digest's name, in one step. A blob of that name is replaced: the bytes are the same, unless the
    // old ones rotted. Durable after sync_name().
    Result<> publish_temporary(const Temporary& temporary, const Digest& digest);
    Result<> publish_upload(const std::string& name, const Digest& digest);
    Result<> sync_name(const Digest& digest) const;

private:
    void create_layout();
    void take_slot();
    Result<> prepare_directory(const Digest& digest);

    FileDescriptor root_;
    FileDescriptor uploads_;
    FileDescriptor lock_;
    FileDescriptor slot_;
    FileDescriptor temporary_;
    std::vector<Abandoned> abandoned_;
    std::atomic<std::uint64_t> next_temporary_{0};
    std::mutex sha512_mutex_;
    bool sha512_prepared_ = false;
};

}  // namespace entrepot
