#pragma once

#include "agent/agent_swarm.hpp"
#include "agent/node_credentials.hpp"
#include "agent/node_enrolling.hpp"
#include "agent/polite_share.hpp"
#include "agent/swarm_life.hpp"
#include "agent/tracker_stream.hpp"
#include "agent/zone_copies.hpp"
#include "client/http_client.hpp"
#include "core/duration_histogram.hpp"
#include "core/task_group.hpp"
#include "swarm/net/peer_network.hpp"
#include "swarm/net/wait_line.hpp"
#include "swarm/swarm_random.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace entrepot {

// The inside of an AgentSwarm, on its loop. For its own files: agent_swarm_identity.cpp who the node is,
// agent_swarm_control.cpp what is said to and by the tracker, agent_swarm_asides.cpp that there are several of them,
// agent_swarm_images.cpp the images' lives, agent_swarm_peers.cpp what connections to other nodes ask.
class AgentSwarm::State final : public PeerNetworkOwner,
                                public PeerChunkSink,
                                public PeerChunkSource,
                                public TrackerStreamOwner {
public:
    using Time = std::chrono::steady_clock::time_point;
    using Duration = std::chrono::steady_clock::duration;

    State(
        asio::any_io_executor loop,
        AgentSwarmSettings settings,
        NodeCredentials credentials,
        HttpClient client,
        asio::thread_pool& pool,
        const Clock& clock,
        std::uint64_t random_seed
    );

    void start();
    asio::awaitable<void> stop();

    // ImageCarrier.
    void bring(AgentImagePtr image, std::string ticket, bool urgent);
    void urge(const SwarmId& id, ChunkSpan chunks);
    void came(const SwarmId& id, ChunkIndex chunk);
    void ahead(const SwarmId& id, std::uint64_t rate);
    void leave_ahead(const SwarmId& id);
    void tell(const PreheatProgressFrame& progress);

    // From any thread.
    std::optional<std::string> node() const;
    bool is_connected() const noexcept { return connected_; }
    std::uint16_t port() const noexcept { return port_; }
    AgentSwarmCounters counters() const;
    // Of chunks: until they were compared with their hashes and written.
    const DurationHistogram& storing() const noexcept { return storing_; }

    // PeerNetworkOwner, PeerChunkSink, PeerChunkSource, TrackerStreamOwner.
    std::optional<DenyCode> refusal(const NodeIdentity& peer, const SwarmId& swarm, std::string_view ticket) override;
    void starved(const SwarmId& swarm, RefillReason reason, std::optional<NodeId> dropped) override;
    void complete(const SwarmId& swarm) override;
    void caught(const NodeId& peer, const SwarmId& swarm, ChunkSpan extent) override;
    Task<> store(SwarmId swarm, ChunkIndex chunk, std::span<const std::byte> bytes) override;
    void coming(const SwarmId& swarm) override;
    void news(const SwarmId& swarm) override;
    Task<> read(SwarmId swarm, ChunkIndex chunk, std::span<std::byte> into) override;
    void connected(TrackerStream& stream, const asio::ip::address& tracker) override;
    void received(TrackerStream& stream, const ControlFrame& frame) override;
    void lost(TrackerStream& stream, const std::string& why) override;

private:
    Time now() const noexcept { return clock_.steady(); }
    asio::awaitable<void> keep_time();
    void publish();

    // Identity.
    asio::awaitable<void> keep_identity();
    asio::awaitable<void> save_enrolment();
    bool must_enrol() const noexcept;
    Task<> enrol();
    Result<> adopt(const NodeEnrolment& enrolment);
    Result<> open_network(std::shared_ptr<const PeerTlsContext> tls);
    void open_stream(const NodeEnrolment& enrolment, std::shared_ptr<const PeerTlsContext> tls);
    std::unique_ptr<TrackerStream>
    new_stream(std::optional<PeerEndpoint> aside, const std::string& host, std::uint16_t port);
    void end_stream(std::unique_ptr<TrackerStream> stream);
    asio::awaitable<void> search_tracker();
    bool try_other_instance();
    void complain(const Error& error);
    void ask_for_renewal();

    // The trackers. Frames without a function of their own have no effect; those that name no stream are taken on the
    // node's own one alone.
    void on(const LimitsFrame& frame);
    void on(const CertificateFrame& frame);
    void on(const TicketKeysFrame& frame);
    void on(const PreheatFrame& frame);
    void on(const InstancesFrame& frame);
    void on(TrackerStream& from, const WelcomeFrame& frame);
    void on(TrackerStream& from, const NeighboursFrame& frame);
    void on(TrackerStream& from, const RetireFrame& frame);
    void on(TrackerStream& from, const TicketFrame& frame);
    void on(TrackerStream& from, const RevokeFrame& frame);
    void on(TrackerStream& from, const HoldersFrame& frame);
    void on(TrackerStream& from, const MovedFrame& frame);
    bool is_home(const TrackerStream& stream) const noexcept { return &stream == home_.get(); }
    void register_node(TrackerStream& stream);
    void announce(const SwarmId& id, SwarmLife& life);
    void announce_at(TrackerStream& stream, const SwarmId& id, SwarmLife& life);
    void unlist(const SwarmId& id, SwarmLife& life);
    void forget_stream(TrackerStream& stream);
    TrackerStream* stream_for(SwarmLife& life);
    TrackerStream* stream_aside(const PeerEndpoint& instance);
    void end_aside(const TrackerStream& stream, bool reachable);
    void look_after_asides();
    void apply_rates();
    std::uint64_t rate_ahead() const;
    void make_way();
    void report();
    std::optional<SwarmProgress> news_of(const SwarmId& id, SwarmLife& life, SwarmLife::Duration period);
    SwarmLife* life_of(const TrackerStream& stream, SwarmHandle handle, SwarmId& id);

    // Images.
    SwarmLife* find(const SwarmId& id);
    void enter(const SwarmId& id, const SwarmLife& life);
    void take_right(const SwarmId& id, SwarmLife& life, std::string ticket);
    void leave(SwarmId id, std::optional<DenyCode> why, bool tell_tracker);
    void make_room();
    void look_after();
    void catch_up(const SwarmId& id, const SwarmLife& life);
    void begin_again(const SwarmId& id, const SwarmLife& life);
    void end_rights();
    void keep_counts(const SwarmId& id);

    asio::any_io_executor loop_;
    const AgentSwarmSettings settings_;
    NodeCredentials credentials_;
    HttpClient client_;
    asio::thread_pool& pool_;
    const Clock& clock_;
    SwarmRandom random_;
    const std::uint64_t holdings_epoch_;

    std::optional<NodeEnrolment> adopted_;  // that network and stream go by
    Micros renew_at_ = 0;
    std::optional<Time> renewal_asked_;
    bool renewal_refused_ = false;
    std::optional<Time> search_at_;  // for the tracker; nullopt: there is a stream, or there was one a moment ago
    Duration search_pause_{};
    std::optional<Time> other_at_;        // another instance is tried for a stream of its own; nullopt: there is one
    std::optional<std::string> unsaved_;  // the enrolment, as it is to be on the disk
    std::string complaint_;               // the last one in the log

    TicketDesk desk_;
    std::map<SwarmId, SwarmLife> lives_;
    ZoneCopies copies_;
    std::unique_ptr<PeerNetwork> network_;
    std::shared_ptr<const PeerTlsContext> tls_;
    std::unique_ptr<TrackerStream> home_;                 // the node's own stream
    std::vector<std::unique_ptr<TrackerStream>> asides_;  // to those that track what its own tracker has moved
    std::vector<PeerEndpoint> others_;                    // instances that may take it when its own is gone
    std::chrono::milliseconds report_interval_{1'000};
    Time reported_{};
    NodeRates rates_;
    NodeRates applied_;
    bool polite_ = false;
    std::optional<PoliteShare> share_;  // while polite
    std::string interface_;
    bool stopping_ = false;

    AgentSwarmCounters counters_;
    PeerCounts left_{};  // of swarms that were left
    std::uint64_t left_duplicate_bytes_ = 0;
    DurationHistogram storing_;
    mutable std::mutex mutex_;  // of what others read
    std::optional<std::string> published_node_;
    AgentSwarmCounters published_;
    std::atomic<bool> connected_ = false;  // there is a stream of its own, and it is welcome
    std::atomic<std::uint16_t> port_ = 0;

    WaitLine identity_;
    WaitLine ticks_;
    TaskGroup tasks_;
};

}  // namespace entrepot
