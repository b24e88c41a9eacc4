#pragma once

#include "core/bytes.hpp"
#include "core/clock.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace entrepot {

// Bytes a second that one or several copies share. Safe from any thread.
class ByteRate {
public:
    using Time = std::chrono::steady_clock::time_point;

    explicit ByteRate(std::uint64_t bytes_per_second) noexcept : rate_{bytes_per_second} {}  // 0: as many as go

    // How many to move at once, so that nobody waits long.
    std::size_t portion() const noexcept;
    // `bytes` were moved: how long to wait before the next. A tenth of a second's worth may be moved ahead.
    std::chrono::nanoseconds moved(std::uint64_t bytes, Time now) noexcept;

private:
    const std::uint64_t rate_;
    std::mutex mutex_;
    Time paid_until_{};
};
using ByteRates = std::vector<std::shared_ptr<ByteRate>>;

// Exactly `length` bytes of a longer body, at the pace of all of `rates`: a chunk on its way. An end before that is
// connection_lost; cancelled once `stopped` says so.
class ChunkSource final : public ByteSource {
public:
    ChunkSource(
        ByteSource& body,
        std::uint64_t length,
        const ByteRates& rates,
        const Clock& clock,
        std::function<bool()> stopped
    )
        : body_{body}, length_{length}, rates_{rates}, clock_{clock}, stopped_{std::move(stopped)}
    {
    }

    std::optional<std::uint64_t> size() const override { return length_; }
    Task<std::size_t> read(std::span<std::byte> into) override;

    std::uint64_t taken() const noexcept { return taken_; }
    // Why the source gave no more, where it was the source.
    const std::optional<Error>& failure() const noexcept { return failure_; }

private:
    ByteSource& body_;
    const std::uint64_t length_;
    const ByteRates& rates_;
    const Clock& clock_;
    const std::function<bool()> stopped_;
    std::uint64_t taken_ = 0;
    std::optional<Error> failure_;
};

}  // namespace entrepot
