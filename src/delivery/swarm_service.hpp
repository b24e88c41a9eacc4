#pragma once

#include "core/task_group.hpp"
#include "delivery/image_bundles.hpp"
#include "delivery/node_desk.hpp"
#include "delivery/seed_chunks.hpp"
#include "delivery/swarm_node_watch.hpp"
#include "delivery/swarm_painter.hpp"
#include "delivery/swarm_report.hpp"
#include "delivery/swarm_tickets.hpp"
#include "delivery/swarm_view.hpp"
#include "ports/repository_catalog.hpp"
#include "swarm/identity/node_key.hpp"
#include "swarm/net/control_server.hpp"
#include "swarm/net/peer_network.hpp"
#include "swarm/ticket/ticket_verifier.hpp"
#include "swarm/tracker/tracker.hpp"

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace entrepot {

struct SwarmServiceSettings {
    std::string name;     // of this instance, as a node's
    std::string binding;  // where both doors are: an address, an interface's name, or empty for all
    std::uint16_t control_port = 7400;
    std::uint16_t peer_port = 7401;
    // By which nodes reach the seed. Zeros: as they reach the control port.
    PeerEndpoint advertised{};
    std::uint64_t up = no_rate_limit;  // bytes a second for nodes
    double link = 1.25e9;              // bytes a second that the machine's network carries
    std::chrono::steady_clock::duration tick = std::chrono::seconds{1};  // between two looks at what time has brought
};

// This instance's part in the swarm, on a thread of its own: control streams and the tracker behind them, the seed of
// what is pulled, tickets that are renewed, and revocations. All that it knows is soft, but for what it asks the
// catalogs. start() and stop() block; everything public is safe from any thread between them.
class SwarmService final : ControlServerOwner, TrackerShell, PeerNetworkOwner, PeerChunkSink {
public:
    struct Needs {
        NodeDesk& nodes;
        ImageBundles& bundles;
        SwarmTickets& tickets;
        std::atomic<std::uint64_t>& epoch;  // of the revocations that are known here, for tickets
        std::shared_ptr<const SwarmSecrets> secrets;
        RepositoryCatalog& repositories;
        ManifestCatalog& manifests;
        BlobReader& blobs;
        asio::thread_pool& reading;
        Random& random;
        const Clock& clock;
        SwarmNodeWatch* watch = nullptr;  // null: nobody is told
    };
    SwarmService(Needs needs, SwarmServiceSettings settings);
    ~SwarmService() override;

    Result<> start();  // bad_request, unavailable: it can't be listened there; internal
    void stop();
    std::uint16_t control_port() const noexcept { return control_port_; }

    // Something was removed before event number `epoch`: images that are not where somebody's right to them comes from
    // any more are revoked, so that no node gives them away.
    void recheck(std::uint64_t epoch);
    // What nodes keep to from now on, by zone; before start() it holds from the first node on.
    void set_limits(SwarmLimits limits);
    // To the node of that stream, if it is still there.
    void send(ControlId stream, PreheatFrame frame);
    // Which instances track swarms, this one among them, as nodes find them: Tracker::set_instances(). Not before
    // start().
    void set_instances(std::vector<PeerEndpoint> living);
    // Where nodes find this one's control streams, by settings; after start().
    PeerEndpoint control_endpoint() const noexcept;
    // As of the last second.
    SwarmReport report() const;
    // Which images nodes take part in, and how they get on.
    SwarmView& view() noexcept { return view_; }

private:
    // Why a node may have an image: what its ticket says.
    struct Right {
        std::uint64_t tenant = 0;
        std::uint64_t repository = 0;
        Micros ends = 0;
    };
    struct Served {
        ImageBundlePtr image;
        std::map<NodeId, Right> rights;
        std::set<std::uint64_t> repositories;  // that were seen to have it
        Micros idle_since = 0;                 // 0: somebody takes part
    };
    struct Asked {
        ControlId stream = 0;
        SwarmHandle handle{};
        SwarmId swarm{};
    };

    // ControlServerOwner
    void opened(ControlId stream, const NodeIdentity& node, const PeerEndpoint& from) override;
    void received(ControlId stream, const ControlFrame& frame) override;
    void broken(ControlId stream, const std::string& why) override;
    void closed(ControlId stream) override;
    // TrackerShell
    void send(ControlId stream, std::string bytes) override;
    void close(ControlId stream) override;
    void wants(
        ControlId stream, const NodeId& node, SwarmHandle handle, const SwarmId& swarm, const std::string& ticket
    ) override;
    void renewal(ControlId stream, const NodeId& node, const std::string& request) override;
    void reported(const NodeId& by, const ReportFrame& report) override;
    void preheat_progress(const NodeId& node, const PreheatProgressFrame& progress) override;
    // PeerNetworkOwner, PeerChunkSink: a seed asks nobody for anything.
    std::optional<DenyCode> refusal(const NodeIdentity& peer, const SwarmId& swarm, std::string_view ticket) override;
    void starved(const SwarmId&, RefillReason, std::optional<NodeId>) override {}
    void complete(const SwarmId&) override {}
    void caught(const NodeId&, const SwarmId&, ChunkSpan) override {}
    Task<> store(SwarmId, ChunkIndex, std::span<const std::byte>) override;

    // The image isn't where the right to it came from.
    static bool is_gone(Errc code) noexcept { return code == Errc::manifest_unknown || code == Errc::name_unknown; }
    SwarmTime now() const noexcept;
    void forget(ControlId stream);
    Result<> certify_itself();
    Result<Ticket> check(const NodeId& node, const SwarmId& swarm, std::string_view ticket) const;
    Task<RepositoryName> repository_of(std::uint64_t id);
    Task<> admit(Asked asked, Ticket ticket, std::string bytes);
    Task<ImageBundlePtr> image_of(SwarmId swarm, std::uint64_t repository, Sha256 manifest);
    Task<> check_manifest(std::uint64_t repository, Sha256 manifest);
    Task<> certify(ControlId stream, NodeIdentity node, std::string request);
    asio::awaitable<void> keep_time();
    asio::awaitable<void> renew_tickets();
    asio::awaitable<void> renew_tickets_of(SwarmId swarm);
    asio::awaitable<void> recheck_all();
    void revoke(const SwarmId& swarm);
    void serve(const ImageBundlePtr& image);
    void end_idle();
    void end(const SwarmId& swarm, std::optional<DenyCode> why);
    void note_report();
    asio::awaitable<void> look_at_images();
    asio::awaitable<void> name_repositories();
    void show_roll(const SwarmId& swarm);

    Needs needs_;
    const SwarmServiceSettings settings_;
    asio::io_context loop_{1};
    SeedChunks chunks_;
    TicketVerifier verifier_;
    TrackerPolicy tracker_policy_;
    std::unique_ptr<Tracker> tracker_;
    std::unique_ptr<ControlServer> control_;
    std::unique_ptr<PeerNetwork> network_;
    std::optional<NodeKey> key_;
    std::shared_ptr<const PeerTlsContext> tls_;
    Micros certified_until_ = 0;  // when the own certificate is renewed
    std::uint16_t control_port_ = 0;

    std::map<SwarmId, Served> served_;
    std::map<ControlId, NodeIdentity> streams_;
    std::deque<std::pair<Micros, RevokeFrame>> revocations_;  // that a new stream has to hear of
    bool rechecking_ = false;
    bool recheck_again_ = false;
    bool stopping_ = false;
    SwarmRandom chance_;
    asio::steady_timer clock_tick_;
    TaskGroup tasks_;

    std::map<std::uint64_t, std::string> names_;  // of repositories, as they are called now
    std::uint64_t renames_ = 0;                   // how often all of names_ was forgotten
    SwarmPainter painter_;
    SwarmView view_;

    mutable std::mutex report_mutex_;
    SwarmReport report_;
    std::jthread thread_;
};

}  // namespace entrepot
