#pragma once

#include "core/bytes.hpp"
#include "core/completion.hpp"
#include "core/token_bucket.hpp"
#include "ports/endpoint_catalog.hpp"

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>

namespace entrepot {

// An endpoint's limits, shared by all who ask it. Requests that read and requests that write are counted apart, so that
// a copy within one endpoint, which writes while it reads, can't wait for itself. Safe from any thread.
class EndpointLimiter : public std::enable_shared_from_this<EndpointLimiter> {
public:
    enum class Lane { reads, writes };

    // A request that is under way.
    class Slot {
    public:
        Slot() = default;
        Slot(std::shared_ptr<EndpointLimiter> limiter, Lane lane) : limiter_{std::move(limiter)}, lane_{lane} {}
        ~Slot();
        Slot(Slot&& other) noexcept = default;
        Slot& operator=(Slot&& other) noexcept;

    private:
        std::shared_ptr<EndpointLimiter> limiter_;
        Lane lane_ = Lane::reads;
    };

    explicit EndpointLimiter(EndpointLimits limits);

    // Waits until one more request may be sent, in turn. too_many_requests after two minutes.
    Task<Slot> enter(Lane lane);
    // Waits until some of the `wanted` bytes may travel; returns how many, at least one.
    Task<std::size_t> pace(std::size_t wanted);
    // What of these did not travel.
    void give_back(std::size_t bytes) noexcept;

private:
    struct Waiter {
        std::uint64_t number = 0;
        Completion<Slot> completion;
    };
    struct Counted {
        std::int32_t running = 0;
        std::list<Waiter> waiting;
    };

    void leave(Lane lane);
    void give_up(Lane lane, std::uint64_t number);

    const std::int32_t most_;
    TokenBucket bucket_;
    std::mutex mutex_;
    std::array<Counted, 2> lanes_;
    std::uint64_t last_number_ = 0;
};

// Exactly `length` bytes of another source, at the endpoint's pace. When that one fails or ends early, the reason is
// kept apart from what becomes of the request: the peer is still waiting for the rest then.
class PacedPart final : public ByteSource {
public:
    PacedPart(ByteSource& source, std::uint64_t length, EndpointLimiter& limiter)
        : source_{source}, length_{length}, left_{length}, limiter_{limiter}
    {
    }

    std::optional<std::uint64_t> size() const override { return length_; }
    Task<std::size_t> read(std::span<std::byte> into) override;
    const std::optional<Error>& failure() const noexcept { return failure_; }

private:
    ByteSource& source_;
    const std::uint64_t length_;
    std::uint64_t left_;
    EndpointLimiter& limiter_;
    std::optional<Error> failure_;
};

// The body of an answer, at the endpoint's pace and as long as it says: connection_lost when less comes, and where more
// does. Holds its request's slot.
class PacedBody final : public ByteSource {
public:
    PacedBody(
        std::unique_ptr<ByteSource> body,
        std::optional<std::uint64_t> length,
        std::shared_ptr<EndpointLimiter> limiter,
        EndpointLimiter::Slot slot
    )
        : body_{std::move(body)}, length_{length}, limiter_{std::move(limiter)}, slot_{std::move(slot)}
    {
    }

    std::optional<std::uint64_t> size() const override { return length_; }
    Task<std::size_t> read(std::span<std::byte> into) override;

private:
    std::unique_ptr<ByteSource> body_;
    std::optional<std::uint64_t> length_;
    std::uint64_t read_ = 0;
    std::shared_ptr<EndpointLimiter> limiter_;
    EndpointLimiter::Slot slot_;
};

}  // namespace entrepot
