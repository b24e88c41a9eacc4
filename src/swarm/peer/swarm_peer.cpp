#include "swarm/peer/swarm_peer.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {

namespace {

// Who did not answer so often in a row, not even with BUSY, goes.
constexpr std::uint16_t strikes_until_out = 3;
// Asked of who did not answer yet, or not when last asked, and beside the pipeline: who announces everything and
// answers nothing looks like the best of all neighbours, and a few such would fill it.
constexpr std::uint32_t pieces_on_trial = 1;
// The registry shows each neighbour a few pieces at a time; more than these are no showing.
constexpr std::size_t most_shown = 8;

}  // namespace

SwarmPeer::SwarmPeer(const PieceLayout& layout, const PeerPolicy& policy, PeerLinks& links, std::uint64_t seed)
    : layout_{layout},
      policy_{policy},
      links_{links},
      picker_{layout.pieces(), 1, seed},
      have_{layout.pieces()},
      random_{~seed}
{
    picker_.set_window(first_window());
}

std::uint32_t SwarmPeer::first_window() const noexcept
{
    return std::max(policy_.window_pieces, layout_.pieces() / 100 * policy_.window_percent);
}

void SwarmPeer::hold(PieceIndex piece)
{
    if (picker_.hold(piece)) held_bytes_ += layout_.bytes_of(piece);
}

void SwarmPeer::start(SwarmTime now)
{
    started_ = true;
    look_at_ = now + policy_.look_interval;
    pump(now);
    set_alarm(now);
}

std::optional<NeighbourSlot> SwarmPeer::add_neighbour(bool seed, SwarmTime now, bool across)
{
    auto free = std::ranges::find(neighbours_, false, &Neighbour::present);
    if (free == neighbours_.end()) {
        if (neighbours_.size() == most_neighbours) return std::nullopt;
        neighbours_.emplace_back();
        have_.add_row();
        free = neighbours_.end() - 1;
    }
    *free =
        Neighbour{.present = true, .seed = seed, .across = across && !seed, .dry = true, .since = now, .useful = now};
    ++present_;
    if (free->across) ++across_;
    if (!free->across && !seed) ++near_;
    return static_cast<NeighbourSlot>(free - neighbours_.begin());
}

void SwarmPeer::remove_neighbour(NeighbourSlot neighbour, SwarmTime now)
{
    take_away(neighbour, {.first = 0, .count = layout_.pieces()});
    const auto gone = std::exchange(neighbours_[neighbour], {});
    --present_;
    if (gone.across) --across_;
    if (!gone.across && !gone.seed) --near_;
    while (const auto ask = asks_.remove_first([=](const AskBook::Ask& one) { return one.neighbour == neighbour; })) {
        if (!ask->late && !asks_.has(ask->piece)) picker_.put_back(ask->piece);
    }
    wet();
    pump(now);
}

// Something became open or came into the window: everybody may have what we want again.
void SwarmPeer::wet() noexcept
{
    for (auto& neighbour : neighbours_) neighbour.dry = false;
}

void SwarmPeer::has(NeighbourSlot neighbour, std::span<const PieceRange> ranges, SwarmTime load, SwarmTime now)
{
    auto& them = neighbours_[neighbour];
    them.load = load;
    if (complete()) {
        // Who has everything only wants to know who else has; announcements don't repeat themselves.
        for (const auto range : ranges) them.pieces += range.count;
        return;
    }
    boost::container::small_vector<PieceIndex, 8> shown;
    for (const auto range : ranges) {
        have_.insert(neighbour, range, [&](PieceIndex piece) {
            ++them.pieces;
            picker_.add_holder(piece);
            if (!picker_.is_open(piece)) return;
            them.dry = false;
            if (them.seed && shown.size() < most_shown) shown.push_back(piece);
        });
    }
    if (!started_ || them.dry) return;
    if (them.seed) ask_for_shown(neighbour, shown, now);
    if (asks_.bytes() < pipeline_bytes()) pump(now);
    set_alarm(now);
}

// What the registry shows is nowhere else yet, and it waits until it is asked: first of all, and whatever else is under
// way.
void SwarmPeer::ask_for_shown(NeighbourSlot seed, std::span<const PieceIndex> pieces, SwarmTime now)
{
    Plans plans;
    for (const auto piece : pieces) {
        if (neighbours_[seed].asked < most_shown) plan(seed, piece, now, plans);
    }
    send(plans);
}

void SwarmPeer::take_away(NeighbourSlot neighbour, PieceRange range) noexcept
{
    auto& them = neighbours_[neighbour];
    have_.erase(neighbour, range, [&](PieceIndex piece) {
        picker_.remove_holder(piece);
        if (them.pieces != 0) --them.pieces;
    });
}

