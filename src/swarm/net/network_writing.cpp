#include "core/bytes.hpp"
#include "core/log.hpp"
#include "swarm/net/peer_network_state.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace entrepot {

namespace {

// What is encrypted at a time: frames that come later wait behind so much, and behind what the kernel has not sent.
constexpr std::size_t most_sealed = 64 * 1024;
// DATA that may wait for the link, on one connection and on all that take any.
constexpr std::uint64_t most_unsent_data = 256 * 1024;
// A slow node sends one chunk after the other: two at a time come late both. The next is read from the disk meanwhile.
constexpr std::uint64_t least_unsent_data = 64 * 1024;
constexpr double seconds_to_read = 0.005;
// Who takes nothing for so long holds up nobody else.
constexpr auto longest_standstill = std::chrono::milliseconds{500};
// At the kernel's account of each connection.
constexpr auto between_looks = std::chrono::milliseconds{1};

}  // namespace

asio::awaitable<void> PeerNetwork::State::write(Channel held)
{
    auto& channel = *held;
    auto& output = channel.tls->output();
    std::size_t sent = 0;  // of the output
    while (!channel.cut) {
        if (sent < output.size()) {
            const auto count = channel.stream->write(as_bytes(std::string_view{output}.substr(sent)));
            if (!count) break;
            if (*count) {
                sent += **count;
                channel.written += **count;
                counters_.wire_out += **count;
                channel.blocked = {};
                continue;
            }
            if (channel.blocked == Time{}) channel.blocked = now();
            // Others need not wait behind who can't be sent to.
            channel.up.give_up();
            pump();
            co_await channel.stream->writable();
            continue;
        }
        output.clear();
        sent = 0;
        if (seal_next(channel)) continue;
        if (channel.closing) {
            channel.tls->finish();
            break;
        }
        const auto until = channel.data.empty() ? Time::max() : channel.up.opens_at();
        co_await channel.writes.wait(until);
    }
    if (!channel.cut && channel.closing) {
        // What ends TLS; whether it arrives is of no matter.
        static_cast<void>(channel.stream->write(as_bytes(output)));
        channel.stream->finish();
        // The other side closes, or is cut in a while: closing first could overtake what was sent.
        co_return;
    }
    cut(channel);
}

// Encrypts what goes next: frames, then DATA. False: there is nothing that may go.
bool PeerNetwork::State::seal_next(PeerChannel& channel)
{
    const bool within_data = !channel.data.empty() && channel.data.front().gone > 0;
    if (!within_data && !channel.control.empty()) {
        const auto some = std::string_view{channel.control}.substr(0, most_sealed);
        if (!channel.tls->seal(as_bytes(some))) cut(channel);
        up_.spent(some.size(), now());
        channel.control.erase(0, some.size());
        channel.reads.wake();
        return true;
    }
    if (channel.data.empty() || (channel.closing && !within_data)) {
        channel.up.give_up();
        return false;
    }
    const auto granted = channel.up.ask(most_sealed, now());
    return granted > 0 && seal_data(channel, granted);
}

bool PeerNetwork::State::seal_data(PeerChannel& channel, std::size_t most)
{
    auto& data = channel.data.front();
    const auto head = as_bytes(std::string_view{data.head}.substr(std::min(data.gone, data.head.size())));
    const auto gone = data.gone - std::min(data.gone, data.head.size());
    const auto body = data.bytes.bytes().subspan(gone).first(std::min(most, data.bytes.size() - gone));
    if (!channel.tls->seal(head) || !channel.tls->seal(body)) {
        cut(channel);
        return false;
    }
    data.gone += head.size() + body.size();
    channel.data_bytes -= body.size();
    channel.taken -= std::min<std::uint64_t>(channel.taken, body.size());
    up_.spent(head.size() + body.size(), now());
    counters_.data_out[static_cast<std::size_t>(channel.traffic)] += body.size();
    traffic_[data.swarm].out += body.size();
    if (data.gone == data.head.size() + data.bytes.size()) data_left(channel);
    return true;
}

void PeerNetwork::State::data_left(PeerChannel& channel)
{
    ++counters_.frames_out;
    const auto ends = std::move(channel.data.front().ends);
    channel.data.pop_front();
    channel.drained.wake();
    if (ends) act([&](SwarmNode& node, SwarmTime at) { node.sent(*ends, at); });
    pump();
}

// ---- what others have asked for

// On connections that take what they are sent.
std::uint64_t PeerNetwork::State::unsent() const noexcept
{
    std::uint64_t bytes = 0;
    for (const auto& [id, channel] : channels_) {
        if (channel->blocked == Time{} && !channel->closing && !channel->cut) bytes += channel->taken;
    }
    return bytes;
}

void PeerNetwork::State::pump()
{
    const auto may_go = [this](ConnectionId id) {
        const auto found = channels_.find(id);
        if (found == channels_.end()) return false;
        const auto& channel = *found->second;
        return !channel.closing && !channel.cut && channel.taken < most_unsent_data;
    };
    while (!stopping_ && up_.rate() > 0 && unsent() < room_for_data()) {
        if (!uplink_has_room()) return;
        auto order = node_.next_upload(may_go);
        if (!order) return;
        const auto& channel = channels_.at(order->connection);
        if (channel->taken == 0) channel->moved = now();
        channel->taken += order->bytes;
        under_way_ += order->bytes;
        tasks_.spawn(loop_, upload(channel, *std::move(order)));
    }
}

