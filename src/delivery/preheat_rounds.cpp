#include "delivery/preheat_rounds.hpp"

#include "core/log.hpp"
#include "delivery/preheat_selection.hpp"
#include "swarm/hex32.hpp"

#include <algorithm>

namespace entrepot {
namespace {

constexpr Micros second = 1'000'000;
constexpr Micros deadline_grace = 30 * second;

std::optional<NodePreheat> state_of(PreheatState said) noexcept
{
    switch (said) {
        case PreheatState::waiting: return NodePreheat::waiting;
        case PreheatState::running: return NodePreheat::running;
        case PreheatState::done: return NodePreheat::done;
        case PreheatState::failed: return NodePreheat::failed;
        case PreheatState::refused: return NodePreheat::refused;
        case PreheatState::other: break;
    }
    return std::nullopt;
}

std::string how_many_lack(const PreheatCounts& counts)
{
    const auto all = counts.all();
    return std::to_string(all - counts.of(NodePreheat::done)) + " of " + std::to_string(all) +
           " nodes don't have the image";
}

Actor itself(Micros now)
{
    return {.user_id = 0, .at = now};
}

}  // namespace

PreheatRounds::PreheatRounds(Needs needs) : PreheatRounds{std::move(needs), Options{}} {}

PreheatRounds::PreheatRounds(Needs needs, Options options) : needs_{std::move(needs)}, options_{options} {}

void PreheatRounds::came(ControlId stream, const NodeIdentity& node)
{
    Connected connected{.id = hex_of(node.id), .name = node.name, .zone = node.zone};
    const std::lock_guard guard{mutex_};
    nodes_.insert_or_assign(stream, std::move(connected));
}

void PreheatRounds::left(ControlId stream)
{
    const std::lock_guard guard{mutex_};
    nodes_.erase(stream);
}

void PreheatRounds::heard(const NodeId& node, const PreheatProgressFrame& progress)
{
    const auto state = state_of(progress.state);
    const auto id = static_cast<std::int64_t>(progress.job);
    const std::lock_guard guard{mutex_};
    if (!state || !running_.contains(id)) return;
    auto name = hex_of(node);
    auto& news = news_[{id, name}];
    // What has ended has: a node may say two things at once, and they come in either order.
    if (has_ended(news.state)) return;
    news = PreheatNews{
        .preheat = id,
        .node = name,
        .state = *state,
        .bytes_done = static_cast<std::int64_t>(progress.bytes_done),
        .message = progress.message,
    };
}

PreheatReport PreheatRounds::report() const
{
    const std::lock_guard guard{mutex_};
    return report_;
}

Task<> PreheatRounds::run()
{
    auto writing = write_news();
    CO_CHECK(co_await std::move(writing));
    CO_TRY(auto running, co_await needs_.catalog.running());
    std::set<std::int64_t> ids;
    for (const auto& entry : running) ids.insert(entry.id);
    // What another instance has ended, or somebody.
    for (auto at = known_.begin(); at != known_.end();) {
        if (ids.contains(at->first)) {
            ++at;
            continue;
        }
        stop(at->second);
        at = known_.erase(at);
    }
    Nodes nodes;
    {
        const std::lock_guard guard{mutex_};
        // Of fifteen thousand, and mostly nothing runs.
        if (!running.empty()) nodes = nodes_;
        running_ = ids;
        report_.running = ids.size();
    }
    for (auto& entry : running) {
        const auto id = entry.id;
        auto looking = look(std::move(entry), nodes);
        const auto looked = co_await std::move(looking);
        if (looked) continue;
        log::failure(log::Level::warning, "carrying a preheat out", looked.error());
        // It is read anew.
        known_.erase(id);
    }
    const auto time = needs_.clock.steady();
    if (removed_ && time - *removed_ < options_.between_removals) co_return Result<>{};
    removed_ = time;
    co_return co_await needs_.catalog.remove_ended(needs_.clock.now() - options_.keep_ended);
}

// Of nodes that a preheat is for: others may say what they like.
Task<> PreheatRounds::write_news()
{
    News news;
    {
        const std::lock_guard guard{mutex_};
        news.swap(news_);
    }
    std::vector<PreheatNews> rows;
    for (auto& [key, one] : news) {
        const auto known = known_.find(key.first);
        if (known == known_.end()) continue;
        const auto state = known->second.states.find(key.second);
        if (state == known->second.states.end() || has_ended(state->second)) continue;
        one.bytes_done = std::clamp<std::int64_t>(one.bytes_done, 0, known->second.entry.bytes);
        rows.push_back(one);
    }
    if (rows.empty()) co_return Result<>{};
    auto noting = needs_.catalog.note(rows, needs_.clock.now());
    auto noted = co_await std::move(noting);
    const std::lock_guard guard{mutex_};
    if (!noted) {
        // What has been said since is newer.
        news_.merge(news);
        co_return noted;
    }
    for (const auto& row : rows) {
        known_[row.preheat].states[row.node] = row.state;
        if (row.state == NodePreheat::done) ++report_.done;
        if (row.state == NodePreheat::failed || row.state == NodePreheat::refused) ++report_.failed;
    }
    co_return noted;
}

Task<> PreheatRounds::look(PreheatEntry entry, const Nodes& nodes)
{
    const bool is_new = !known_.contains(entry.id);
    auto& known = known_[entry.id];
    known.entry = std::move(entry);
    if (is_new) {
        known.seed = selection_seed(known.entry);
        CO_TRY(known.states, co_await needs_.catalog.states(known.entry.id));
    }
    const auto& counts = known.entry.counts;
    if (counts.of(NodePreheat::waiting) + counts.of(NodePreheat::running) == 0) {
        const bool all = counts.of(NodePreheat::done) == counts.all() && counts.all() > 0;
        auto ending =
            end(known,
                all ? PreheatStage::done : PreheatStage::failed,
                counts.all() == 0 ? "none of its nodes is there any more"
                : all             ? std::string{}
                                  : how_many_lack(counts));
        co_return co_await std::move(ending);
    }
    if (needs_.clock.now() >= known.entry.deadline) {
        auto ending = end(known, PreheatStage::expired, how_many_lack(counts));
        co_return co_await std::move(ending);
    }
    auto checking = check(known);
    CO_CHECK(co_await std::move(checking));
    if (known.token.empty()) co_return Result<>{};
    auto adding = add_late(known, nodes);
    CO_CHECK(co_await std::move(adding));
    tell(known, nodes);
    co_return Result<>{};
}

// Whether the image is still there, and may be pulled by who asked for it; a newer token says so.
Task<> PreheatRounds::check(Known& known)
{
    const auto time = needs_.clock.steady();
    if (known.checked && time - *known.checked < options_.between_checks) co_return Result<>{};
    CO_TRY(auto repository, RepositoryName::parse(known.entry.repository));
    CO_TRY(auto digest, Digest::parse(known.entry.digest));
    const Reference reference{std::move(digest)};
    const auto there = co_await needs_.manifests.load(repository, reference);
    const auto is_gone = [](Errc code) { return code == Errc::manifest_unknown || code == Errc::name_unknown; };
    known.token.clear();
    if (!there && is_gone(there.error().code())) {
        auto ending = end(known, PreheatStage::failed, "the image is not there any more");
        co_return co_await std::move(ending);
    }
    if (!there) co_return std::unexpected{there.error()};
    auto making = needs_.tokens.pull_token(known.entry.owner_id, known.entry.access_token_id, std::move(repository));
    auto token = co_await std::move(making);
    if (!token && token.error().code() == Errc::denied) {
        auto ending = end(known, PreheatStage::failed, "who asked for it may not pull the image any more");
        co_return co_await std::move(ending);
    }
    if (!token) co_return std::unexpected{std::move(token).error()};
    known.token = *std::move(token);
    known.checked = time;
    co_return Result<>{};
}

// Its nodes are told with the next round, when it isn't among those that run.
Task<> PreheatRounds::end(Known& known, PreheatStage stage, std::string message)
{
    auto ending = needs_.catalog.end(known.entry.id, stage, std::move(message), itself(needs_.clock.now()));
    CO_CHECK(co_await std::move(ending));
    co_return Result<>{};
}

// Nodes that have come to the swarm since.
Task<> PreheatRounds::add_late(Known& known, const Nodes& nodes)
{
    std::vector<PreheatNews> late;
    for (const auto& [stream, node] : nodes) {
        if (known.states.contains(node.id)) continue;
        if (!is_chosen_later(known.entry.selection, known.seed, node.id, node.name, node.zone)) continue;
        known.states.emplace(node.id, NodePreheat::waiting);
        late.push_back({.preheat = known.entry.id, .node = node.id});
    }
    if (late.empty()) co_return Result<>{};
    auto noting = needs_.catalog.note(std::move(late), needs_.clock.now());
    co_return co_await std::move(noting);
}

void PreheatRounds::tell(Known& known, const Nodes& nodes)
{
    const auto time = needs_.clock.steady();
    std::uint64_t told = 0;
    std::erase_if(known.told, [&](const auto& one) { return !nodes.contains(one.first); });
    for (const auto& [stream, node] : nodes) {
        const auto state = known.states.find(node.id);
        if (state == known.states.end() || has_ended(state->second)) continue;
        const auto last = known.told.find(stream);
        if (last != known.told.end() && time - last->second < options_.tell_again) continue;
        if (last == known.told.end()) ++told;
        known.told[stream] = time;
        needs_.send(stream, frame_of(known));
    }
    const std::lock_guard guard{mutex_};
    report_.told += told;
}

void PreheatRounds::stop(const Known& known)
{
    auto frame = frame_of(known);
    frame.token.clear();
    frame.stop = true;
    for (const auto& [stream, time] : known.told) needs_.send(stream, frame);
}

PreheatFrame PreheatRounds::frame_of(const Known& known) const
{
    const auto& entry = known.entry;
    const auto colon = entry.digest.find(':');
    PreheatFrame frame;
    frame.job = static_cast<std::uint64_t>(entry.id);
    frame.repository = entry.repository;
    frame.manifest = parse_hex32<Sha256>(std::string_view{entry.digest}.substr(colon + 1)).value_or(Sha256{});
    // For nodes that don't hear of the end: others are told, and are not to be the first because of their clocks.
    frame.deadline = static_cast<std::uint64_t>((entry.deadline + deadline_grace) / second);
    if (entry.rate > 0) frame.rate = static_cast<std::uint64_t>(entry.rate);
    frame.token = known.token;
    return frame;
}

}  // namespace entrepot
