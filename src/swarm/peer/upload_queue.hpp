#pragma once

#include "swarm/piece.hpp"

#include <boost/container/small_vector.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>

namespace entrepot {

// A request that a neighbour made of this node and that has not begun to be answered.
struct Upload {
    std::uint32_t link = 0;     // whose, in the numbering of the owner
    std::uint32_t request = 0;  // as the neighbour numbers it
    std::uint32_t swarm = 0;    // in the numbering of the owner
    boost::container::small_vector<ChunkSpan, 2> extents;
    std::uint64_t bytes = 0;
    std::uint32_t rank = 0;  // lower goes first; among equals, who came first
};

// What a node has promised to send, over all swarms and neighbours, and not begun: bounded, so that who asks for more
// hears BUSY and asks somebody else. The owner takes one out whenever its link has room. Not safe across threads.
class UploadQueue {
public:
    // Bytes that may wait; one request may always, however large.
    explicit UploadQueue(std::uint64_t limit) noexcept : limit_{limit} {}

    // False: BUSY.
    bool offer(const Upload& upload);
    std::optional<Upload> next();
    // The first whose link may be sent to: one that takes nothing must not hold up the others.
    std::optional<Upload> next(const std::function<bool(std::uint32_t link)>& may_go);
    // How many bytes it had; nullopt: it isn't here any more.
    std::optional<std::uint64_t> cancel(std::uint32_t link, std::uint32_t request);
    void drop_link(std::uint32_t link);
    void drop_swarm(std::uint32_t link, std::uint32_t swarm);

    std::uint64_t bytes() const noexcept { return bytes_; }
    bool empty() const noexcept { return waiting_.empty(); }
    void set_limit(std::uint64_t limit) noexcept { limit_ = limit; }

private:
    template <class Matches>
    std::uint64_t forget(Matches matches);

    std::deque<Upload> waiting_;
    std::uint64_t bytes_ = 0;
    std::uint64_t limit_;
};

}  // namespace entrepot
