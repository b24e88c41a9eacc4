#include "exchange/proxy/blob_fetch.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

// Each ring wakes everybody who has caught up.
constexpr auto between_rings = 5ms;
// What was written and not rung for is seen then.
constexpr auto longest_sleep = 200ms;

std::unexpected<Error> too_slow()
{
    Error error{Errc::unavailable, "the upstream registry is slow, try again"};
    error.set_retry_after(5s);
    return std::unexpected{std::move(error)};
}

}  // namespace

Task<BlobFetch::Begun> BlobFetch::begun(Patience patience)
{
    const auto until = std::chrono::steady_clock::now() + patience;
    for (;;) {
        const auto heard = bell_.rung();
        {
            const std::lock_guard guard{mutex_};
            if (outcome_ && !*outcome_) co_return std::unexpected{outcome_->error()};
            if (outcome_ && **outcome_) co_return Begun{.stored = true};
            if (view_) co_return Begun{.stored = false, .size = size_, .attempt = attempt_};
        }
        const auto left = until - std::chrono::steady_clock::now();
        if (left <= 0s) co_return too_slow();
        co_await bell_.wait(heard, left);
    }
}

// What is written is below the mutex's protection only as far as it is the same upload.
std::uint64_t BlobFetch::visible() const
{
    if (!view_) return 0;
    if (verified_) return size_;
    return std::min(view_->written(), size_ - std::min(size_, held_back));
}

Task<std::uint64_t> BlobFetch::beyond(std::uint64_t offset, std::uint64_t attempt, Patience patience)
{
    const auto until = std::chrono::steady_clock::now() + patience;
    for (;;) {
        const auto heard = bell_.rung();
        {
            const std::lock_guard guard{mutex_};
            if (attempt != attempt_) co_return fail(Errc::unavailable, "the fetch began anew, try again");
            if (const auto there = visible(); there > offset) co_return there;
            if (outcome_ && !*outcome_) co_return std::unexpected{outcome_->error()};
            // It came another way than the one that is read here.
            if (outcome_ && offset < size_) co_return fail(Errc::unavailable, "the blob has arrived, try again");
        }
        if (std::chrono::steady_clock::now() >= until) co_return offset;
        co_await bell_.wait(heard, longest_sleep);
    }
}

Result<UploadPart> BlobFetch::part(std::uint64_t offset, std::uint64_t length)
{
    std::shared_ptr<UploadView> view;
    {
        const std::lock_guard guard{mutex_};
        view = view_;
    }
    if (!view) return fail(Errc::internal, "nothing was fetched yet");
    return view->part(offset, length);
}

Task<bool> BlobFetch::stored(Patience patience)
{
    const auto until = std::chrono::steady_clock::now() + patience;
    for (;;) {
        const auto heard = bell_.rung();
        {
            const std::lock_guard guard{mutex_};
            if (outcome_) co_return *outcome_;
        }
        const auto left = until - std::chrono::steady_clock::now();
        if (left <= 0s) co_return too_slow();
        co_await bell_.wait(heard, left);
    }
}

void BlobFetch::arrives(std::shared_ptr<UploadView> view, std::uint64_t size)
{
    {
        const std::lock_guard guard{mutex_};
        if (view_) ++attempt_;
        view_ = std::move(view);
        size_ = size;
    }
    bell_.ring();
}

void BlobFetch::progressed(std::chrono::steady_clock::time_point now)
{
    if (now - rung_at_ < between_rings) return;
    rung_at_ = now;
    bell_.ring();
}

void BlobFetch::verified()
{
    {
        const std::lock_guard guard{mutex_};
        verified_ = true;
    }
    bell_.ring();
}

void BlobFetch::end(Result<bool> stored)
{
    {
        const std::lock_guard guard{mutex_};
        outcome_ = std::move(stored);
    }
    bell_.ring();
}

}  // namespace entrepot
