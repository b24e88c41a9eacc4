#pragma once

#include "swarm/piece.hpp"

#include <boost/container/small_vector.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
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

inline constexpr auto no_upload_limit = std::numeric_limits<std::uint64_t>::max();

// What a node has promised to send, over all swarms and neighbours, and not begun: bounded, so that who asks for more
// hears BUSY and asks somebody else. The owner takes one out whenever its link has room. Not safe across threads.
class UploadQueue {
public:
    // Bytes that may wait, two thirds of them from one link; one request may always, however large.
    explicit UploadQueue(std::uint64_t limit) noexcept : limit_{limit} {}

    // False: BUSY.
    bool offer(const Upload& upload);
    std::optional<Upload> next();
    // The first whose link may be sent to: one that takes nothing must not hold up the others.
    std::optional<Upload> next(const std::function<bool(std::uint32_t link)>& may_go);
    // Takes it out; nullopt: it isn't here any more.
    std::optional<Upload> cancel(std::uint32_t link, std::uint32_t request);
    void drop_link(std::uint32_t link);
    // How many bytes that was.
    std::uint64_t drop_swarm(std::uint32_t link, std::uint32_t swarm);

    std::size_t requests_of(std::uint32_t link) const noexcept;
    std::uint64_t bytes() const noexcept { return bytes_; }
    bool empty() const noexcept { return waiting_.empty(); }
    void set_limit(std::uint64_t limit) noexcept { limit_ = limit; }

private:
    std::uint64_t of_link(std::uint32_t link) const noexcept;
    template <class Matches>
    std::uint64_t forget(Matches matches);

    std::deque<Upload> waiting_;
    std::uint64_t bytes_ = 0;
    std::uint64_t limit_;
};

}  // namespace entrepot
