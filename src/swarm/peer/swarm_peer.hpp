#pragma once

#include "swarm/peer/across_budget.hpp"
#include "swarm/peer/arrival_watch.hpp"
#include "swarm/peer/ask_book.hpp"
#include "swarm/peer/neighbour.hpp"
#include "swarm/peer/peer_policy.hpp"
#include "swarm/picker/piece_picker.hpp"
#include "swarm/picker/piece_rows.hpp"
#include "swarm/piece_layout.hpp"

#include <boost/container/small_vector.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace entrepot {

// What a SwarmPeer has others do. It is called while the peer is inside one of its own functions and must not call
// back.
class PeerLinks {
public:
    virtual ~PeerLinks() = default;
    // HAVE to all neighbours.
    virtual void announce(std::span<const PieceRange> ranges) = 0;
    // REQUEST: these pieces, in this order.
    virtual void ask(NeighbourSlot neighbour, std::span<const PieceIndex> pieces) = 0;
    virtual void cancel(NeighbourSlot neighbour, PieceIndex piece) = 0;
    // One more neighbour would help; `useless` may go for it.
    virtual void rewire(std::optional<NeighbourSlot> useless) = 0;
    // wake() is wanted at this time; a call that was wanted earlier, and comes anyway, does no harm.
    virtual void wake_at(SwarmTime time) = 0;
};

struct PeerCounts {
    std::uint64_t duplicates = 0;  // pieces that came twice
    std::uint64_t timeouts = 0;
    std::uint64_t refusals = 0;
    std::uint64_t rewires = 0;
};

// One node's part in one swarm: what it has, what its neighbours have, what it asks whom for. Knows no sockets, clock
// or threads: everything comes in through its functions, with the time, and goes out through PeerLinks, so that agents
// and simulations run the same code. What neighbours ask of us is UploadQueue's. Memory: 3 bits and a byte for each
// piece, and a bit for each piece and neighbour. Not safe across threads.
class SwarmPeer {
public:
    // No more neighbours than this.
    static constexpr std::size_t most_neighbours = 64;

    // `layout`, `policy` and `links` outlive the peer. Nothing is asked for before start().
    SwarmPeer(const PieceLayout& layout, const PeerPolicy& policy, PeerLinks& links, std::uint64_t seed);

    // What is here already, before start().
    void hold(PieceIndex piece);
    void start(SwarmTime now);
    // What bounds bytes from other zones; it outlives the peer. Without, nothing does.
    void set_budget(const AcrossBudget& budget) noexcept { budget_ = &budget; }

    // Whether a tracker would name other neighbours: where not, none is given up for being of no use. It is at first.
    void set_tracked(bool tracked) noexcept { tracked_ = tracked; }

    // nullopt: there are most_neighbours. `across`: it is in another zone, and asked only for what no neighbour in ours
    // has.
    std::optional<NeighbourSlot> add_neighbour(bool seed, SwarmTime now, bool across = false);
    // Requests to it are made elsewhere.
    void remove_neighbour(NeighbourSlot neighbour, SwarmTime now);

    // HAVE. `load`: see Neighbour. Ranges beyond the image are the caller's to refuse.
    void has(NeighbourSlot neighbour, std::span<const PieceRange> ranges, SwarmTime load, SwarmTime now);
    // HAVE_MAP: of the pieces in `about` it has `ranges`, and no others.
    void has_only(NeighbourSlot neighbour, PieceRange about, std::span<const PieceRange> ranges, SwarmTime now);
    // It doesn't have that piece, whatever it said.
    void lacks(NeighbourSlot neighbour, PieceIndex piece, SwarmTime now);
    // INTEREST.
    void set_interest(NeighbourSlot neighbour, bool interested) noexcept
    {
        neighbours_[neighbour].interested = interested;
    }
    // A piece came and its chunks have the right hashes. From nobody: it came from the registry, over HTTP.
    void arrived(std::optional<NeighbourSlot> neighbour, PieceIndex piece, SwarmTime now);
    // BUSY: it won't send that; asking again makes sense after `retry`.
    void refused(NeighbourSlot neighbour, PieceIndex piece, SwarmTime retry, SwarmTime load, SwarmTime now);
    // A piece came that isn't what the image's descriptor says.
    void was_false(NeighbourSlot neighbour, PieceIndex piece, SwarmTime now);
    void wake(SwarmTime now);

