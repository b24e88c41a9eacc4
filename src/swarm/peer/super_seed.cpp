#include "swarm/peer/super_seed.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace entrepot {

namespace {

constexpr std::uint32_t compared_pieces = 256;
constexpr std::uint64_t least_waiting = 4;  // pieces
constexpr auto most_copies = std::numeric_limits<std::uint8_t>::max();

void add_one(std::uint8_t& copies) noexcept
{
    if (copies != most_copies) ++copies;
}

// So many that they were not counted never get fewer.
void take_one(std::uint8_t& copies) noexcept
{
    if (copies != 0 && copies != most_copies) --copies;
}

}  // namespace

SuperSeed::SuperSeed(
    const PieceLayout& layout,
    const SeedPolicy& policy,
    SeedLinks& links,
    double up,
    PieceIndex first,
    std::uint64_t seed
)
    : layout_{layout},
      policy_{policy},
      links_{links},
      random_{seed},
      have_{layout.pieces()},
      copies_(layout.pieces(), 0),
      first_{first}
{
    set_up(up);
}

void SuperSeed::set_up(double up) noexcept
{
    if (up <= 0)
        waiting_limit_ = std::numeric_limits<std::uint64_t>::max();
    else
        waiting_limit_ = std::max(
            static_cast<std::uint64_t>(up * static_cast<double>(policy_.shown_time)),
            least_waiting * layout_.piece_bytes()
        );
}

std::optional<NeighbourSlot> SuperSeed::add_neighbour(SwarmTime now, std::uint16_t zone)
{
    auto free = std::ranges::find(viewers_, false, &Viewer::present);
    if (free == viewers_.end()) {
        if (viewers_.size() == most_neighbours) return std::nullopt;
        viewers_.emplace_back();
        have_.add_row();
        free = viewers_.end() - 1;
    }
    free->present = true;
    free->news = now;
    free->zone = zone;
    while (zones_.size() <= zone) {
        const auto pieces = layout_.pieces();
        zones_.push_back({.copies = std::vector<std::uint8_t>(pieces), .lacking = pieces, .fed = now});
    }
    ++present_;
    return static_cast<NeighbourSlot>(free - viewers_.begin());
}

SuperSeed::Shown* SuperSeed::find(Viewer& viewer, PieceIndex piece) noexcept
{
    const auto found = std::ranges::find(viewer.shown, piece, &Shown::piece);
    return found == viewer.shown.end() ? nullptr : &*found;
}

void SuperSeed::count(const Viewer& viewer, PieceIndex piece) noexcept
{
    add_one(copies_[piece]);
    auto& zone = zones_[viewer.zone];
    if (zone.copies[piece] == 0) --zone.lacking;
    add_one(zone.copies[piece]);
}

void SuperSeed::uncount(const Viewer& viewer, PieceIndex piece) noexcept
{
    take_one(copies_[piece]);
    auto& zone = zones_[viewer.zone];
    if (zone.copies[piece] == 1) ++zone.lacking;
    take_one(zone.copies[piece]);
}

void SuperSeed::put_back(const Viewer& viewer, PieceIndex piece)
{
    waiting_bytes_ -= layout_.bytes_of(piece);
    shown_bytes_ -= layout_.bytes_of(piece);
    uncount(viewer, piece);
    if (copies_[piece] == 0) returned_.push_back(piece);
}

void SuperSeed::remove_neighbour(NeighbourSlot neighbour)
{
    auto& viewer = viewers_[neighbour];
    for (const auto& shown : viewer.shown) put_back(viewer, shown.piece);
    // What it had may be nowhere else.
    have_.erase(neighbour, {.first = 0, .count = layout_.pieces()}, [&](PieceIndex piece) { uncount(viewer, piece); });
    viewer = {};
    --present_;
}

std::optional<NeighbourSlot> SuperSeed::spare_neighbour() const noexcept
{
    const auto done = [this](const Viewer& viewer) { return viewer.present && viewer.pieces >= layout_.pieces(); };
    const auto found = std::ranges::find_if(viewers_, done);
    if (found == viewers_.end()) return std::nullopt;
    return static_cast<NeighbourSlot>(found - viewers_.begin());
}

void SuperSeed::wake(SwarmTime now)
{
    take_back(now);
    show_more(now);
}

// Looked for only now and then, and whenever anything happens: a swarm in which nothing does has nobody to show to.
void SuperSeed::take_back(SwarmTime now)
{
    if (now - looked_ < policy_.asking_time / 2) return;
    looked_ = now;
    for (auto& zone : zones_) zone.starving = now - zone.fed >= policy_.asking_time;
    for (auto& viewer : viewers_) {
        if (now - viewer.news >= policy_.asking_time) viewer.starving = true;
        const auto too_long = [&](const Shown& shown) {
            const auto patience = shown.asked ? 30 * policy_.asking_time : policy_.asking_time;
            if (now - shown.since < patience) return false;
            put_back(viewer, shown.piece);
            viewer.silent = true;
            return true;
        };
        viewer.shown.erase(std::remove_if(viewer.shown.begin(), viewer.shown.end(), too_long), viewer.shown.end());
    }
}

