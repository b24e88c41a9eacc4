#pragma once

#include "agent/node_credentials.hpp"
#include "agent/test_image.hpp"
#include "client/test_peer.hpp"
#include "core/random.hpp"
#include "oci/json_fields.hpp"
#include "swarm/identity/node_authority.hpp"
#include "swarm/net/control_server.hpp"
#include "swarm/net/peer_network.hpp"
#include "swarm/ticket/ticket_verifier.hpp"
#include "swarm/tracker/tracker.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace entrepot {

// A clock that a test moves ahead.
class TestClock final : public Clock {
public:
    Micros now() const noexcept override { return system_.now() + ahead_; }
    std::chrono::steady_clock::time_point steady() const noexcept override { return system_.steady(); }
    void advance(std::chrono::seconds time) { ahead_ += std::chrono::microseconds{time}.count(); }

private:
    SystemClock system_;
    std::atomic<Micros> ahead_ = 0;
};

// For tests: the registry's side of the swarm on a thread of its own, as small as it can be. Nodes are certified by
// HTTP, there is a tracker behind a server of control streams, and a seed that has all images. Everything is safe from
// the test's thread.
class TestRegistry final : public ControlServerOwner,
                           public TrackerShell,
                           public PeerNetworkOwner,
                           public PeerChunkSink,
                           public PeerChunkSource {
public:
    TestRegistry(const Clock& clock, const std::vector<const TestImage*>& images);
    // Another instance of the same registry.
    TestRegistry(const TestRegistry& first, const std::vector<const TestImage*>& images);
    ~TestRegistry() override;

    std::string url() const { return http_->url(); }
    // A right to an image, of the epoch that there is.
    std::string ticket(const std::string& node, const TestImage& image, std::uint16_t lifetime = 600);
    // Nobody has a right to it that was given before.
    void revoke(const TestImage& image);
    // All that it knew is gone, and all streams.
    void restart_tracker();
    // To another port.
    void move_tracker();
    // All of it, for good; by HTTP it says that it is away.
    void kill();
    // The tracker, until restart_tracker().
    void stop_tracker();
    PeerEndpoint control() const;
    // What its tracker is to know, which it is told again after each start.
    void set_instances(std::vector<PeerEndpoint> instances);
    void limit_seed(std::uint64_t up);
    // Its own certificate, by the clock.
    void renew_itself();
    void preheat(const PreheatFrame& job);
    void set_limits(const LimitsFrame& limits);
    std::optional<SwarmOverview> overview(const TestImage& image);
    std::vector<ReportFrame> reports();
    std::vector<PreheatProgressFrame> progresses();
    NodeId seed_id() const { return seed_tls_->own_id(); }

    std::atomic<bool> names_seed = true;         // to who announces
    std::atomic<bool> admits_everybody = false;  // whatever ticket they show; what they have is given back
    std::atomic<bool> renews = true;             // certificates
    std::atomic<bool> lies = false;              // the seed, in all chunks
    std::atomic<int> outages = 0;                // how many nodes are told by HTTP to come later
    std::atomic<int> certified = 0;              // by HTTP

    // ControlServerOwner.
    void opened(ControlId stream, const NodeIdentity& node, const PeerEndpoint& from) override
    {
        names_[node.id] = node.name;
        tracker_->opened(stream, node.id, from, swarm_now());
    }
    void received(ControlId stream, const ControlFrame& frame) override
    {
        tracker_->received(stream, frame, swarm_now());
    }
    void broken(ControlId stream, const std::string& why) override { tracker_->broken(stream, why); }
    void closed(ControlId stream) override { tracker_->closed(stream); }

    // TrackerShell.
    void send(ControlId stream, std::string bytes) override { server_->send(stream, std::move(bytes)); }
    void close(ControlId stream) override { server_->close(stream); }
    void wants(
        ControlId stream, const NodeId& node, SwarmHandle handle, const SwarmId& swarm, const std::string& ticket
    ) override;
    void renewal(ControlId stream, const NodeId& node, const std::string& request) override;
    void reported(const NodeId& by, const ReportFrame& report) override;
    void preheat_progress(const NodeId& node, const PreheatProgressFrame& progress) override;

    // The seed.
    std::optional<DenyCode> refusal(const NodeIdentity& peer, const SwarmId& swarm, std::string_view ticket) override;
    void starved(const SwarmId&, RefillReason, std::optional<NodeId>) override {}
    void complete(const SwarmId&) override {}
    void caught(const NodeId&, const SwarmId&, ChunkSpan) override {}
    Task<> store(SwarmId, ChunkIndex, std::span<const std::byte>) override
    {
        co_return fail(Errc::internal, "a seed misses nothing");
    }
    Task<> read(SwarmId swarm, ChunkIndex chunk, std::span<std::byte> into) override;

private:
    SwarmTime swarm_now() const
    {
        return std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady().time_since_epoch()).count();
    }
    // Does something on the loop, and waits for it.
    template <class What>
    auto there(What what)
    {
        std::packaged_task<decltype(what())()> task{std::move(what)};
        auto done = task.get_future();
        asio::post(loop_, std::move(task));
        return done.get();
    }
    void finish(asio::awaitable<void> task)
    {
        std::promise<void> over;
        asio::co_spawn(loop_, std::move(task), [&](const std::exception_ptr&) { over.set_value(); });
        over.get_future().get();
    }
    std::shared_ptr<const PeerTlsContext> tls();
    void open_tracker(std::uint16_t port);
    void open_seed();
    void begin(const std::vector<const TestImage*>& images);
    std::string enrol(const std::string& request);
    std::string certify(const std::string& request, const std::string& name);

    const Clock& clock_;
    std::map<SwarmId, const TestImage*> images_;
    SystemRandom random_;
    NodeAuthority authority_;
    NodeKey key_ = NodeKey::generate().value();
    TicketSigner signer_;
    TicketVerifier verifier_;
    std::atomic<std::uint64_t> epoch_ = 0;
    std::mutex mutex_;
    std::vector<ReportFrame> reports_;
    std::vector<PreheatProgressFrame> progresses_;
    std::map<NodeId, std::string> names_;

    asio::io_context loop_{1};
    TrackerPolicy policy_;
    std::uint64_t tracker_epoch_ = 0;
    std::unique_ptr<Tracker> tracker_;
    std::unique_ptr<ControlServer> server_;
    std::shared_ptr<const PeerTlsContext> seed_tls_;
    std::unique_ptr<PeerNetwork> seed_;
    std::uint16_t control_port_ = 0;
    std::vector<PeerEndpoint> instances_;
    bool stopped_ = false;  // the server of control streams
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::thread thread_;
    std::unique_ptr<TestPeer> http_;
};

