#include "exchange/synchronous/upload_relay.hpp"

#include <algorithm>

#include <unistd.h>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

// Bytes are rung for when they are on their way to the disk, and are there a little later.
constexpr auto longest_sleep = 50ms;

// So many bytes that are written already, from one of the upload's bytes on.
class WrittenSource final : public ByteSource {
public:
    struct Range {
        std::uint64_t first = 0;
        std::uint64_t length = 0;
    };
    WrittenSource(UploadView& view, Range range, asio::thread_pool& reading, std::function<bool()> stopped)
        : view_{view}, at_{range.first}, left_{range.length}, reading_{reading}, stopped_{std::move(stopped)}
    {
    }

    std::optional<std::uint64_t> size() const override { return left_; }
    Task<std::size_t> read(std::span<std::byte> into) override
    {
        if (stopped_()) co_return fail(Errc::cancelled, "the upload is not sent on any more");
        into = into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), left_)));
        CO_TRY(const auto part, view_.part(at_, into.size()));
        auto count = into.size();
        if (part.bytes) {
            std::ranges::copy(as_bytes(*part.bytes), into.begin());
        } else {
            const auto read = [&] {
                return ::pread(part.file->descriptor(), into.data(), into.size(), static_cast<off_t>(at_));
            };
            const auto done = co_await offload(reading_, read);
            if (done < 0 || (done == 0 && !into.empty()))
                co_return fail(Errc::unavailable, "the upload became shorter");
            count = static_cast<std::size_t>(done);
        }
        at_ += count;
        left_ -= count;
        co_return count;
    }

private:
    UploadView& view_;
    std::uint64_t at_;
    std::uint64_t left_;
    asio::thread_pool& reading_;
    const std::function<bool()> stopped_;
};

}  // namespace

Task<std::string> UploadRelay::operator()()
{
    CO_TRY(upload_, co_await run_.target().begin(into_, relayed_.algorithm(), std::nullopt));
    const auto sent = co_await send();
    // What broke just before the end is gone on with by the copy of the blob.
    const bool of_use = sent || CopyRun::worth_retrying(sent.error().code());
    handed_over_ = of_use && relayed_.state() == RelayedUpload::State::came;
    if (handed_over_) co_return upload_.place;
    CO_CHECK(sent);
    co_return std::string{};
}

Task<> UploadRelay::end()
{
    if (handed_over_ || upload_.place.empty()) co_return Result<>{};
    co_return co_await run_.target().cancel(into_, upload_.place);
}

// Progress makes it patient again, as with BlobCopier.
Task<> UploadRelay::send()
{
    for (int failures = 0;;) {
        const auto length = co_await next_piece();
        if (length == 0) co_return Result<>{};
        const auto before = upload_.offset;
        Result<> sent;
        if (astray_) {
            sent = co_await find_again();
        } else {
            sent = co_await send_piece(length);
        }
        if (upload_.offset > before) failures = 0;
        if (sent) continue;
        const auto code = sent.error().code();
        const bool may_go_on = code == Errc::upload_offset || CopyRun::worth_retrying(code);
        if (!may_go_on || !relayed_.comes(run_.clock().steady())) co_return sent;
        astray_ = true;
        run_.limit().trouble();
        CO_CHECK(co_await run_.rest_after(sent.error(), ++failures));
    }
}

Task<> UploadRelay::send_piece(std::uint64_t length)
{
    const auto stopped = [this] { return run_.halted_now() || relayed_.state() == RelayedUpload::State::failed; };
    WrittenSource piece{view_, {.first = upload_.offset, .length = length}, reading_, stopped};
    CO_TRY(const auto place, co_await run_.limit().enter());
    CO_TRY(upload_, co_await run_.target().append(into_, upload_, piece, length));
    run_.limit().moved(length);
    co_return Result<>{};
}

// After a failure the site knows how much has arrived.
Task<> UploadRelay::find_again()
{
    CO_TRY(upload_, co_await run_.target().resume(into_, upload_.place));
    astray_ = false;
    co_return Result<>{};
}

// Waits until so many bytes are there that they are worth a request. 0: there is no more to wait for.
asio::awaitable<std::uint64_t> UploadRelay::next_piece()
{
    for (;;) {
        const auto heard = relayed_.bell().rung();
        if (!relayed_.comes(run_.clock().steady()) || run_.halted()) co_return 0;
        const auto written = view_.written();
        const auto there = written - std::min(written, upload_.offset);
        if (there >= std::max(shortest_piece, upload_.shortest_chunk)) {
            co_return std::min(there, run_.options().longest_chunk);
        }
        co_await relayed_.bell().wait(heard, longest_sleep);
    }
}

}  // namespace entrepot
