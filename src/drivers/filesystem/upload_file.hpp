#pragma once

#include "core/completion.hpp"
#include "drivers/filesystem/blob_tree.hpp"
#include "drivers/filesystem/posix.hpp"
#include "oci/hasher.hpp"
#include "ports/blob_store.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace entrepot {

class OpenUploads;

// One upload's file while somebody writes it. Chunks queue up here and are hashed and written in order, one job on the
// pool at a time; the loop only waits when several are under way. `busy` is that job, or opening, or committing:
// whoever wants the file next asks it to retire() and waits for the end of it. Shared by the request and the job.
class UploadFile : public std::enable_shared_from_this<UploadFile> {
public:
    // Chunks that may be on their way to the disk at once.
    static constexpr std::size_t most_in_flight = 4;

    // What all uploads of a store share.
    struct Home {
        BlobTree& tree;
        OpenUploads& open;
        asio::thread_pool& pool;
    };

    // Busy until open() has ended, so that a later writer waits for it.
    UploadFile(Home home, UploadId id, Hasher hasher, std::uint64_t offset);
    ~UploadFile();

    // The blocking half: called on a pool's thread. open() waits for the writer before this one, if there is any; with
    // `hash_again` it reads what is stored into the hash, where no state of it is known.
    Result<> open(const std::shared_ptr<UploadFile>& previous, bool hash_again);
    // Asks the writer to stop and waits until nothing is under way: conflict when that takes longer than `patience`.
    Result<> retire(std::chrono::milliseconds patience = std::chrono::seconds{5});
    // Verifies, syncs, publishes. Requires that nothing is under way.
    Result<std::uint64_t> finish(const Digest& expected);
    // The same for a small upload, whose bytes somebody else stores in between: the file stays busy, and goes when
    // they are stored.
    Result<std::string> take_bytes(const Digest& expected);
    void bytes_taken(bool stored);

    // The loop's half. Resumes when at most `in_flight` chunks are under way; answers the first failure.
    Task<> drain_to(std::size_t in_flight);
    Result<> push(Buffer chunk);
    BlobUpload::Progress progress() const;
    // The request is gone: what is queued is dropped.
    void abandon();

    const UploadId& id() const noexcept { return id_; }

private:
    using Guard = std::unique_lock<std::mutex>;

    Result<> open_and_lock();
    Result<> hash_stored();
    bool still_has_its_name() const;
    Result<> usable(const Guard&) const;
    void run();
    Result<> write(const Buffer& chunk);
    void start_writeback();
    void become_idle(Guard guard);
    Result<> begin_finish();
    void end_finish(bool used_up);
    Result<> verify(const Digest& expected);
    Result<std::uint64_t> publish(const Digest& expected);
    Result<std::string> read_back(const Digest& expected);

    const Home home_;
    const UploadId id_;

    // Touched by whoever made the file busy, else under the mutex.
    FileDescriptor file_;
    Hasher hasher_;
    std::uint64_t offset_;
    std::uint64_t written_back_;

    mutable std::mutex mutex_;
    std::condition_variable idle_;
    std::deque<Buffer> queue_;
    bool busy_ = true;
    bool retired_ = false;
    bool used_up_ = false;
    std::optional<Error> failure_;
    std::size_t in_flight_ = 0;
    // The request that waits, and for how few chunks in flight.
    std::optional<Completion<void>> waiter_;
    std::size_t waits_for_ = 0;
};

}  // namespace entrepot
