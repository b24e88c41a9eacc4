#include "swarm/peer/upload_queue.hpp"

#include <algorithm>

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
    if (waiting_.empty()) return std::nullopt;
    const auto first = waiting_.front();
    waiting_.pop_front();
    bytes_ -= first.bytes;
    return first;
}

bool UploadQueue::cancel(std::uint32_t link, NeighbourSlot neighbour, PieceIndex piece)
{
    const auto found = std::ranges::find_if(waiting_, [&](const Upload& one) {
        return one.link == link && one.neighbour == neighbour && one.piece == piece;
    });
    if (found == waiting_.end()) return false;
    bytes_ -= found->bytes;
    waiting_.erase(found);
    return true;
}

void UploadQueue::drop_link(std::uint32_t link)
{
    std::erase_if(waiting_, [&](const Upload& one) {
        if (one.link != link) return false;
        bytes_ -= one.bytes;
        return true;
    });
}

}  // namespace entrepot
