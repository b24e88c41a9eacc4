#include "agent/image_body.hpp"

#include "core/log.hpp"
#include "core/pause.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <variant>

#include <fcntl.h>

namespace entrepot {
namespace {

using std::chrono::steady_clock;

constexpr std::uint32_t most_chunks_of_part = 16;
constexpr std::uint32_t urged_chunks = 8;
constexpr std::chrono::milliseconds longest_wait{500};
constexpr std::chrono::seconds between_urges{1};
constexpr std::chrono::minutes between_looks{1};
// As much longer as the swarm has while others get pieces.
constexpr int in_line = 5;
// That a reader waits for one place while others come.
constexpr std::chrono::seconds longest_turn{10};

// What a reader waits for, where the swarm brings everything else.
constexpr RangeFetches::Amount this_alone{.most_chunks = 1, .parallel = 1};
// Beside a carrier that brings nothing; without one as much as plain pulling would have on its way.
constexpr std::uint32_t most_ahead = 16;
constexpr RangeFetches::Amount alone{.most_chunks = 64, .parallel = 4};

// A file with what keeps it.
struct HeldFile {
    HeldFile(ChunkPin its, int descriptor) : pin{std::move(its)}, file{descriptor} {}
    ChunkPin pin;
    OpenFile file;
};

}  // namespace

Result<FileRange> file_range_of(ChunkExtent extent, std::uint64_t skip, std::uint64_t length)
{
    const int copy = ::fcntl(extent.descriptor, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return fail(Errc::unavailable, "no descriptor for a blob's file", std::to_string(errno));
    const auto held = std::make_shared<HeldFile>(std::move(extent.pin), copy);
    return FileRange{
        .file = std::shared_ptr<const OpenFile>{held, &held->file},
        .offset = extent.offset + skip,
        .length = std::min(extent.length - skip, length),
    };
}

void count_given(
    AgentCounters& counters, const ServedImage& image, ChunkIndex chunk, std::uint64_t offset, std::uint64_t length
)
{
    while (length > 0) {
        const auto here = std::min(length, chunk_bytes - offset);
        counters.count(image.origin(chunk++), here);
        length -= here;
        offset = 0;
    }
}

// How long nothing has come at a place.
struct ImageBody::Wait {
    Time began = steady_clock::now();
    Time urged{};
};

ImageBody::ImageBody(BlobSources& sources, ServedImagePtr image, std::size_t number, PulledBlob blob, ByteRange stretch)
    : sources_{sources},
      image_{std::move(image)},
      blob_{std::move(blob)},
      stretch_{stretch},
      chunks_{image_->image().descriptor().chunks_of(number)},
      end_{chunks_.first + static_cast<ChunkIndex>((stretch.offset + stretch.length - 1) / chunk_bytes) + 1}
{
}

ImageBody::~ImageBody()
{
    if (passing_) passing_->stop();
}

bool ImageBody::carried() const
{
    return sources_.carrier != nullptr && image_->in_swarm() && sources_.carrier->node().has_value();
}

ChunkSpan ImageBody::chunks_from(ChunkIndex chunk, std::uint32_t most) const
{
    return {.first = chunk, .count = chunk < end_ ? std::min(most, end_ - chunk) : 0};
}

// What is here from this chunk on, without a gap.
ChunkSpan ImageBody::run_at(ChunkIndex chunk) const
{
    const auto& descriptor = image_->image().descriptor();
    const auto blob = descriptor.layout().blob_of(descriptor.layout().piece_of_chunk(chunk));
    const auto here = image_->image().here(blob);
    auto run = chunks_from(chunk, most_chunks_of_part);
    std::uint32_t count = 0;
    while (count < run.count && here.contains(chunk + count - chunks_.first)) ++count;
    return {.first = chunk, .count = count};
}

Task<ArrivingBody::Part> ImageBody::part(std::uint64_t offset)
{
    auto waiting = next_part(offset);
    auto part = co_await std::move(waiting);
    if (!part) co_return part;
    const auto took = steady_clock::now() - began_;
    const auto length = std::visit([](const auto& range) { return std::uint64_t{range.length}; }, *part);
    if (offset == 0) sources_.counters.first_byte.observe(took);
    if (offset + length == stretch_.length) sources_.counters.transfer.observe(took);
    co_return part;
}

Task<ArrivingBody::Part> ImageBody::next_part(std::uint64_t offset)
{
    const auto where = co_await asio::this_coro::executor;
    const auto at = stretch_.offset + offset;
    const auto chunk = chunks_.first + static_cast<ChunkIndex>(at / chunk_bytes);
    keep_right(where);
    Wait wait;
    for (;;) {
        if (stopped_) co_return fail(Errc::cancelled, "nobody is there any more");
        if (steady_clock::now() - wait.began > sources_.patience.give_up)
            co_return fail(Errc::unavailable, "neither the swarm nor the registry has sent anything for too long");
        const auto heard = image_->image().arrivals().rung();
        if (const auto run = run_at(chunk); !passing_ && run.count > 0) {
            auto reading = stored_part(run, at);
            auto part = co_await std::move(reading);
            if (part) {
                if (image_->origin(chunk) == ByteOrigin::swarm)
                    falling_back_ = false;
                else
                    ahead_ = std::min(2 * ahead_, most_ahead);
                if (falling_back_ || !carried()) fetch_ahead(where, chunk + run.count);
                co_return part;
            }
            // Damaged, it isn't here any more; otherwise the disk doesn't work.
            const auto code = part.error().code();
            if (code != Errc::corrupt && code != Errc::not_found) note_->in_vain = true;
        }
        if (passing_ || note_->in_vain) {
            auto passing = passed_part(at);
            if (auto part = co_await std::move(passing)) co_return *std::move(part);
            continue;
        }
        want(where, chunk, wait);
        auto patience = std::chrono::duration_cast<steady_clock::duration>(longest_wait);
        if (carried() && !falling_back_) {
            const auto left = swarm_has(steady_clock::now(), wait);
            patience = std::clamp<steady_clock::duration>(left, std::chrono::milliseconds{1}, patience);
        }
        if (note_->failures > 0) patience = std::min<steady_clock::duration>(patience, std::chrono::milliseconds{100});
        co_await image_->image().arrivals().wait(heard, patience);
    }
}

Task<ArrivingBody::Part> ImageBody::stored_part(ChunkSpan run, std::uint64_t at)
{
    auto finding = image_->image().extent(run);
    CO_TRY(auto extent, co_await std::move(finding));
    const auto skip = at % chunk_bytes;
    CO_TRY(auto range, file_range_of(std::move(extent), skip, stretch_.offset + stretch_.length - at));
    count_given(sources_.counters, *image_, run.first, skip, range.length);
    co_return range;
}

// How long the swarm still has to bring us something. Where others say that they get pieces we are in their line, and
// wait longer: ten thousand who began at once would all turn to the registry otherwise, whose link the swarm needs.
ImageBody::Time::duration ImageBody::swarm_has(Time now, const Wait& wait) const
{
    const auto& image = image_->image();
    const bool is_alive = now - image.last_news() < sources_.patience.swarm;
    const auto most = is_alive ? in_line * sources_.patience.swarm : sources_.patience.swarm;
    return most - (now - std::max(wait.began, image.last_arrival()));
}

// Asks for what a reader waits for: the carrier at once, the registry where there is no carrier or it takes too long.
void ImageBody::want(const asio::any_io_executor& where, ChunkIndex chunk, Wait& wait)
{
    const auto now = steady_clock::now();
    if (carried()) {
        if (now - wait.urged >= between_urges) {
            wait.urged = now;
            sources_.carrier->urge(image_->swarm(), chunks_from(chunk, urged_chunks));
        }
        if (!falling_back_ && swarm_has(now, wait) > Time::duration::zero()) {
            // While anything comes the swarm works, and this place has its turn; but not for ever.
            if (now - wait.began >= longest_turn) fetch(where, chunk, this_alone);
            return;
        }
        if (!falling_back_) {
            sources_.counters.fallbacks.fetch_add(1, std::memory_order_relaxed);
            falling_back_ = true;
            ahead_ = 1;
        }
    }
    fetch_ahead(where, chunk);
}

void ImageBody::fetch_ahead(const asio::any_io_executor& where, ChunkIndex from)
{
    // A swarm that is only slow to begin would be slower for what ten thousand nodes fetch beside it: as much as the
    // registry has shown to be needed for.
    const RangeFetches::Amount beside_carrier{.most_chunks = ahead_, .parallel = ahead_ < most_ahead ? 1U : 2U};
    fetch(where, from, carried() ? beside_carrier : alone);
}

void ImageBody::fetch(const asio::any_io_executor& where, ChunkIndex from, RangeFetches::Amount amount)
{
    const auto ahead = chunks_from(from, amount.most_chunks * amount.parallel);
    if (ahead.count > 0) sources_.fetches.start(where, image_, blob_, ahead, amount, note_);
}

// Straight from the registry. nullopt: nothing came yet, or it has to be tried again.
asio::awaitable<std::optional<ArrivingBody::Part>> ImageBody::passed_part(std::uint64_t at)
{
    if (!passing_) {
        const ByteRange rest{.offset = at, .length = stretch_.offset + stretch_.length - at};
        passing_ = std::make_shared<RegistryStream>(sources_.registry, blob_, rest);
        passing_->start(sources_.tasks, co_await asio::this_coro::executor);
    }
    auto waiting = passing_->next(longest_wait);
    auto piece = co_await std::move(waiting);
    if (!piece) {
        log::failure(log::Level::debug, "passing a blob on", piece.error());
        // The disk may have what is missing by now, or take it again.
        passing_.reset();
        note_->in_vain = false;
        co_await pause(longest_wait);
        co_return std::nullopt;
    }
    if (!*piece) co_return std::nullopt;
    const auto length = (*piece)->size();
    sources_.counters.count(ByteOrigin::passed, length);
    co_return Part{MemoryRange{.bytes = *std::move(piece), .offset = 0, .length = length}};
}

void ImageBody::keep_right(const asio::any_io_executor& where)
{
    const auto now = steady_clock::now();
    if (now - looked_ < between_looks || !carried()) return;
    looked_ = now;
    sources_.desk.renew(where, blob_);
}

}  // namespace entrepot