inline TestRegistry::TestRegistry(const Clock& clock, const std::vector<const TestImage*>& images)
    : clock_{clock},
      authority_{NodeAuthority::create(random_, clock.now()).value()},
      signer_{TicketSigner::generate(random_).value()},
      seed_tls_{tls()},
      work_{loop_.get_executor()},
      thread_{[this] { loop_.run(); }}
{
    begin(images);
}

inline TestRegistry::TestRegistry(const TestRegistry& first, const std::vector<const TestImage*>& images)
    : clock_{first.clock_},
      authority_{first.authority_},
      signer_{first.signer_},
      seed_tls_{tls()},
      work_{loop_.get_executor()},
      thread_{[this] { loop_.run(); }}
{
    begin(images);
}

inline void TestRegistry::begin(const std::vector<const TestImage*>& images)
{
    EXPECT_TRUE(verifier_.trust(signer_.public_key()).has_value());
    for (const auto* image : images) images_.emplace(image->id(), image);
    there([this] {
        open_seed();
        open_tracker(0);
    });
    http_ = std::make_unique<TestPeer>([this](int, TestPeer::Link& link) {
        for (auto asked = link.request(); !asked.empty(); asked = link.request()) {
            const bool away = outages > 0 && outages-- > 0;
            const auto body = away ? std::string{} : enrol(asked);
            link.say(
                std::string{"HTTP/1.1 "} + (body.empty() ? "503" : "200") + " x\r\nDate: " + http_date(clock_.now()) +
                "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body
            );
        }
    });
}

inline TestRegistry::~TestRegistry()
{
    http_.reset();
    kill();
    work_.reset();
    loop_.stop();
    thread_.join();
}

