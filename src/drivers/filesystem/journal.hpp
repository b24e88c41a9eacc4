#pragma once

#include "drivers/filesystem/blob_tree.hpp"
#include "oci/digest.hpp"
#include "ports/blob_store.hpp"

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace entrepot {

// Makes small blobs durable many at a time: each is appended to a preallocated file, and all that gather while one sync
// runs share the next. The blob's own file is written without a sync; only when one of the two segments is full does a
// sync of the whole file system let it be used again. After a power loss replay() writes what is missing from the
// segments (docs/decisions/0006-blob-journal.md). Safe from any thread; two threads of its own.
class Journal {
public:
    // While one of these lives, the entry's blob does not have its file yet and its segment is kept.
    using Hold = std::shared_ptr<const void>;
    using Synced = std::move_only_function<void(Result<Hold>)>;

    // Blobs that were acknowledged but have no whole file get it back, durably: those that did. Blocks. storage_full,
    // unavailable: the segments are left as they are.
    static Result<std::vector<StoredBlob>> replay(BlobTree& tree, int slot);

    // Takes the slot's segments, `bytes` in all; requires that replay() succeeded. storage_full, unavailable.
    static Result<std::unique_ptr<Journal>> open(BlobTree& tree, std::size_t bytes);

    ~Journal();
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    // Calls `synced` on the journal's thread when the blob is durable; it must not block. Requires working().
    void append(Digest digest, std::shared_ptr<const std::string> bytes, Synced synced);
    // False after a failed sync: what the device lost then is not known, so nothing more is trusted to this journal.
    bool working() const;
    // Finishes what was appended, makes all blobs' files durable and empties the segments. Requires that no append()
    // comes any more and every Hold is gone.
    void stop();

private:
    enum class Use { free, filling, full };
    struct Segment {
        FileDescriptor file;
        Use use = Use::free;
        std::size_t holds = 0;
    };
    struct Pending {
        Digest digest;
        std::shared_ptr<const std::string> bytes;
        Synced synced;
    };
    using Guard = std::unique_lock<std::mutex>;

    Journal(BlobTree& tree, std::size_t segment_size, std::array<FileDescriptor, 2> files);
    void write_groups();
    std::vector<Pending> next_group(Guard& guard);
    bool make_room(Guard& guard, std::size_t size);
    void commit(std::vector<Pending> group);
    Hold hold(Segment& segment);
    void recycle_segments();
    Result<> recycle(Segment& segment);
    void give_up(const Error& error);

    BlobTree& tree_;
    const std::size_t segment_size_;
    std::array<Segment, 2> segments_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Pending> pending_;
    bool stopping_ = false;
    bool working_ = true;

    // The writing thread's own.
    std::size_t current_ = 0;
    std::size_t position_ = 0;
    std::uint64_t epoch_ = 1;
    std::string group_bytes_;

    std::thread writing_;
    std::thread recycling_;
};

}  // namespace entrepot