    // Where the runtime reads, and what it waits for.
    void read_at(PieceIndex piece, SwarmTime now);
    void urge(PieceRange range, SwarmTime now);

    const PiecePicker& picker() const noexcept { return picker_; }
    bool complete() const noexcept { return picker_.missing() == 0; }
    std::uint64_t held_bytes() const noexcept { return held_bytes_; }
    const PeerCounts& counts() const noexcept { return counts_; }
    std::size_t neighbours() const noexcept { return present_; }
    // As far as we were told.
    bool has_all(NeighbourSlot neighbour, std::span<const PieceRange> ranges) const noexcept;
    // The neighbour that may go when there are too many: one with which nothing can be exchanged, or nullopt.
    std::optional<NeighbourSlot> spare_neighbour() const noexcept;

private:
    struct Plan {
        NeighbourSlot neighbour;
        PieceIndex piece;
    };
    using Plans = boost::container::small_vector<Plan, 16>;

    std::uint64_t pipeline_bytes() const noexcept;
    bool starving() const noexcept;
    void pump(SwarmTime now);
    void ask_for_shown(NeighbourSlot seed, std::span<const PieceIndex> pieces, SwarmTime now);
    void take_away(NeighbourSlot neighbour, PieceRange range) noexcept;
    void give_back(NeighbourSlot neighbour, PieceIndex piece);
    std::optional<NeighbourSlot> least_loaded(bool across, SwarmTime now) const noexcept;
    SwarmTime piece_time() const noexcept;
    bool plan_one(SwarmTime now, Plans& plans);
    // So few in its zone that most of the image comes from others, through the pipeline.
    bool is_lonely() const noexcept { return near_ < 3; }
    bool may_cross(SwarmTime now) const noexcept;
    void plan_across(SwarmTime now, Plans& plans);
    std::optional<PieceIndex> pick_across(NeighbourSlot neighbour) noexcept;
    std::uint32_t turns() const noexcept;
    void next_turn(SwarmTime now) noexcept;
    void plan(NeighbourSlot neighbour, PieceIndex piece, SwarmTime now, Plans& plans);
    void send(const Plans& plans);
    void wet() noexcept;
    void settle(NeighbourSlot neighbour, PieceIndex piece, SwarmTime now);
    void cancel_others(PieceIndex piece);
    void give_up_late(SwarmTime now);
    void ask_twice(SwarmTime now, Plans& plans);
    void look_for_better(SwarmTime now);
    std::optional<NeighbourSlot> most_useless(SwarmTime now) const noexcept;
    void announce(PieceIndex piece, SwarmTime now);
    void tell_news(SwarmTime now);
    void set_alarm(SwarmTime now);
    std::uint32_t first_window() const noexcept;

    const PieceLayout& layout_;
    const PeerPolicy& policy_;
    PeerLinks& links_;
    PiecePicker picker_;
    AskBook asks_;
    ArrivalWatch watch_;
    std::vector<Neighbour> neighbours_;
    PieceRows have_;  // by slot
    const AcrossBudget* budget_ = nullptr;
    std::vector<PieceWord> elsewhere_;  // what a neighbour in another zone has, and none in ours
    SwarmRandom random_;
    std::uint32_t turn_ = 0;
    SwarmTime turn_ends_ = 0;
    std::vector<PieceRange> news_;
    PeerCounts counts_;
    std::size_t present_ = 0;
    std::size_t across_ = 0;  // neighbours in other zones
    std::size_t near_ = 0;    // and in ours, without the registry
    std::uint64_t held_bytes_ = 0;
    std::uint64_t duplicated_bytes_ = 0;
    SwarmTime announced_ = 0;
    SwarmTime look_at_ = 0;
    SwarmTime alarm_ = 0;
    SwarmTime starved_since_ = 0;  // 0: not starved
    SwarmTime rewired_ = 0;
    SwarmTime widened_ = 0;
    SwarmTime rewire_wait_ = 0;
    SwarmTime backoff_ = 1;  // times the usual timeout
    bool started_ = false;
    bool tracked_ = true;
};

}  // namespace entrepot