inline std::shared_ptr<const PeerTlsContext> TestRegistry::tls()
{
    const NodeAdmission admission{.name = "registry", .zone = {}, .seed = true};
    const auto certificate = authority_.issue(key_.request().value(), admission, random_, clock_.now()).value();
    NodeTrust trust;
    EXPECT_TRUE(trust.trust(authority_.certificate_pem()).has_value());
    return PeerTlsContext::of(key_, certificate.pem, std::move(trust)).value();
}

inline void TestRegistry::open_seed()
{
    PeerNetworkSettings settings;
    settings.node.name = "registry";
    settings.node.up = 1e9;
    settings.node.capabilities = CapabilitySet{}.with(Capability::serves).with(Capability::seed);
    settings.binding = "127.0.0.1";
    seed_ = std::make_unique<PeerNetwork>(
        loop_.get_executor(), std::move(settings), seed_tls_, *this, *this, *this, clock_
    );
    EXPECT_TRUE(seed_->start().has_value());
    for (const auto& [id, image] : images_)
        seed_->act([&](SwarmNode& node, SwarmTime) { node.add_seed(id, image->descriptor.layout(), 0); });
}

inline void TestRegistry::open_tracker(std::uint16_t port)
{
    TrackerSettings settings;
    settings.epoch = ++tracker_epoch_;
    settings.report_ms = 50;
    tracker_ = std::make_unique<Tracker>(settings, policy_, *this);
    tracker_->set_ticket_keys({signer_.public_key()});
    // Zeros: the tracker's own address, as the nodes see it.
    PeerEntry entry;
    entry.node = seed_tls_->own_id();
    entry.endpoint.port = seed_->port();
    entry.seed = true;
    if (names_seed) tracker_->set_seeds({entry});
    ControlServerSettings binding;
    binding.binding = "127.0.0.1";
    binding.port = port;
    server_ = std::make_unique<ControlServer>(loop_.get_executor(), binding, seed_tls_, *this, clock_);
    EXPECT_TRUE(server_->start().has_value());
    control_port_ = server_->port();
    tracker_->set_instances(control(), instances_);
}

inline PeerEndpoint TestRegistry::control() const
{
    const auto address = asio::ip::make_address_v6(asio::ip::v4_mapped, asio::ip::address_v4::loopback());
    return {.address = address.to_bytes(), .port = control_port_};
}

inline void TestRegistry::set_instances(std::vector<PeerEndpoint> instances)
{
    there([&] {
        instances_ = std::move(instances);
        tracker_->set_instances(control(), instances_);
    });
}

inline void TestRegistry::stop_tracker()
{
    finish(server_->stop());
    stopped_ = true;
}

inline void TestRegistry::kill()
{
    outages = std::numeric_limits<int>::max();
    if (!stopped_) stop_tracker();
    if (seed_) finish(seed_->stop());
    there([this] { seed_.reset(); });
}

inline void TestRegistry::restart_tracker()
{
    if (!stopped_) stop_tracker();
    there([this] { open_tracker(control_port_); });
    stopped_ = false;
}

inline void TestRegistry::move_tracker()
{
    finish(server_->stop());
    // The port before stays somebody else's until the new one is found.
    const auto before = std::exchange(control_port_, 0);
    there([this] { open_tracker(0); });
    EXPECT_NE(control_port_, before);
}

inline std::string TestRegistry::enrol(const std::string& asked)
{
    if (asked.starts_with("GET /swarm/v1/nodes/"))
        return there([&] { return R"({"control":{"host":"","port":)" + std::to_string(control_port_) + "}}"; });
    const auto body = parse_object(asked.substr(asked.find("\r\n\r\n") + 4)).value();
    const auto field = [&](std::string_view name) { return std::string{find_text(body, name)}; };
    return there([&] {
        NodeEnrolment given;
        given.certificate = certify(field("request"), field("name"));
        given.authorities = {authority_.certificate_pem()};
        given.ticket_keys = {signer_.public_key()};
        given.control_port = control_port_;
        ++certified;
        return enrolment_json(given);
    });
}

inline std::string TestRegistry::certify(const std::string& request, const std::string& name)
{
    return authority_.issue(request, {.name = name, .zone = "zone"}, random_, clock_.now()).value().pem;
}