void SwarmPeer::has_only(NeighbourSlot neighbour, PieceRange about, std::span<const PieceRange> ranges, SwarmTime now)
{
    take_away(neighbour, about);
    has(neighbour, ranges, neighbours_[neighbour].load, now);
}

void SwarmPeer::lacks(NeighbourSlot neighbour, PieceIndex piece, SwarmTime now)
{
    take_away(neighbour, {.first = piece, .count = 1});
    give_back(neighbour, piece);
    pump(now);
    set_alarm(now);
}

// A request that ended without its piece.
void SwarmPeer::give_back(NeighbourSlot neighbour, PieceIndex piece)
{
    const auto ask = asks_.remove(neighbour, piece);
    if (!ask || ask->late) return;
    --neighbours_[neighbour].asked;
    if (asks_.has(piece)) return;
    picker_.put_back(piece);
    wet();
}

std::uint64_t SwarmPeer::pipeline_bytes() const noexcept
{
    const auto by_time = static_cast<std::uint64_t>(watch_.rate() * static_cast<double>(policy_.pipeline_time));
    return std::max(policy_.pipeline_pieces * layout_.piece_bytes(), by_time);
}

// That a piece takes here.
SwarmTime SwarmPeer::piece_time() const noexcept
{
    constexpr double longest = 10 * swarm_second;
    if (watch_.rate() <= 0) return swarm_millisecond;
    return static_cast<SwarmTime>(std::min(static_cast<double>(layout_.piece_bytes()) / watch_.rate(), longest));
}

// The neighbour that would answer first: the shortest queue by its own word and by what we have asked already.
std::optional<NeighbourSlot> SwarmPeer::least_loaded(bool across, SwarmTime now) const noexcept
{
    std::optional<NeighbourSlot> best;
    SwarmTime best_wait = 0;
    const auto one_piece = piece_time();
    for (std::size_t slot = 0; slot < neighbours_.size(); ++slot) {
        const auto& them = neighbours_[slot];
        if (!them.present || them.dry || them.busy_until > now || them.across != across) continue;
        if (them.asked >= (them.answers ? policy_.neighbour_pieces : pieces_on_trial)) continue;
        const auto wait = them.load + (them.asked + them.strikes) * one_piece;
        if (best && wait >= best_wait) continue;
        best = static_cast<NeighbourSlot>(slot);
        best_wait = wait;
    }
    return best;
}

// Half of the pipeline is empty, even if all who are on trial answer.
bool SwarmPeer::starving() const noexcept
{
    auto rest = pipeline_bytes() / 2;
    for (const auto& ask : asks_.all()) {
        if (ask.late || neighbours_[ask.neighbour].seed) continue;
        if (ask.bytes >= rest) return false;
        rest -= ask.bytes;
    }
    return true;
}

void SwarmPeer::pump(SwarmTime now)
{
    if (!started_ || complete()) return;
    Plans plans;
    const auto target = pipeline_bytes();
    plan_across(now, plans);
    while (asks_.bytes() < target && picker_.open() > 0 && plan_one(now, plans)) {
    }
    if (asks_.bytes() * 2 < target && picker_.open() > 0 && !picker_.window_covers_all() &&
        now - widened_ >= policy_.widen_interval) {
        // Nobody has more of what comes next: look further ahead.
        widened_ = now;
        picker_.set_window(picker_.window() * 2);
        wet();
        send(plans);
        pump(now);
        return;
    }
    if (asks_.bytes() < target && picker_.open() == 0) ask_twice(now, plans);
    send(plans);
    if (!starving() || picker_.open() == 0)
        starved_since_ = 0;
    else if (starved_since_ == 0)
        starved_since_ = now;
}

// Of the nearest who have any. False: nobody could be asked.
bool SwarmPeer::plan_one(SwarmTime now, Plans& plans)
{
    for (const bool across : {false, true}) {
        if (across && !(is_lonely() && may_cross(now))) break;
        while (const auto neighbour = least_loaded(across, now)) {
            if (const auto piece = across ? pick_across(*neighbour) : picker_.pick(have_[*neighbour])) {
                plan(*neighbour, *piece, now, plans);
                return true;
            }
            neighbours_[*neighbour].dry = true;
        }
    }
    return false;
}

void SwarmPeer::plan(NeighbourSlot neighbour, PieceIndex piece, SwarmTime now, Plans& plans)
{
    picker_.take(piece);
    auto& them = neighbours_[neighbour];
    asks_.add(
        {.piece = piece,
         .neighbour = neighbour,
         .since = now,
         .bytes = layout_.bytes_of(piece),
         .in_pipeline = !them.seed && them.answers && (!them.across || is_lonely())}
    );
    ++them.asked;
    plans.push_back({.neighbour = neighbour, .piece = piece});
}

