#pragma once

#include "swarm/peer/neighbour.hpp"
#include "swarm/picker/piece_rows.hpp"
#include "swarm/piece_layout.hpp"
#include "swarm/swarm_random.hpp"

#include <boost/container/small_vector.hpp>

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

namespace entrepot {

// What a SuperSeed has others do; called from inside its functions.
class SeedLinks {
public:
    virtual ~SeedLinks() = default;
    // HAVE to this neighbour alone.
    virtual void reveal(NeighbourSlot neighbour, std::span<const PieceRange> ranges) = 0;
};

struct SeedPolicy {
    // Pieces that a neighbour is shown and has not been sent.
    std::uint32_t shown_pieces = 2;
    // All neighbours together are shown no more than leaves in so much time, or four pieces: what waits longer could
    // have been shown to somebody who has nothing else to do.
    SwarmTime shown_time = 100 * swarm_millisecond;
    // A piece that a neighbour was shown and did not ask for is shown to others after so long.
    SwarmTime asking_time = 1 * swarm_second;
    // Copies of the image that are offered in all; after that only to who gets nothing from others for asking_time.
    double offered_copies = 2.5;
};

// The registry's part in one swarm. It has everything and says so of little: each neighbour is shown a few pieces, and
// at first each piece only one of them, in order; so the first copy of the whole image is with the nodes as soon as the
// registry's link allows, and they have the rest from each other. After that it shows what is rarest among its
// neighbours. Several instances begin at different places. What a neighbour was shown and does not ask for, or owed
// when it went, is shown to others: a piece that one silent node keeps to itself would keep all others from their end.
// A zone to which nothing comes from other zones is shown all that it lacks.
// Memory: a byte for each piece, a bit for each piece and neighbour. Not safe across threads.
class SuperSeed {
public:
    static constexpr std::size_t most_neighbours = 256;

    // `layout`, `policy` and `links` outlive it. `up`: bytes a microsecond that it can send, 0: nobody knows. `first`:
    // where the first round begins.
    SuperSeed(
        const PieceLayout& layout,
        const SeedPolicy& policy,
        SeedLinks& links,
        double up,
        PieceIndex first,
        std::uint64_t seed
    );

    // What it can send from now on, as for the constructor.
    void set_up(double up) noexcept;

    // nullopt: there are most_neighbours. It is shown nothing before the next wake(). `zone` in a numbering of the
    // caller's, from 0 and without gaps: each costs a byte for each piece.
    std::optional<NeighbourSlot> add_neighbour(SwarmTime now, std::uint16_t zone = 0);
    void remove_neighbour(NeighbourSlot neighbour);
    void has(NeighbourSlot neighbour, std::span<const PieceRange> ranges, SwarmTime now);
    // Shows more; looks for what was not asked for, and who gets nothing from others. Twice in policy.asking_time.
    void wake(SwarmTime now);
    // It wants to be sent a piece, and will be; and then not, after all.
    void asked(NeighbourSlot neighbour, PieceIndex piece) noexcept;
    void unasked(NeighbourSlot neighbour, PieceIndex piece, SwarmTime now) noexcept;
    // A piece has left for it, shown or not.
    void sent(NeighbourSlot neighbour, PieceIndex piece, SwarmTime now);

    std::size_t neighbours() const noexcept { return present_; }
    // One that has everything, and may go for another.
    std::optional<NeighbourSlot> spare_neighbour() const noexcept;
    std::uint64_t sent_bytes() const noexcept { return sent_bytes_; }

private:
    struct Shown {
        PieceIndex piece;
        SwarmTime since;
        bool asked = false;
    };
    struct Viewer {
        bool present = false;
        bool silent = false;    // did not ask for what it was shown
        bool starving = false;  // has news of nothing but what it was sent from here
        SwarmTime news = 0;     // when it had
        std::uint16_t zone = 0;
        std::uint32_t pieces = 0;
        boost::container::small_vector<Shown, 4> shown;
    };

    struct Zone {
        std::vector<std::uint8_t> copies;  // of each piece, that viewers in it have or were shown
        std::uint32_t lacking = 0;         // pieces without any
        SwarmTime fed = 0;                 // when it had a piece last that was not from here
        bool starving = false;             // that is long ago
    };

    void show_more(SwarmTime now);
    bool show_one(NeighbourSlot neighbour, SwarmTime now);
    void hide(Viewer& viewer, const Shown* shown) noexcept;
    void take_back(SwarmTime now);
    void put_back(const Viewer& viewer, PieceIndex piece);
    void count(const Viewer& viewer, PieceIndex piece) noexcept;
    void uncount(const Viewer& viewer, PieceIndex piece) noexcept;
    static Shown* find(Viewer& viewer, PieceIndex piece) noexcept;
    std::optional<PieceIndex> next_for(NeighbourSlot neighbour);
    std::optional<PieceIndex> returned_for(NeighbourSlot neighbour);
    std::optional<PieceIndex> rarest_for(NeighbourSlot neighbour);
    bool lacks(NeighbourSlot neighbour, PieceIndex piece) noexcept;

    const PieceLayout& layout_;
    const SeedPolicy& policy_;
    SeedLinks& links_;
    SwarmRandom random_;
    std::vector<Viewer> viewers_;
    PieceRows have_;                    // by slot
    std::vector<std::uint8_t> copies_;  // of each piece, that neighbours have or were shown
    std::vector<Zone> zones_;
    std::deque<PieceIndex> returned_;
    PieceIndex first_;
    std::uint32_t shown_once_ = 0;  // pieces of the first round that are out
    std::uint64_t waiting_limit_ = 0;
    std::uint64_t waiting_bytes_ = 0;  // shown and not sent
    std::size_t turn_ = 0;             // whose it is to be shown something
    std::size_t present_ = 0;
    SwarmTime looked_ = 0;
    std::uint64_t shown_bytes_ = 0;
    std::uint64_t sent_bytes_ = 0;
};

}  // namespace entrepot
