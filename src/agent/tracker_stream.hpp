#pragma once

#include "swarm/net/control_stream.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace entrepot {

class TrackerStream;

// Whom an agent's streams tell, as ControlStreamOwner has it.
class TrackerStreamOwner {
public:
    virtual ~TrackerStreamOwner() = default;

    virtual void connected(TrackerStream& stream, const asio::ip::address& tracker) = 0;
    virtual void received(TrackerStream& stream, const ControlFrame& frame) = 0;
    virtual void lost(TrackerStream& stream, const std::string& why) = 0;
};

// One of an agent's streams to trackers: the node's own, or one aside to another instance of the registry, with what
// was announced on it. For AgentSwarm's own files; on its loop.
class TrackerStream final : public ControlStreamOwner {
public:
    using Time = std::chrono::steady_clock::time_point;

    // `aside`: where it goes, when it isn't the node's own.
    TrackerStream(TrackerStreamOwner& owner, std::optional<PeerEndpoint> aside, Time now)
        : aside_{aside}, opened{now}, used{now}, owner_{owner}
    {
    }

    void start(
        asio::any_io_executor loop,
        ControlStreamSettings settings,
        std::shared_ptr<const PeerTlsContext> tls,
        const Clock& clock
    )
    {
        stream_ = std::make_unique<ControlStream>(std::move(loop), std::move(settings), std::move(tls), *this, clock);
        stream_->start();
    }
    void send(const ControlFrame& frame) { stream_->send(frame); }
    void renew(std::shared_ptr<const PeerTlsContext> tls) { stream_->renew(std::move(tls)); }
    // As ControlStream has it; the stream lives until then.
    asio::awaitable<void> stop() { return stream_->stop(); }

    const std::optional<PeerEndpoint>& aside() const noexcept { return aside_; }
    const SwarmId* swarm_of(SwarmHandle handle) const noexcept
    {
        const auto found = swarms_.find(handle);
        return found == swarms_.end() ? nullptr : &found->second;
    }
    // In turn: a number on its way never meets another swarm. There are fewer swarms than numbers.
    SwarmHandle number(const SwarmId& swarm)
    {
        do {
            last_ = static_cast<std::uint16_t>(last_ % 65'535 + 1);
        } while (swarms_.contains(SwarmHandle{last_}));
        swarms_.emplace(SwarmHandle{last_}, swarm);
        return SwarmHandle{last_};
    }
    void end(SwarmHandle handle) { swarms_.erase(handle); }
    void forget_all()
    {
        welcome = false;
        swarms_.clear();
        last_ = 0;
    }

    // ControlStreamOwner.
    void connected(const asio::ip::address& address) override
    {
        tracker = address;
        owner_.connected(*this, address);
    }
    void received(const ControlFrame& frame) override { owner_.received(*this, frame); }
    void lost(const std::string& why) override { owner_.lost(*this, why); }

private:
    const std::optional<PeerEndpoint> aside_;

public:
    const Time opened;
    Time used;                    // by a swarm, as far as was looked
    bool welcome = false;         // REGISTER was answered
    asio::ip::address tracker{};  // the other end

private:
    TrackerStreamOwner& owner_;
    std::unique_ptr<ControlStream> stream_;
    std::map<SwarmHandle, SwarmId> swarms_;
    std::uint16_t last_ = 0;
};

}  // namespace entrepot