// One REQUEST to each neighbour, however many pieces it is about.
void SwarmPeer::send(const Plans& plans)
{
    boost::container::small_vector<PieceIndex, 16> pieces;
    for (auto plan = plans.begin(); plan != plans.end(); ++plan) {
        const auto same = [&](const Plan& other) { return other.neighbour == plan->neighbour; };
        if (std::any_of(plans.begin(), plan, same)) continue;
        pieces.clear();
        for (auto other = plan; other != plans.end(); ++other) {
            if (same(*other)) pieces.push_back(other->piece);
        }
        links_.ask(plan->neighbour, pieces);
    }
}

// Everything is asked for. What is asked of slow ones is asked of others too, within the budget for that.
void SwarmPeer::ask_twice(SwarmTime now, Plans& plans)
{
    const auto budget = layout_.bytes() / 100 * policy_.duplicate_percent;
    while (duplicated_bytes_ < budget) {
        const auto neighbour = least_loaded(false, now);
        if (!neighbour) return;
        auto& them = neighbours_[*neighbour];
        const auto piece = them.asked == 0 ? picker_.pick_again(have_[*neighbour]) : std::nullopt;
        const auto same = [&](const AskBook::Ask& ask) { return ask.piece == piece && !ask.late; };
        const auto old = [&](const AskBook::Ask& ask) {
            return same(ask) && now - ask.since > policy_.shortest_timeout / 4;
        };
        if (!piece || std::ranges::count_if(asks_.all(), same) != 1 || std::ranges::count_if(asks_.all(), old) != 1) {
            them.dry = true;
            continue;
        }
        duplicated_bytes_ += layout_.bytes_of(*piece);
        plan(*neighbour, *piece, now, plans);
    }
}

void SwarmPeer::arrived(std::optional<NeighbourSlot> neighbour, PieceIndex piece, SwarmTime now)
{
    if (neighbour) settle(*neighbour, piece, now);
    if (!picker_.hold(piece)) {
        ++counts_.duplicates;
    } else {
        held_bytes_ += layout_.bytes_of(piece);
        cancel_others(piece);
        announce(piece, now);
    }
    pump(now);
    set_alarm(now);
}

void SwarmPeer::settle(NeighbourSlot neighbour, PieceIndex piece, SwarmTime now)
{
    auto& them = neighbours_[neighbour];
    them.useful = now;
    them.answers = true;
    them.strikes = 0;
    them.refusals = 0;
    backoff_ = 1;
    if (!them.seed) rewire_wait_ = policy_.idle_until_rewire;
    if (const auto ask = asks_.remove(neighbour, piece)) {
        if (!ask->late) --them.asked;
        watch_.note(now - ask->since, ask->bytes, now);
    }
}

void SwarmPeer::cancel_others(PieceIndex piece)
{
    while (const auto ask = asks_.remove_first([=](const AskBook::Ask& one) { return one.piece == piece; })) {
        if (ask->late) continue;
        --neighbours_[ask->neighbour].asked;
        links_.cancel(ask->neighbour, piece);
    }
}

void SwarmPeer::refused(NeighbourSlot neighbour, PieceIndex piece, SwarmTime retry, SwarmTime load, SwarmTime now)
{
    ++counts_.refusals;
    auto& them = neighbours_[neighbour];
    them.load = load;
    them.answers = true;
    them.strikes = 0;
    // Where everybody asks, asking often only makes it worse.
    them.busy_until = now + (retry << std::min<std::uint16_t>(them.refusals, 2));
    ++them.refusals;
    give_back(neighbour, piece);
    pump(now);
    set_alarm(now);
}

void SwarmPeer::was_false(NeighbourSlot neighbour, PieceIndex piece, SwarmTime now)
{
    give_back(neighbour, piece);
    neighbours_[neighbour].busy_until = now + swarm_second;
    pump(now);
}

void SwarmPeer::announce(PieceIndex piece, SwarmTime now)
{
    if (!news_.empty() && news_.back().first + news_.back().count == piece)
        ++news_.back().count;
    else
        news_.push_back({.first = piece, .count = 1});
    // The last one is waited for by nobody else of us, and may be the one that others wait for.
    if (now - announced_ >= policy_.announce_interval || complete()) tell_news(now);
}

void SwarmPeer::tell_news(SwarmTime now)
{
    links_.announce(news_);
    news_.clear();
    announced_ = now;
}