std::uint64_t PeerNetwork::State::room_for_data() const noexcept
{
    if (up_.rate() == no_rate_limit) return most_unsent_data;
    const auto while_reading = static_cast<std::uint64_t>(static_cast<double>(up_.rate()) * seconds_to_read);
    return std::clamp(while_reading, least_unsent_data, most_unsent_data);
}

// Whether the link would take more; if not, it is asked again soon.
bool PeerNetwork::State::uplink_has_room()
{
    const auto time = now();
    if (time - uplink_looked_ >= between_looks) look_at_uplink(time);
    const auto limit = uplink_.limit();
    if (under_way_ < limit) return true;
    const auto due = time + uplink_.until_room(under_way_ - limit);
    if (due < uplink_due_) {
        uplink_due_ = due;
        uplink_waits_.wake();
    }
    return false;
}

// What others have not acknowledged, as far as the kernel knows, and what the kernel has not got yet.
void PeerNetwork::State::look_at_uplink(Time time)
{
    uplink_looked_ = time;
    under_way_ = 0;
    for (const auto& [id, held] : channels_) {
        auto& channel = *held;
        if (channel.cut || !channel.open) continue;
        if (channel.acknowledged != channel.written) {
            const auto acknowledged = channel.written - std::min(channel.written, channel.stream->unacknowledged());
            if (acknowledged > channel.acknowledged) {
                acknowledged_ += acknowledged - channel.acknowledged;
                channel.acknowledged = acknowledged;
                channel.moved = time;
            }
        }
        if (time - channel.moved < longest_standstill)
            under_way_ += channel.taken + (channel.written - channel.acknowledged);
    }
    uplink_.note(acknowledged_, under_way_ >= uplink_.limit(), time);
    learn_link();
}

// What is configured is a guess, often ten times too much: a seed that believes it shows more than it can send.
void PeerNetwork::State::learn_link()
{
    constexpr double noticeable = 0.1;
    const auto link = uplink_.link();
    if (link <= 0 || std::abs(link - link_known_) < noticeable * link_known_) return;
    link_known_ = link;
    node_.set_up(speed(std::min(link, settings_.node.up > 0 ? settings_.node.up : link), up_.rate()));
}

asio::awaitable<void> PeerNetwork::State::watch_uplink()
{
    while (!stopped_) {
        if (now() < uplink_due_) {
            co_await uplink_waits_.wait(uplink_due_);
            continue;
        }
        uplink_due_ = Time::max();
        pump();
    }
}

asio::awaitable<void> PeerNetwork::State::upload(Channel channel, UploadOrder order)
{
    auto left = order.bytes;  // that nothing has been read for
    const auto last = order.extents.back().first + order.extents.back().count - 1;
    bool goes_on = true;
    for (std::size_t extent = 0; extent < order.extents.size() && goes_on; ++extent) {
        const auto chunks = order.extents[extent];
        for (auto chunk = chunks.first; chunk < chunks.first + chunks.count && goes_on; ++chunk) {
            const bool ends = extent + 1 == order.extents.size() && chunk == last;
            auto going = upload_chunk(*channel, order, chunk, ends);
            const auto bytes = co_await std::move(going);
            left -= std::min(left, bytes);
            goes_on = bytes > 0;
        }
    }
    // What won't go doesn't keep others waiting.
    channel->taken -= std::min(channel->taken, left);
    if (!goes_on) pump();
}

// How many bytes it has given to the writer; 0: the rest of the order needn't be tried.
asio::awaitable<std::uint64_t>
PeerNetwork::State::upload_chunk(PeerChannel& channel, const UploadOrder& order, ChunkIndex chunk, bool last)
{
    while (channel.data_bytes >= most_unsent_data && !channel.cut && !channel.closing) co_await channel.drained.wait();
    const auto* const session = node_.find(order.swarm);
    if (channel.cut || channel.closing || session == nullptr) co_return std::uint64_t{0};
    const ChunkSpan extent{.first = chunk, .count = 1};
    const auto size = static_cast<std::size_t>(session->layout.bytes_of_chunks(extent));
    DepartingData data{.swarm = order.swarm, .bytes = ChunkBuffer{size}};
    auto reading = source_.read(order.swarm, chunk, data.bytes.whole());
    const auto read = co_await std::move(reading);
    if (channel.cut || channel.closing) co_return std::uint64_t{0};
    if (!read) {
        ++counters_.not_read;
        log::failure(log::Level::warning, "reading a chunk", read.error());
        append_frame(
            channel.control, BusyFrame{.handle = order.handle, .request = order.request, .retry_ms = 0, .load = 0}
        );
        channel.writes.wake();
        act([&](SwarmNode& node, SwarmTime at) { node.sent(order, at); });
        co_return std::uint64_t{0};
    }
    append_frame(
        data.head,
        DataFrame{
            .handle = order.handle,
            .request = order.request,
            .extent = extent,
            .bytes = static_cast<std::uint32_t>(size),
        }
    );
    if (last) data.ends = order;
    channel.data.push_back(std::move(data));
    channel.data_bytes += size;
    channel.writes.wake();
    co_return std::uint64_t{size};
}

}  // namespace entrepot
