#pragma once

#include "agent/image_desk.hpp"
#include "agent/range_fetches.hpp"
#include "http/byte_range.hpp"
#include "http/message.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

namespace entrepot {

// What bodies of blobs share. It outlives them.
struct BlobSources {
    struct Patience {
        std::chrono::milliseconds swarm{1000};       // without any chunk from the carrier; then the registry is asked
        std::chrono::milliseconds give_up{120'000};  // without a byte from anybody
    };

    RegistryClient& registry;
    RangeFetches& fetches;
    ImageDesk& desk;
    ImageCarrier* carrier = nullptr;  // may be null
    AgentCounters& counters;
    TaskGroup& tasks;
    Patience patience;
};

// Bytes of an open file as they lie in an extent, which is kept as long as they are.
Result<FileRange> file_range_of(ChunkExtent extent, std::uint64_t skip, std::uint64_t length);

// Counts bytes that are given to a runtime, by where their chunks came from. `chunk` is the image's, `offset` in it.
void count_given(
    AgentCounters& counters, const ServedImage& image, ChunkIndex chunk, std::uint64_t offset, std::uint64_t length
);

// A stretch of a blob of an image on this node, whose chunks are still coming: sent from the disk as they come, by the
// carrier or else from the registry, and passed on where the disk takes them no more.
class ImageBody final : public ArrivingBody {
public:
    // The blob, whose number in the image is given, is one that the puller may have.
    ImageBody(BlobSources& sources, ServedImagePtr image, std::size_t number, PulledBlob blob, ByteRange stretch);
    ~ImageBody() override;

    std::uint64_t length() const noexcept override { return stretch_.length; }
    Task<Part> part(std::uint64_t offset) override;
    void stop() noexcept override { stopped_ = true; }

private:
    using Time = std::chrono::steady_clock::time_point;
    struct Wait;

    // Waits for it.
    Task<Part> next_part(std::uint64_t offset);
    bool carried() const;
    ChunkSpan chunks_from(ChunkIndex chunk, std::uint32_t most) const;
    ChunkSpan run_at(ChunkIndex chunk) const;
    Task<Part> stored_part(ChunkSpan run, std::uint64_t at);
    asio::awaitable<std::optional<Part>> passed_part(std::uint64_t at);
    Time::duration swarm_has(Time now, const Wait& wait) const;
    void want(const asio::any_io_executor& where, ChunkIndex chunk, Wait& wait);
    void fetch(const asio::any_io_executor& where, ChunkIndex from, RangeFetches::Amount amount);
    void fetch_ahead(const asio::any_io_executor& where, ChunkIndex from);
    void keep_right(const asio::any_io_executor& where);

    BlobSources& sources_;
    const ServedImagePtr image_;
    const PulledBlob blob_;
    const ByteRange stretch_;
    const ChunkSpan chunks_;  // of the blob
    const ChunkIndex end_;    // of the stretch
    const std::shared_ptr<FetchNote> note_ = std::make_shared<FetchNote>();
    std::shared_ptr<RegistryStream> passing_;
    bool falling_back_ = false;  // the carrier has brought nothing of late
    std::uint32_t ahead_ = 1;    // chunks of one request meanwhile
    const Time began_ = std::chrono::steady_clock::now();
    Time looked_ = std::chrono::steady_clock::now();
    std::atomic<bool> stopped_{false};
};

}  // namespace entrepot
