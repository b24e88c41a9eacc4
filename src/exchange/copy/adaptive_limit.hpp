#pragma once

#include "core/clock.hpp"
#include "core/completion.hpp"
#include "core/task.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

namespace entrepot {

// How many blobs are on their way at once, found out by trying: one more as long as the bytes a second don't become
// fewer by it, half as many when connections break or the other side asks for a rest. Shared by all copies with the
// same other side. Safe from any thread.
class AdaptiveLimit : public std::enable_shared_from_this<AdaptiveLimit> {
public:
    struct Bounds {
        int first = 6;
        int least = 1;
        int most = 32;
    };
    AdaptiveLimit(Bounds bounds, const Clock& clock)
        : bounds_{bounds}, clock_{clock}, limit_{bounds.first}, window_{clock.steady()}
    {
    }

    // A place among them, until it is destroyed.
    class Place {
    public:
        Place() = default;
        explicit Place(std::shared_ptr<AdaptiveLimit> limit) noexcept : limit_{std::move(limit)} {}
        ~Place() { leave(); }
        Place(Place&& other) noexcept : limit_{std::move(other.limit_)} {}
        Place& operator=(Place&& other) noexcept;

    private:
        void leave() noexcept;
        std::shared_ptr<AdaptiveLimit> limit_;
    };
    Task<Place> enter();

    void moved(std::uint64_t bytes) noexcept;
    void trouble() noexcept;
    int limit() const noexcept;

private:
    void left() noexcept;
    void wake() noexcept;
    void judge() noexcept;

    const Bounds bounds_;
    const Clock& clock_;
    mutable std::mutex mutex_;
    int limit_;
    int running_ = 0;
    std::deque<Completion<Place>> waiting_;
    std::chrono::steady_clock::time_point window_;
    std::chrono::steady_clock::time_point troubled_{};
    std::uint64_t moved_ = 0;  // in this window
    bool was_full_ = false;    // in this window
    bool grew_ = false;        // at the end of the last one
    double rate_before_ = 0;   // bytes a second, of the last one
    int content_for_ = 0;      // windows in which nothing is tried
};

}  // namespace entrepot
