#pragma once

#include "swarm/net/wait_line.hpp"

#include <cstddef>
#include <utility>

namespace entrepot {

// How many bytes of memory what came from the network may take while it is verified and stored. It is a line that is
// looked at before a socket is read, not a wall: what one read brings may go over it. Used on one loop.
class ByteQuota {
public:
    // A part of it that is in use, until it goes.
    class Share {
    public:
        Share() = default;
        Share(ByteQuota& of, std::size_t bytes) noexcept : of_{&of}, bytes_{bytes} { of.used_ += bytes; }
        ~Share() { give_back(); }
        Share(Share&& other) noexcept : of_{std::exchange(other.of_, nullptr)}, bytes_{std::exchange(other.bytes_, 0)}
        {
        }
        Share& operator=(Share&& other) noexcept
        {
            if (this == &other) return *this;
            give_back();
            of_ = std::exchange(other.of_, nullptr);
            bytes_ = std::exchange(other.bytes_, 0);
            return *this;
        }

    private:
        void give_back() noexcept
        {
            if (of_ == nullptr) return;
            const bool was_full = of_->full();
            of_->used_ -= bytes_;
            if (was_full && !of_->full()) of_->waits_.wake();
            of_ = nullptr;
        }

        ByteQuota* of_ = nullptr;
        std::size_t bytes_ = 0;
    };

    ByteQuota(asio::any_io_executor loop, std::size_t limit) : waits_{std::move(loop)}, limit_{limit} {}

    bool full() const noexcept { return used_ >= limit_; }
    std::size_t used() const noexcept { return used_; }
    // Until there may be room.
    asio::awaitable<void> wait() { return waits_.wait(); }
    void wake() { waits_.wake(); }

private:
    WaitLine waits_;
    std::size_t limit_;
    std::size_t used_ = 0;
};

}  // namespace entrepot
