#include "agent/registry_blob.hpp"

#include "core/ascii.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

namespace entrepot {
namespace {

constexpr std::size_t piece_bytes = 128 * 1024;
constexpr std::size_t most_pieces_ahead = 8;
constexpr std::chrono::milliseconds between_looks{500};

std::unexpected<Error> refused(unsigned status)
{
    const auto said = "the registry answered " + std::to_string(status);
    if (status == 401 || status == 403) return fail(Errc::denied, said);
    if (status == 404) return fail(Errc::blob_unknown, said);
    return fail(Errc::unavailable, said);
}

// Where a 206 begins, by its Content-Range ("bytes 5-9/20").
std::optional<std::uint64_t> start_of(std::string_view content_range)
{
    constexpr std::string_view unit = "bytes ";
    if (!same_word(content_range.substr(0, unit.size()), unit)) return std::nullopt;
    const auto range = trimmed(content_range.substr(unit.size()));
    return parse_decimal(range.substr(0, range.find('-')));
}

Task<> skip_bytes(ByteSource& source, std::uint64_t count)
{
    std::string scratch(std::min<std::uint64_t>(count, piece_bytes), '\0');
    while (count > 0) {
        const auto into =
            std::as_writable_bytes(std::span{scratch}.first(std::min<std::uint64_t>(count, scratch.size())));
        auto reading = source.read(into);
        CO_TRY(const auto got, co_await std::move(reading));
        if (got == 0) co_return fail(Errc::connection_lost, "the registry's answer is too short");
        count -= got;
    }
    co_return Result<>{};
}

}  // namespace

Task<BlobStretch> open_stretch(RegistryClient& registry, PulledBlob blob, ByteRange wanted)
{
    auto opening = registry.open({
        .target = RegistryClient::blob_target(blob.repository, blob.digest),
        .authorization = blob.puller.authorization(),
        .range = RegistryClient::range_text(wanted),
    });
    CO_TRY(auto answer, co_await std::move(opening));
    if (answer.status == 200) co_return BlobStretch{.body = std::move(answer.body), .skip = wanted.offset};
    if (answer.status != 206) co_return refused(answer.status);
    if (start_of(answer.field("Content-Range")) != wanted.offset)
        co_return fail(Errc::unavailable, "the registry answered another range");
    co_return BlobStretch{.body = std::move(answer.body)};
}

void RegistryStream::start(TaskGroup& tasks, const asio::any_io_executor& where, std::unique_ptr<ByteSource> opened)
{
    if (tasks.spawn(where, pump(shared_from_this(), std::move(opened)))) return;
    const std::lock_guard guard{mutex_};
    failure_ = Error{Errc::unavailable, "the agent is stopping"};
}

asio::awaitable<void> RegistryStream::pump(std::shared_ptr<RegistryStream> self, std::unique_ptr<ByteSource> opened)
{
    auto done = Result<>{fail(Errc::unavailable, "the agent is stopping")};
    try {
        auto reading = self->read_on(std::move(opened));
        done = co_await std::move(reading);
    } catch (const std::exception& thrown) {
        done = fail(Errc::unavailable, "reading from the registry ended", thrown.what());
    }
    if (done) co_return;
    {
        const std::lock_guard guard{self->mutex_};
        self->failure_ = std::move(done).error();
    }
    self->arrivals_.ring();
}

Task<> RegistryStream::read_on(std::unique_ptr<ByteSource> opened)
{
    BlobStretch stretch{.body = std::move(opened)};
    if (!stretch.body) {
        auto opening = open_stretch(registry_, blob_, wanted_);
        CO_TRY(stretch, co_await std::move(opening));
    }
    CO_CHECK(co_await skip_bytes(*stretch.body, stretch.skip));
    std::vector<std::byte> scratch(piece_bytes);
    for (std::uint64_t left = wanted_.length; left > 0;) {
        if (!co_await wait_for_room()) co_return Result<>{};
        const auto most = std::min<std::uint64_t>(left, scratch.size());
        std::size_t filled = 0;
        // A reader that has nothing yet is not kept waiting for a full piece.
        do {
            auto reading = stretch.body->read(std::span{scratch}.first(most).subspan(filled));
            CO_TRY(const auto got, co_await std::move(reading));
            if (got == 0) co_return fail(Errc::connection_lost, "the registry's answer is too short");
            filled += got;
        } while (filled < most && has_pieces());
        left -= filled;
        put(std::make_shared<const std::string>(as_text(std::span{scratch}.first(filled))));
    }
    co_return Result<>{};
}

bool RegistryStream::has_pieces()
{
    const std::lock_guard guard{mutex_};
    return !pieces_.empty();
}

void RegistryStream::put(Piece piece)
{
    {
        const std::lock_guard guard{mutex_};
        pieces_.push_back(std::move(piece));
    }
    arrivals_.ring();
}

// False: nobody reads any more.
asio::awaitable<bool> RegistryStream::wait_for_room()
{
    for (;;) {
        const auto heard = room_.rung();
        {
            const std::lock_guard guard{mutex_};
            if (stopped_) co_return false;
            if (pieces_.size() < most_pieces_ahead) co_return true;
        }
        co_await room_.wait(heard, between_looks);
    }
}

Task<std::shared_ptr<const std::string>> RegistryStream::next(std::chrono::steady_clock::duration patience)
{
    const auto until = std::chrono::steady_clock::now() + patience;
    for (;;) {
        const auto heard = arrivals_.rung();
        Piece piece;
        {
            const std::lock_guard guard{mutex_};
            if (pieces_.empty() && failure_) co_return std::unexpected{*failure_};
            if (!pieces_.empty()) {
                piece = std::move(pieces_.front());
                pieces_.pop_front();
            }
        }
        if (piece) {
            room_.ring();
            co_return piece;
        }
        const auto left = until - std::chrono::steady_clock::now();
        if (left <= left.zero()) co_return piece;
        co_await arrivals_.wait(heard, left);
    }
}

void RegistryStream::stop() noexcept
{
    {
        const std::lock_guard guard{mutex_};
        stopped_ = true;
        pieces_.clear();
    }
    room_.ring();
}

}  // namespace entrepot
