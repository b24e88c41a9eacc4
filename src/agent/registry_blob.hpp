#pragma once

#include "agent/registry_client.hpp"
#include "core/bell.hpp"
#include "core/task_group.hpp"

#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace entrepot {

// A blob of a repository, as somebody pulls it.
struct PulledBlob {
    RepositoryName repository;
    Digest digest;
    Puller puller;
};

// A stretch of a blob on its way from the registry.
struct BlobStretch {
    std::unique_ptr<ByteSource> body;
    std::uint64_t skip = 0;  // bytes that come before it: the registry takes no ranges
};

// denied: the registry refuses this puller; blob_unknown; unavailable for all else that it may say. `wanted` has bytes.
Task<BlobStretch> open_stretch(RegistryClient& registry, PulledBlob blob, ByteRange wanted);

// A stretch of a blob that is handed on as it comes, read a little ahead by a task of its own, so that who waits for it
// can stop waiting. One reader at a time.
class RegistryStream : public std::enable_shared_from_this<RegistryStream> {
public:
    // What start() reads with; outlives the tasks of `tasks`.
    RegistryStream(RegistryClient& registry, PulledBlob blob, ByteRange wanted)
        : registry_{registry}, blob_{std::move(blob)}, wanted_{wanted}
    {
    }

    // `opened`: the answer whose body it is, where there is one already; to be read on `where`.
    void start(TaskGroup& tasks, const asio::any_io_executor& where, std::unique_ptr<ByteSource> opened = nullptr);
    // The next bytes in order; null: none came within `patience`. Errors as open_stretch(), and those of the
    // connection: what is left has to be asked for anew.
    Task<std::shared_ptr<const std::string>> next(std::chrono::steady_clock::duration patience);
    // Nobody reads any more.
    void stop() noexcept;

private:
    using Piece = std::shared_ptr<const std::string>;

    static asio::awaitable<void> pump(std::shared_ptr<RegistryStream> self, std::unique_ptr<ByteSource> opened);
    Task<> read_on(std::unique_ptr<ByteSource> opened);
    asio::awaitable<bool> wait_for_room();
    bool has_pieces();
    void put(Piece piece);

    RegistryClient& registry_;
    const PulledBlob blob_;
    const ByteRange wanted_;
    Bell arrivals_;
    Bell room_;
    std::mutex mutex_;
    std::deque<Piece> pieces_;
    std::optional<Error> failure_;
    bool stopped_ = false;
};

}  // namespace entrepot