inline std::string TestRegistry::ticket(const std::string& node, const TestImage& image, std::uint16_t lifetime)
{
    Ticket right;
    right.epoch = epoch_;
    right.swarm = image.id();
    right.manifest = image.descriptor.manifest();
    for (std::size_t at = 0; at < right.node.bytes.size(); ++at)
        right.node.bytes[at] = static_cast<std::uint8_t>(std::stoul(node.substr(2 * at, 2), nullptr, 16));
    right.operations = {.fetch = true, .serve = true};
    right.not_before = static_cast<std::uint64_t>(clock_.now() / 1'000'000);
    right.lifetime = lifetime;
    return signer_.sign(right).value();
}

inline void TestRegistry::revoke(const TestImage& image)
{
    there([&] {
        RevokeFrame frame{.kind = RevokedKind::swarms, .epoch = ++epoch_, .ids = {Sha256{image.id().bytes}}};
        verifier_.revoke(frame, clock_.now());
        tracker_->revoke(frame);
    });
}

inline void TestRegistry::limit_seed(std::uint64_t up)
{
    there([&] { seed_->limit(up, no_rate_limit); });
}

inline void TestRegistry::renew_itself()
{
    there([&] {
        seed_tls_ = tls();
        seed_->renew(seed_tls_);
        server_->renew(seed_tls_);
    });
}

inline void TestRegistry::preheat(const PreheatFrame& job)
{
    there([&] { tracker_->preheat(job, [](std::string_view, std::string_view) { return true; }); });
}

inline void TestRegistry::set_limits(const LimitsFrame& limits)
{
    there([&] { tracker_->set_limits({.others = limits}); });
}

inline std::optional<SwarmOverview> TestRegistry::overview(const TestImage& image)
{
    return there([&] { return tracker_->overview(image.id()); });
}

inline std::vector<ReportFrame> TestRegistry::reports()
{
    const std::lock_guard guard{mutex_};
    return reports_;
}

inline std::vector<PreheatProgressFrame> TestRegistry::progresses()
{
    const std::lock_guard guard{mutex_};
    return progresses_;
}

inline void TestRegistry::wants(
    ControlId stream, const NodeId& node, SwarmHandle handle, const SwarmId& swarm, const std::string& ticket
)
{
    const TicketAsk ask{.node = node, .swarm = swarm, .needed = {.fetch = true, .serve = false}};
    const bool right = verifier_.check(as_bytes(ticket), ask, clock_.now()).has_value();
    // Not from within the tracker, which asks.
    asio::post(loop_, [=, this] {
        if (right || (admits_everybody && !ticket.empty()))
            tracker_->admitted(stream, handle, swarm, ticket);
        else
            tracker_->refused(stream, handle, swarm);
    });
}

inline void TestRegistry::renewal(ControlId stream, const NodeId& node, const std::string& request)
{
    asio::post(loop_, [=, this] {
        const auto certificate = renews ? certify(request, names_.at(node)) : std::string{};
        tracker_->certified(stream, certificate, renews ? authority_.certificate_pem() : std::string{});
    });
}

inline void TestRegistry::reported(const NodeId&, const ReportFrame& report)
{
    const std::lock_guard guard{mutex_};
    reports_.push_back(report);
}

inline void TestRegistry::preheat_progress(const NodeId&, const PreheatProgressFrame& progress)
{
    const std::lock_guard guard{mutex_};
    progresses_.push_back(progress);
}

inline std::optional<DenyCode>
TestRegistry::refusal(const NodeIdentity& peer, const SwarmId& swarm, std::string_view ticket)
{
    const TicketAsk ask{.node = peer.id, .swarm = swarm, .needed = {.fetch = true, .serve = false}};
    return verifier_.check(as_bytes(ticket), ask, clock_.now()) ? std::nullopt : std::optional{ticket_denial};
}

inline Task<> TestRegistry::read(SwarmId swarm, ChunkIndex chunk, std::span<std::byte> into)
{
    std::ranges::copy(images_.at(swarm)->chunk(chunk), into.begin());
    if (lies) into.front() = ~into.front();
    co_return Result<>{};
}

}  // namespace entrepot