void SuperSeed::has(NeighbourSlot neighbour, std::span<const PieceRange> ranges, SwarmTime now)
{
    auto& viewer = viewers_[neighbour];
    for (const auto range : ranges) {
        have_.insert(neighbour, range, [&](PieceIndex piece) {
            ++viewer.pieces;
            viewer.silent = false;
            viewer.starving = false;
            viewer.news = now;
            if (const auto* const shown = find(viewer, piece)) return hide(viewer, shown);
            if (zones_[viewer.zone].copies[piece] == 0) zones_[viewer.zone].fed = now;
            count(viewer, piece);
        });
    }
    wake(now);
}

void SuperSeed::asked(NeighbourSlot neighbour, PieceIndex piece) noexcept
{
    auto& viewer = viewers_[neighbour];
    viewer.silent = false;
    if (auto* const shown = find(viewer, piece)) shown->asked = true;
}

void SuperSeed::unasked(NeighbourSlot neighbour, PieceIndex piece, SwarmTime now) noexcept
{
    if (auto* const shown = find(viewers_[neighbour], piece)) {
        shown->asked = false;
        shown->since = now;
    }
}

void SuperSeed::sent(NeighbourSlot neighbour, PieceIndex piece, SwarmTime now)
{
    sent_bytes_ += layout_.bytes_of(piece);
    auto& viewer = viewers_[neighbour];
    if (const auto* const shown = find(viewer, piece)) {
        hide(viewer, shown);
        // It counts as theirs from now on: their announcement comes when it has arrived.
        have_.insert(neighbour, {.first = piece, .count = 1}, [&](PieceIndex) { ++viewer.pieces; });
    }
    wake(now);
}

void SuperSeed::hide(Viewer& viewer, const Shown* shown) noexcept
{
    waiting_bytes_ -= layout_.bytes_of(shown->piece);
    viewer.shown.erase(viewer.shown.begin() + (shown - viewer.shown.data()));
}

// By turns, as far as the link goes.
void SuperSeed::show_more(SwarmTime now)
{
    for (std::size_t without = 0; without < viewers_.size() && waiting_bytes_ < waiting_limit_;) {
        turn_ = turn_ + 1 < viewers_.size() ? turn_ + 1 : 0;
        without = show_one(static_cast<NeighbourSlot>(turn_), now) ? 0 : without + 1;
    }
}

bool SuperSeed::show_one(NeighbourSlot neighbour, SwarmTime now)
{
    auto& viewer = viewers_[neighbour];
    if (!viewer.present || viewer.silent || viewer.shown.size() >= policy_.shown_pieces) return false;
    const auto piece = next_for(neighbour);
    if (!piece) return false;
    viewer.shown.push_back({.piece = *piece, .since = now});
    count(viewer, *piece);
    waiting_bytes_ += layout_.bytes_of(*piece);
    shown_bytes_ += layout_.bytes_of(*piece);
    const PieceRange range{.first = *piece, .count = 1};
    links_.reveal(neighbour, std::span{&range, 1});
    return true;
}

bool SuperSeed::lacks(NeighbourSlot neighbour, PieceIndex piece) noexcept
{
    return !contains(have_[neighbour], piece) && find(viewers_[neighbour], piece) == nullptr;
}

std::optional<PieceIndex> SuperSeed::next_for(NeighbourSlot neighbour)
{
    if (const auto piece = returned_for(neighbour)) return piece;
    while (shown_once_ < layout_.pieces()) {
        const auto piece = (first_ + shown_once_) % layout_.pieces();
        if (copies_[piece] == 0 && !lacks(neighbour, piece)) break;
        ++shown_once_;
        if (copies_[piece] == 0) return piece;
    }
    const auto offered = policy_.offered_copies * static_cast<double>(layout_.bytes());
    const auto& viewer = viewers_[neighbour];
    if (static_cast<double>(shown_bytes_) < offered || viewer.starving) return rarest_for(neighbour);
    // Its neighbours near have what its zone has. What that lacks comes from here or not at all.
    const auto& zone = zones_[viewer.zone];
    if (!zone.starving || zone.lacking == 0) return std::nullopt;
    const auto piece = rarest_for(neighbour);
    return piece && zone.copies[*piece] == 0 ? piece : std::nullopt;
}

std::optional<PieceIndex> SuperSeed::returned_for(NeighbourSlot neighbour)
{
    std::erase_if(returned_, [this](PieceIndex piece) { return copies_[piece] != 0; });
    const auto found = std::ranges::find_if(returned_, [&](PieceIndex piece) { return lacks(neighbour, piece); });
    if (found == returned_.end()) return std::nullopt;
    const auto piece = *found;
    returned_.erase(found);
    return piece;
}

// Of a stretch of the image that begins anywhere.
std::optional<PieceIndex> SuperSeed::rarest_for(NeighbourSlot neighbour)
{
    std::optional<PieceIndex> rarest;
    if (viewers_[neighbour].pieces >= layout_.pieces()) return rarest;
    const auto& near = zones_[viewers_[neighbour].zone].copies;
    const auto start = random_.below(layout_.pieces());
    const auto all = layout_.pieces();
    for (std::uint32_t step = 0, compared = 0; step < all && compared < compared_pieces; ++step) {
        const auto piece = (start + step) % all;
        if (!lacks(neighbour, piece)) continue;
        ++compared;
        const auto key = [&](PieceIndex one) { return std::pair{near[one], copies_[one]}; };
        if (!rarest || key(piece) < key(*rarest)) rarest = piece;
    }
    return rarest;
}

}  // namespace entrepot
