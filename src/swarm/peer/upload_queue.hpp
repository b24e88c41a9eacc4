#pragma once

#include "swarm/peer/neighbour.hpp"
#include "swarm/piece.hpp"

#include <cstdint>
#include <deque>
#include <optional>

namespace entrepot {

// A piece that a neighbour asked of this node and that has not begun to leave.
struct Upload {
    std::uint32_t link = 0;  // whose, in the numbering of the owner
    NeighbourSlot neighbour = 0;
    PieceIndex piece = 0;
    std::uint64_t bytes = 0;
    std::uint32_t rank = 0;  // lower goes first; among equals, who came first
};

// What a node has promised to send, over all swarms and neighbours, and not begun: bounded, so that who asks for more
// hears BUSY and asks somebody else. The owner takes one out whenever its link has room. Not safe across threads.
class UploadQueue {
public:
    // Bytes that may wait; one piece may always, however large.
    explicit UploadQueue(std::uint64_t limit) noexcept : limit_{limit} {}

    // False: BUSY.
    bool offer(const Upload& upload);
    std::optional<Upload> next();
    // True when it was still here.
    bool cancel(std::uint32_t link, NeighbourSlot neighbour, PieceIndex piece);
    void drop_link(std::uint32_t link);

    std::uint64_t bytes() const noexcept { return bytes_; }
    bool empty() const noexcept { return waiting_.empty(); }
    void set_limit(std::uint64_t limit) noexcept { limit_ = limit; }

private:
    std::deque<Upload> waiting_;
    std::uint64_t bytes_ = 0;
    std::uint64_t limit_;
};

}  // namespace entrepot
