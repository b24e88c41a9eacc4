#include "swarm/peer/upload_queue.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {

std::uint64_t UploadQueue::of_link(std::uint32_t link) const noexcept
{
    // A handful, except at the registry, which bounds by what it shows.
    if (limit_ == no_upload_limit) return 0;
    std::uint64_t bytes = 0;
    for (const auto& one : waiting_) bytes += one.link == link ? one.bytes : 0;
    return bytes;
}

std::size_t UploadQueue::requests_of(std::uint32_t link) const noexcept
{
    return static_cast<std::size_t>(std::ranges::count(waiting_, link, &Upload::link));
}

bool UploadQueue::offer(const Upload& upload)
{
    if (!waiting_.empty() && bytes_ + upload.bytes > limit_) return false;
    if (const auto waiting = of_link(upload.link); waiting != 0 && waiting + upload.bytes > limit_ / 3 * 2)
        return false;
    bytes_ += upload.bytes;
    const auto after = std::ranges::upper_bound(waiting_, upload.rank, {}, &Upload::rank);
    waiting_.insert(after, upload);
    return true;
}

std::optional<Upload> UploadQueue::next()
{
    return next([](std::uint32_t) { return true; });
}

std::optional<Upload> UploadQueue::next(const std::function<bool(std::uint32_t)>& may_go)
{
    const auto found = std::ranges::find_if(waiting_, may_go, &Upload::link);
    if (found == waiting_.end()) return std::nullopt;
    auto first = std::move(*found);
    waiting_.erase(found);
    bytes_ -= first.bytes;
    return first;
}

template <class Matches>
std::uint64_t UploadQueue::forget(Matches matches)
{
    std::uint64_t forgotten = 0;
    std::erase_if(waiting_, [&](const Upload& one) {
        if (!matches(one)) return false;
        forgotten += one.bytes;
        return true;
    });
    bytes_ -= forgotten;
    return forgotten;
}

std::optional<Upload> UploadQueue::cancel(std::uint32_t link, std::uint32_t request)
{
    const auto found =
        std::ranges::find_if(waiting_, [=](const Upload& one) { return one.link == link && one.request == request; });
    if (found == waiting_.end()) return std::nullopt;
    auto upload = std::move(*found);
    waiting_.erase(found);
    bytes_ -= upload.bytes;
    return upload;
}

void UploadQueue::drop_link(std::uint32_t link)
{
    forget([=](const Upload& one) { return one.link == link; });
}

std::uint64_t UploadQueue::drop_swarm(std::uint32_t link, std::uint32_t swarm)
{
    return forget([=](const Upload& one) { return one.link == link && one.swarm == swarm; });
}

}  // namespace entrepot
