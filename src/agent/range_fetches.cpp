#include "agent/range_fetches.hpp"

#include "core/buffer.hpp"
#include "core/log.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace entrepot {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds first_pause{100};
constexpr std::chrono::milliseconds longest_pause{2'000};

bool is_of_disk(Errc code)
{
    return code == Errc::storage_full || code == Errc::unavailable || code == Errc::blob_unknown;
}

// Where in its blob a chunk of the image begins.
std::uint64_t offset_in_blob(const ImageDescriptor& descriptor, ChunkIndex chunk)
{
    const auto blob = descriptor.layout().blob_of(descriptor.layout().piece_of_chunk(chunk));
    return std::uint64_t{chunk - descriptor.chunks_of(blob).first} * chunk_bytes;
}

}  // namespace

// Chunks that one fetch has to itself, given back one by one, and the rest when it ends.
class RangeFetches::Claim {
public:
    Claim(ServedImagePtr image, ChunkSpan chunks) : image_{std::move(image)}, left_{chunks} {}
    ~Claim()
    {
        if (left_.count > 0) image_->give_back(left_);
    }
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;

    void give_first_back()
    {
        image_->give_back({.first = left_.first++, .count = 1});
        --left_.count;
    }

private:
    const ServedImagePtr image_;
    ChunkSpan left_;
};

void RangeFetches::start(
    const asio::any_io_executor& where,
    const ServedImagePtr& image,
    const PulledBlob& blob,
    ChunkSpan within,
    Amount amount,
    const std::shared_ptr<FetchNote>& note
)
{
    if (steady_clock::now().time_since_epoch().count() < note->not_before) return;
    // After a failure one at a time, until one works again.
    const auto parallel = note->failures > 0 ? 1U : amount.parallel;
    while (note->running < parallel) {
        const auto claimed = image->claim(within, amount.most_chunks);
        if (!claimed) return;
        ++note->running;
        if (tasks_.spawn(where, fetch({.image = image, .blob = blob, .chunks = *claimed, .note = note}))) continue;
        --note->running;
        return image->give_back(*claimed);
    }
}

asio::awaitable<void> RangeFetches::fetch(Run run)
{
    auto done = Result<>{};
    {
        Claim claim{run.image, run.chunks};
        try {
            auto bringing = bring(run, claim);
            done = co_await std::move(bringing);
        } catch (const std::exception& thrown) {
            done = fail(Errc::cancelled, "the fetch was ended", thrown.what());
        }
        if (done)
            run.note->failures = 0;
        else
            failed(*run.note, done.error());
        --run.note->running;
    }
    // Also where nothing was left to give back: who waits may start the next one now.
    run.image->image().arrivals().ring();
}

void RangeFetches::failed(FetchNote& note, const Error& error)
{
    const auto count = std::min(++note.failures, 8U);
    const auto pause = std::min<steady_clock::duration>(first_pause * (1U << (count - 1)), longest_pause);
    note.not_before = (steady_clock::now() + pause).time_since_epoch().count();
    log::failure(log::Level::debug, "fetching chunks from the registry", error);
}

Task<> RangeFetches::bring(const Run& run, Claim& claim)
{
    const auto& layout = run.image->image().descriptor().layout();
    const auto offset = offset_in_blob(run.image->image().descriptor(), run.chunks.first);
    auto opening = open_stretch(registry_, run.blob, {.offset = offset, .length = layout.bytes_of_chunks(run.chunks)});
    CO_TRY(auto stretch, co_await std::move(opening));
    if (stretch.skip > 0) {
        run.note->in_vain = true;
        co_return fail(Errc::unavailable, "the registry takes no ranges");
    }
    Buffer memory;
    for (std::uint32_t at = 0; at < run.chunks.count; ++at) {
        const ChunkIndex chunk = run.chunks.first + at;
        const auto into = memory.room().first(layout.bytes_of_chunks({.first = chunk, .count = 1}));
        auto reading = read_full(*stretch.body, into);
        CO_TRY(const auto got, co_await std::move(reading));
        if (got < into.size()) co_return fail(Errc::connection_lost, "the registry's answer is too short");
        auto keeping = keep(run, chunk, into);
        CO_CHECK(co_await std::move(keeping));
        claim.give_first_back();
    }
    co_return Result<>{};
}

Task<> RangeFetches::keep(const Run& run, ChunkIndex chunk, std::span<const std::byte> bytes)
{
    auto& image = *run.image;
    if (image.image().has(chunk)) co_return Result<>{};  // somebody else was faster
    image.note_fetched(chunk);
    auto storing = image.image().store(chunk, bytes);
    auto stored = co_await std::move(storing);
    if (stored) {
        if (carrier_ != nullptr && image.in_swarm()) carrier_->came(image.swarm(), chunk);
        co_return Result<>{};
    }
    if (is_of_disk(stored.error().code())) {
        run.note->in_vain = true;
        if (counters_.store_failed())
            log::failure(log::Level::warning, "images are passed on and not kept: a chunk", stored.error());
    }
    co_return stored;
}

}  // namespace entrepot
