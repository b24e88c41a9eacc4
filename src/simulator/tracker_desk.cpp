#include "simulator/tracker_desk.hpp"

#include "core/bytes.hpp"
#include "swarm/wire/frame_splitter.hpp"

#include <cstring>
#include <utility>

namespace entrepot {

namespace {

constexpr SwarmHandle the_handle{1};
constexpr std::uint8_t reports_believed = 2;

// Its number, behind bytes that are as random as those of a real one.
NodeId name_of(std::uint32_t node) noexcept
{
    NodeId id;
    const auto random = SwarmRandom{node}.next();
    std::memcpy(id.bytes.data(), &random, sizeof random);
    std::memcpy(id.bytes.data() + 28, &node, sizeof node);
    return id;
}

std::uint32_t number_of(const NodeId& id) noexcept
{
    std::uint32_t node = 0;
    std::memcpy(&node, id.bytes.data() + 28, sizeof node);
    return node;
}

// Streams are numbered from 1.
ControlId stream_of(std::uint32_t node) noexcept
{
    return node + 1;
}

}  // namespace

TrackerDesk::TrackerDesk(const Scenario& scenario, Names names)
    : tracker_{TrackerSettings{.random_seed = scenario.seed}, scenario.tracker, *this},
      names_{std::move(names)},
      reports_(scenario.origins + scenario.nodes, 0)
{
    std::vector<PeerEntry> seeds;
    for (std::uint32_t index = 0; index < scenario.origins; ++index)
        seeds.push_back({.node = name_of(index), .endpoint = {.port = 1}, .seed = true});
    tracker_.set_seeds(std::move(seeds));
}

void TrackerDesk::join(std::uint32_t node, std::uint16_t zone, std::uint16_t progress, SwarmTime now)
{
    const auto stream = stream_of(node);
    RegisterFrame hello;
    hello.zone = std::to_string(zone);
    hello.endpoint.port = 1;
    AnnounceFrame announce;
    announce.handle = the_handle;
    announce.progress = progress;
    messages_ += 2;
    tracker_.opened(stream, name_of(node), {}, now);
    tracker_.received(stream, hello, now);
    tracker_.received(stream, announce, now);
    settle();
}

void TrackerDesk::starve(std::uint32_t node, std::optional<std::uint32_t> dropped, SwarmTime now)
{
    RefillFrame refill;
    refill.handle = the_handle;
    refill.reason = dropped ? RefillReason::idle : RefillReason::few;
    if (dropped) refill.dropped.push_back(name_of(*dropped));
    ++messages_;
    tracker_.received(stream_of(node), refill, now);
    settle();
}

void TrackerDesk::report(std::uint32_t node, std::uint16_t progress, std::size_t neighbours, SwarmTime now)
{
    ProgressFrame frame;
    frame.swarms.push_back(
        {.handle = the_handle, .progress = progress, .neighbours = static_cast<std::uint8_t>(neighbours)}
    );
    ++messages_;
    tracker_.received(stream_of(node), frame, now);
}

void TrackerDesk::caught(std::uint32_t by, std::uint32_t liar, SwarmTime now)
{
    ReportFrame report;
    report.node = name_of(liar);
    ++messages_;
    tracker_.received(stream_of(by), report, now);
    settle();
}

void TrackerDesk::leave(std::uint32_t node)
{
    tracker_.closed(stream_of(node));
}

void TrackerDesk::send(ControlId stream, std::string bytes)
{
    FrameSplitter splitter;
    splitter.feed(as_bytes(bytes));
    const auto item = splitter.next();
    const auto& whole = std::get<WholeFrame>(**item);
    const auto frame = decode_control_frame(whole.head, whole.body);
    const auto* const named = std::get_if<NeighboursFrame>(&**frame);
    if (named == nullptr) return;
    std::vector<std::uint32_t> others;
    for (const auto& peer : named->peers) others.push_back(number_of(peer.node));
    names_(stream - 1, others);
}

void TrackerDesk::wants(ControlId stream, const NodeId&, SwarmHandle, const SwarmId&, const std::string&)
{
    wishes_.push_back(stream);
}

void TrackerDesk::reported(const NodeId&, const ReportFrame& report)
{
    const auto liar = number_of(report.node);
    if (++reports_[liar] == reports_believed) liars_.push_back(liar);
}

// What may not be done from inside the tracker's own functions. Everybody here has the right to the image.
void TrackerDesk::settle()
{
    for (const auto stream : std::exchange(wishes_, {})) tracker_.admitted(stream, the_handle, SwarmId{}, "ticket");
    for (const auto liar : std::exchange(liars_, {})) tracker_.closed(stream_of(liar));
}

}  // namespace entrepot