void SwarmPeer::wake(SwarmTime now)
{
    if (!started_ || alarm_ == 0 || now < alarm_) return;  // an earlier one was wanted meanwhile
    alarm_ = 0;
    if (!news_.empty() && now - announced_ >= policy_.announce_interval) tell_news(now);
    if (!complete() && across_ != 0 && now >= turn_ends_) {
        next_turn(now);
        pump(now);
    }
    if (!complete() && now >= look_at_) {
        look_at_ = now + policy_.look_interval;
        give_up_late(now);
        if (picker_.window() > first_window() && starved_since_ == 0) picker_.set_window(picker_.window() / 2);
        wet();
        pump(now);
        look_for_better(now);
    }
    set_alarm(now);
}

// What does not come in time is asked of somebody else; who was late is asked last from now on.
void SwarmPeer::give_up_late(SwarmTime now)
{
    const auto timeout = watch_.timeout(policy_.shortest_timeout) * backoff_;
    // The registry is asked for what it shows when it shows it, and sends it in its turn.
    const auto late = [&](const AskBook::Ask& one) {
        return now - one.since > (neighbours_[one.neighbour].seed ? 4 * timeout : timeout);
    };
    // What is late ten times over will not come.
    while (asks_.remove_first([&](const AskBook::Ask& one) { return one.late && now - one.since > 10 * timeout; })) {
    }
    bool any = false;
    while (const auto ask = asks_.give_up_first(late)) {
        any = true;
        ++counts_.timeouts;
        auto& them = neighbours_[ask->neighbour];
        --them.asked;
        them.answers = false;
        ++them.strikes;
        them.busy_until = now + std::min<SwarmTime>(them.strikes, 8) * policy_.look_interval;
        links_.cancel(ask->neighbour, ask->piece);
        if (!asks_.has(ask->piece)) picker_.put_back(ask->piece);
        if (them.strikes >= strikes_until_out && tracked_) {
            ++counts_.rewires;
            links_.rewire(ask->neighbour);
        }
    }
    constexpr SwarmTime most_backoff = 2;
    if (any) backoff_ = std::min(2 * backoff_, most_backoff);
}

void SwarmPeer::look_for_better(SwarmTime now)
{
    if (!tracked_ || starved_since_ == 0 || now - starved_since_ < policy_.idle_until_rewire) return;
    if (now - rewired_ < std::max(rewire_wait_, policy_.idle_until_rewire)) return;
    // Who asks in vain asks more and more rarely.
    constexpr SwarmTime longest_wait = swarm_second;
    rewire_wait_ = std::min(2 * std::max(rewire_wait_, policy_.idle_until_rewire), longest_wait);
    rewired_ = now;
    ++counts_.rewires;
    links_.rewire(most_useless(now));
}

std::optional<NeighbourSlot> SwarmPeer::most_useless(SwarmTime now) const noexcept
{
    std::optional<NeighbourSlot> worst;
    for (std::size_t slot = 0; slot < neighbours_.size(); ++slot) {
        const auto& them = neighbours_[slot];
        // Those of other zones are few, and are useful when nobody near is.
        if (!them.present || them.across || them.asked > 0 || now - them.since < policy_.neighbour_trial) continue;
        if (now - them.useful < policy_.idle_until_rewire) continue;
        if (!worst || them.useful < neighbours_[*worst].useful) worst = static_cast<NeighbourSlot>(slot);
    }
    return worst;
}

bool SwarmPeer::has_all(NeighbourSlot neighbour, std::span<const PieceRange> ranges) const noexcept
{
    return std::ranges::all_of(ranges, [&](PieceRange range) { return have_.has_all(neighbour, range); });
}

std::optional<NeighbourSlot> SwarmPeer::spare_neighbour() const noexcept
{
    if (!complete()) return std::nullopt;
    const auto done = [this](const Neighbour& them) {
        return them.present && (!them.interested || them.pieces >= layout_.pieces());
    };
    const auto found = std::ranges::find_if(neighbours_, done);
    if (found == neighbours_.end()) return std::nullopt;
    return static_cast<NeighbourSlot>(found - neighbours_.begin());
}

void SwarmPeer::read_at(PieceIndex piece, SwarmTime now)
{
    picker_.read_at(piece);
    wet();
    pump(now);
}

void SwarmPeer::urge(PieceRange range, SwarmTime now)
{
    picker_.urge(range);
    wet();
    pump(now);
}

void SwarmPeer::set_alarm(SwarmTime now)
{
    SwarmTime next = complete() ? 0 : look_at_;
    if (next != 0 && across_ != 0) next = std::min(next, turn_ends_);
    if (!news_.empty()) {
        const auto tell = announced_ + policy_.announce_interval;
        next = next == 0 ? tell : std::min(next, tell);
    }
    if (next == 0 || (alarm_ != 0 && alarm_ <= next)) return;
    alarm_ = std::max(next, now + 1);
    links_.wake_at(alarm_);
}

}  // namespace entrepot
