#pragma once

#include "core/bell.hpp"
#include "core/task.hpp"
#include "oci/names.hpp"
#include "ports/upload_view.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

namespace entrepot {

// A blob on its way here, as those see it who wait for its bytes. Whoever writes it tells how it goes; as many as like
// read what is there, each at its own pace. Safe from any thread.
class BlobFetch {
public:
    using Patience = std::chrono::steady_clock::duration;
    // The last bytes, that nobody is given before all of it has its digest.
    static constexpr std::uint64_t held_back = 64 * 1024;

    BlobFetch(RepositoryName repository, Digest digest) : repository_{std::move(repository)}, digest_{std::move(digest)}
    {
    }

    const RepositoryName& repository() const noexcept { return repository_; }
    const Digest& digest() const noexcept { return digest_; }

    // How large it is, and which attempt at writing it can be read; waits until that is known. What the fetch failed
    // with; unavailable after `patience`.
    struct Begun {
        bool stored = false;  // it is a blob of the repository already
        std::uint64_t size = 0;
        std::uint64_t attempt = 0;
    };
    Task<Begun> begun(Patience patience);
    // Waits until more than the first `offset` bytes may be handed out, and answers how many may: none more after
    // `patience`. The fetch's failure; unavailable when that attempt was given up, since what was read of it may not be
    // what comes.
    Task<std::uint64_t> beyond(std::uint64_t offset, std::uint64_t attempt, Patience patience);
    // Of what beyond() has answered.
    Result<UploadPart> part(std::uint64_t offset, std::uint64_t length);
    // True: it is a blob of the repository now. False: it was whole, but there was no room for it.
    Task<bool> stored(Patience patience);

    // The writer's half. Another upload than before begins another attempt.
    void arrives(std::shared_ptr<UploadView> view, std::uint64_t size);
    void progressed(std::chrono::steady_clock::time_point now);  // more of it may be written
    void verified();                                             // all of it has its digest
    void end(Result<bool> stored);

private:
    std::uint64_t visible() const;

    const RepositoryName repository_;
    const Digest digest_;
    Bell bell_;
    mutable std::mutex mutex_;
    std::shared_ptr<UploadView> view_;
    std::uint64_t size_ = 0;
    std::uint64_t attempt_ = 0;
    bool verified_ = false;
    std::optional<Result<bool>> outcome_;
    std::chrono::steady_clock::time_point rung_at_{};  // the writer's
};
using BlobFetchPtr = std::shared_ptr<BlobFetch>;

}  // namespace entrepot
