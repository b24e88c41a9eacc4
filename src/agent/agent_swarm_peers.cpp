#include "agent/agent_swarm_state.hpp"
#include "core/log.hpp"
#include "swarm/crypto/sha256_stream.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace entrepot {

namespace {

// Of one image, of which nothing was reported yet.
constexpr std::size_t most_false_chunks = 64;

}  // namespace

std::optional<DenyCode>
AgentSwarm::State::refusal(const NodeIdentity& peer, const SwarmId& swarm, std::string_view ticket)
{
    if (peer.seed) return std::nullopt;
    return desk_.refusal(peer, swarm, ticket, clock_.now());
}

void AgentSwarm::State::starved(const SwarmId& swarm, RefillReason reason, std::optional<NodeId> dropped)
{
    const auto* const life = find(swarm);
    if (life == nullptr || life->at == nullptr) return;
    RefillFrame frame;
    frame.handle = life->handle;
    frame.reason = reason;
    if (dropped) frame.dropped.push_back(*dropped);
    ++counters_.refills;
    life->at->send(frame);
}

void AgentSwarm::State::complete(const SwarmId& swarm)
{
    // The next PROGRESS says so.
    auto* const life = find(swarm);
    if (life == nullptr) return;
    life->note_idle(now());
    const auto missing = static_cast<double>(std::exchange(life->missing, 0));
    if (missing == 0) return;
    counters_.bound_seconds += missing / static_cast<double>(std::min(settings_.down, settings_.link));
    counters_.fetch_seconds += std::chrono::duration<double>{now() - life->begun}.count();
}

void AgentSwarm::State::caught(const NodeId& peer, const SwarmId& swarm, ChunkSpan extent)
{
    auto* const life = find(swarm);
    if (life == nullptr) return;
    const auto found = life->false_chunks.find(extent.first);
    const auto expected = life->image->expected(extent.first);
    ReportFrame report;
    report.node = peer;
    report.swarm = swarm;
    report.chunk = extent.first;
    if (expected) report.expected = *expected;
    if (found != life->false_chunks.end()) {
        report.found = found->second;
        life->false_chunks.erase(found);
    }
    ++counters_.reports;
    log::warning("a node has sent a false chunk", {{"chunk", static_cast<std::uint64_t>(extent.first)}});
    if (life->at != nullptr) life->at->send(report);
}

Task<> AgentSwarm::State::store(SwarmId swarm, ChunkIndex chunk, std::span<const std::byte> bytes)
{
    const auto* const life = find(swarm);
    if (life == nullptr) co_return fail(Errc::cancelled, "the image's swarm was left");
    const auto image = life->image;
    const auto began = now();
    auto storing = image->store(chunk, bytes);
    const auto stored = co_await std::move(storing);
    storing_.observe(now() - began);
    auto* const still = find(swarm);
    if (still != nullptr && stored) still->note_arrival(now());
    if (still != nullptr && !stored && stored.error().code() == Errc::digest_mismatch &&
        still->false_chunks.size() < most_false_chunks)
        still->false_chunks[chunk] = sha256_of(bytes);
    co_return stored;
}

void AgentSwarm::State::coming(const SwarmId& swarm)
{
    if (const auto* const life = find(swarm)) life->image->note_coming();
}

void AgentSwarm::State::news(const SwarmId& swarm)
{
    if (const auto* const life = find(swarm)) life->image->note_news();
}

Task<> AgentSwarm::State::read(SwarmId swarm, ChunkIndex chunk, std::span<std::byte> into)
{
    auto* const life = find(swarm);
    if (life == nullptr) co_return fail(Errc::cancelled, "the image's swarm was left");
    const auto image = life->image;
    const auto& descriptor = image->descriptor();
    CO_TRY(const auto place, descriptor.place_of(chunk));
    const auto& blob = descriptor.blobs()[place.blob];
    // What a blob that was revoked by itself has is given to nobody; the image's others are.
    if (life->right && !desk_.covers(*life->right, blob.digest)) co_return fail(Errc::denied, "the blob is revoked");
    life->used = now();
    auto reading = image->read(chunk, into);
    const auto read = co_await std::move(reading);
    const bool lost = !read && (read.error().code() == Errc::corrupt || read.error().code() == Errc::not_found);
    // Not from within the network, which has asked.
    if (lost) {
        asio::post(loop_, [this, swarm] {
            if (const auto* const still = find(swarm); still != nullptr && !stopping_) catch_up(swarm, *still);
        });
    }
    co_return read;
}

}  // namespace entrepot
