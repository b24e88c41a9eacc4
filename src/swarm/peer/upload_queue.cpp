#include "swarm/peer/upload_queue.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {

bool UploadQueue::offer(const Upload& upload)
{
    if (!waiting_.empty() && bytes_ + upload.bytes > limit_) return false;
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

std::optional<std::uint64_t> UploadQueue::cancel(std::uint32_t link, std::uint32_t request)
{
    const auto bytes = forget([=](const Upload& one) { return one.link == link && one.request == request; });
    return bytes == 0 ? std::nullopt : std::optional{bytes};
}

void UploadQueue::drop_link(std::uint32_t link)
{
    forget([=](const Upload& one) { return one.link == link; });
}

void UploadQueue::drop_swarm(std::uint32_t link, std::uint32_t swarm)
{
    forget([=](const Upload& one) { return one.link == link && one.swarm == swarm; });
}

}  // namespace entrepot
