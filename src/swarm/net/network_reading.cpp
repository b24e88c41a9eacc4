#include "core/log.hpp"
#include "swarm/net/peer_network_state.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>
#include <variant>

namespace entrepot {

namespace {

// Frames that wait for who doesn't read them.
constexpr std::size_t most_unsent_control = 256 * 1024;
// While nothing may come, frames without DATA still may: little at a time, for DATA may be behind them.
constexpr std::size_t forbidden_read = 4 * 1024;
// How long our own failure to store a chunk keeps us from asking for it again.
constexpr std::uint32_t until_stored_again_ms = 1'000;

bool is_harm(const Error& error) noexcept
{
    return error.code() == Errc::digest_mismatch || error.code() == Errc::size_invalid ||
           error.code() == Errc::range_invalid;
}

}  // namespace

asio::awaitable<void> PeerNetwork::State::read(PeerChannel& channel)
{
    while (!channel.cut) {
        auto room = room_to_read(channel);
        const auto most = co_await std::move(room);
        if (most == 0 || channel.cut) continue;
        const auto count = channel.stream->read(std::span{raw_}.first(most));
        if (!count) co_return;
        if (!*count) {
            co_await channel.stream->readable();
            continue;
        }
        if (!channel.closing) {
            down_.spent(**count, now());
            counters_.wire_in += **count;
            channel.tls->feed(std::span{raw_}.first(**count));
            node_.heard(channel.id, swarm_now());
            take(channel);
        }
        // Others have their turn; and where there was less than there was room for, there is nothing more yet.
        if (**count < most)
            co_await channel.stream->readable();
        else
            co_await asio::post(loop_, asio::use_awaitable);
    }
}

// How many bytes may be read now. 0: it has waited, and has to look again.
asio::awaitable<std::size_t> PeerNetwork::State::room_to_read(PeerChannel& channel)
{
    if (channel.closing) co_return raw_.size();
    if (channel.unsent_control() > most_unsent_control) {
        co_await channel.reads.wait();
        co_return std::size_t{0};
    }
    auto most = raw_.size();
    if (arriving_.full()) {
        // A chunk that has its memory may come to its end; nothing new begins.
        if (!channel.arriving || !channel.arriving->buffer) {
            channel.held = true;
            co_await arriving_.wait();
            channel.held = false;
            co_return std::size_t{0};
        }
        most = std::min(most, channel.arriving->buffer->missing());
    }
    if (down_.rate() == 0 && !channel.arriving) co_return std::min(most, forbidden_read);
    const auto granted = channel.down.ask(most, now());
    if (granted > 0) co_return granted;
    channel.held = true;
    co_await channel.reads.wait(channel.down.opens_at());
    channel.held = false;
    co_return std::size_t{0};
}

// All that TLS has been fed.
void PeerNetwork::State::take(PeerChannel& channel)
{
    while (!channel.closing && !channel.cut) {
        const auto count = channel.tls->read(clear_);
        if (!count) return cut(channel);
        if (*count == 0) break;
        channel.splitter.feed(std::span{clear_}.first(*count));
        if (!take_frames(channel)) break;
    }
    // The rest is of no interest, and raw_ is about to be used for others.
    channel.tls->feed({});
    if (!channel.tls->output().empty()) channel.writes.wake();
}

bool PeerNetwork::State::take_frames(PeerChannel& channel)
{
    while (!channel.closing && !channel.cut) {
        auto item = channel.splitter.next();
        if (!item) {
            act([&](SwarmNode& node, SwarmTime at) { node.broken(channel.id, item.error().message(), at); });
            return false;
        }
        if (!*item) return true;
        if (const auto* const whole = std::get_if<WholeFrame>(&**item))
            take_frame(channel, *whole);
        else if (const auto* const head = std::get_if<DataFrame>(&**item))
            data_begins(channel, *head);
        else if (const auto* const bytes = std::get_if<DataBytes>(&**item))
            data_comes(channel, bytes->bytes);
        else
            channel.arriving.reset();
    }
    return false;
}

void PeerNetwork::State::take_frame(PeerChannel& channel, const WholeFrame& whole)
{
    const auto frame = decode_peer_frame(whole.head, whole.body);
    act([&](SwarmNode& node, SwarmTime at) {
        if (!frame) return node.broken(channel.id, frame.error().message(), at);
        if (!*frame) return;
        if (const auto* const bye = std::get_if<ByeFrame>(&**frame)) {
            const auto reason = static_cast<std::size_t>(bye->reason);
            ++counters_.byes_in[reason < PeerNetworkCounters::bye_reasons ? reason : 0];
        }
        node.received(channel.id, **frame, at);
    });
}

// ---- DATA

void PeerNetwork::State::data_begins(PeerChannel& channel, const DataFrame& frame)
{
    ++counters_.frames_in;
    auto& arriving = channel.arriving.emplace();
    arriving.frame = frame;
    arriving.chunk = frame.extent.first;
    act([&](SwarmNode& node, SwarmTime at) { arriving.swarm = node.data_begins(channel.id, frame, at); });
    begin_chunk(arriving);
}

void PeerNetwork::State::begin_chunk(ArrivingData& arriving)
{
    arriving.buffer.reset();
    arriving.share = {};
    if (!arriving.swarm || arriving.chunk == arriving.frame.extent.first + arriving.frame.extent.count) return;
    const auto* const session = node_.find(*arriving.swarm);
    if (session == nullptr) {
        // It was left while DATA came.
        arriving.swarm.reset();
        return;
    }
    const auto size = session->layout.bytes_of_chunks({.first = arriving.chunk, .count = 1});
    arriving.buffer.emplace(static_cast<std::size_t>(size));
    arriving.share = {arriving_, ChunkBuffer::cost(static_cast<std::size_t>(size))};
    arriving.due = now() + settings_.chunk_time;
}

void PeerNetwork::State::data_comes(PeerChannel& channel, std::span<const std::byte> bytes)
{
    const auto traffic = static_cast<std::size_t>(channel.traffic);
    counters_.data_in[traffic] += bytes.size();
    if (channel.arriving && channel.arriving->swarm) {
        traffic_[*channel.arriving->swarm].in[traffic] += bytes.size();
        sink_.coming(*channel.arriving->swarm);
    }
    while (!bytes.empty() && channel.arriving && channel.arriving->buffer) {
        auto& buffer = *channel.arriving->buffer;
        bytes = bytes.subspan(buffer.fill(bytes));
        if (buffer.missing() == 0) chunk_came(channel);
    }
}

void PeerNetwork::State::chunk_came(PeerChannel& channel)
{
    auto& arriving = *channel.arriving;
    auto frame = arriving.frame;
    frame.extent = {.first = arriving.chunk, .count = 1};
    frame.bytes = static_cast<std::uint32_t>(arriving.buffer->size());
    tasks_.spawn(
        loop_, store(channel.id, frame, *arriving.swarm, std::move(*arriving.buffer), std::move(arriving.share))
    );
    ++arriving.chunk;
    begin_chunk(arriving);
}

asio::awaitable<void> PeerNetwork::State::store(
    ConnectionId connection, DataFrame frame, SwarmId swarm, ChunkBuffer chunk, ByteQuota::Share share
)
{
    auto storing = sink_.store(swarm, frame.extent.first, chunk.bytes());
    const auto stored = co_await std::move(storing);
    const bool harm = !stored && is_harm(stored.error());
    ++(stored ? counters_.stored : harm ? counters_.false_chunks : counters_.not_stored);
    if (stored || harm) {
        act([&](SwarmNode& node, SwarmTime at) { node.data_verified(connection, frame, stored.has_value(), at); });
    } else {
        log::failure(log::Level::warning, "storing a chunk", stored.error());
        // To the node it is as if the other side had not had it: it asks again, here or elsewhere.
        const BusyFrame never_came{
            .handle = frame.handle, .request = frame.request, .retry_ms = until_stored_again_ms, .load = 0
        };
        act([&](SwarmNode& node, SwarmTime at) { node.received(connection, never_came, at); });
    }
    share = {};
}

}  // namespace entrepot
