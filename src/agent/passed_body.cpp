#include "agent/passed_body.hpp"

#include "core/log.hpp"
#include "core/pause.hpp"

#include <utility>

namespace entrepot {
namespace {

constexpr std::chrono::milliseconds longest_wait{500};

}  // namespace

PassedBody::PassedBody(
    Needs needs,
    PulledBlob blob,
    ByteRange stretch,
    const asio::any_io_executor& where,
    std::unique_ptr<ByteSource> opened
)
    : needs_{needs},
      blob_{std::move(blob)},
      stretch_{stretch},
      stream_{std::make_shared<RegistryStream>(needs.registry, blob_, stretch)}
{
    stream_->start(needs_.tasks, where, std::move(opened));
}

Task<ArrivingBody::Part> PassedBody::part(std::uint64_t offset)
{
    const auto began = std::chrono::steady_clock::now();
    for (;;) {
        if (stopped_) co_return fail(Errc::cancelled, "nobody is there any more");
        auto waiting = stream_->next(longest_wait);
        auto piece = co_await std::move(waiting);
        if (piece && *piece) {
            const auto length = (*piece)->size();
            needs_.counters.count(ByteOrigin::passed, length);
            co_return MemoryRange{.bytes = *std::move(piece), .offset = 0, .length = length};
        }
        if (std::chrono::steady_clock::now() - began > needs_.give_up)
            co_return fail(Errc::unavailable, "the registry has sent nothing for too long");
        if (piece) continue;
        log::failure(log::Level::debug, "passing a blob on", piece.error());
        co_await pause(longest_wait);
        const ByteRange rest{.offset = stretch_.offset + offset, .length = stretch_.length - offset};
        stream_ = std::make_shared<RegistryStream>(needs_.registry, blob_, rest);
        stream_->start(needs_.tasks, co_await asio::this_coro::executor);
    }
}

}  // namespace entrepot
