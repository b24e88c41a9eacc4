#pragma once

#include "core/address.hpp"
#include "delivery/swarm_service.hpp"
#include "swarm/net/control_stream.hpp"
#include "swarm/net/image_verifier.hpp"
#include "tests/support/swarm_images.hpp"
#include "tests/support/swarm_registry.hpp"

#include <boost/asio/co_spawn.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace entrepot {

// Wall-clock time that a test moves ahead of the machine's. Safe from any thread.
class JumpingClock final : public Clock {
public:
    Micros now() const noexcept override { return system_.now() + ahead_; }
    std::chrono::steady_clock::time_point steady() const noexcept override { return system_.steady(); }
    void jump(std::chrono::seconds by) noexcept { ahead_ += std::chrono::microseconds{by}.count(); }

private:
    SystemClock system_;
    std::atomic<Micros> ahead_{0};
};

// The repositories of SwarmImages.
class TwoRepositories final : public RepositoryCatalog {
public:
    std::atomic<bool> away{false};

    Task<RepositoryRecord> of_id(std::int64_t id) override
    {
        if (away) co_return fail(Errc::unavailable, "away");
        if (id != 1 && id != 2) co_return fail(Errc::name_unknown, "no such repository");
        RepositoryRecord record;
        record.id = id;
        record.name = id == 1 ? "shop/app" : "other/app";
        co_return record;
    }
    Task<ListPage<RepositoryRecord>> of_project(std::int64_t, ListQuery) override { co_return not_asked_for(); }
    Task<ListPage<RepositoryRecord>> of_projects(std::optional<std::vector<std::int64_t>>, ListQuery) override
    {
        co_return not_asked_for();
    }
    Task<RepositoryRecord> find(RepositoryName) override { co_return not_asked_for(); }
    Task<> describe(RepositoryName, std::string, Actor) override { co_return not_asked_for(); }
    Task<std::vector<UploadId>> remove(RepositoryName, Actor) override { co_return not_asked_for(); }
};

// A SwarmService on real sockets with catalogs in memory, and a loop for nodes that the test's own thread runs until
// something holds.
struct ServedSwarm : SwarmImages {
    ServedSwarm() { open(); }
    virtual ~ServedSwarm()
    {
        if (service) service->stop();
        service.reset();
        const auto ending = [](ImageBundles& which) -> Task<> {
            co_await which.drain();
            co_return Result<>{};
        };
        (void)run_to_end(ending(bundles));
        pool.join();
    }
    ServedSwarm(const ServedSwarm&) = delete;
    ServedSwarm& operator=(const ServedSwarm&) = delete;

    // Another one, on the port of the one before, as after a restart.
    void open()
    {
        if (service) service->stop();
        SwarmServiceSettings settings;
        settings.name = "registry";
        settings.binding = "127.0.0.1";
        settings.control_port = port;
        settings.peer_port = 0;
        settings.tick = std::chrono::milliseconds{10};
        const SwarmService::Needs needs{
            .nodes = desk,
            .bundles = bundles,
            .tickets = tickets,
            .epoch = epoch,
            .secrets = secrets,
            .repositories = repositories,
            .manifests = manifests,
            .blobs = blobs,
            .reading = pool,
            .random = random,
            .clock = clock,
        };
        service = std::make_unique<SwarmService>(needs, settings);
        const auto started = service->start();
        ASSERT_TRUE(started.has_value()) << started.error().message() << started.error().detail();
        port = service->control_port();
    }

    ImageBundlePtr bundle(const Digest& manifest) { return bundle(manifest, here); }
    ImageBundlePtr bundle(const Digest& manifest, const RepositoryName& from)
    {
        return run_to_end(bundles.load(from, manifest)).value();
    }

    // Lets things happen until `done`. False: in a minute it wasn't.
    bool run(const std::function<bool()>& done)
    {
        const auto until = std::chrono::steady_clock::now() + std::chrono::minutes{1};
        while (!done() && std::chrono::steady_clock::now() < until) {
            loop.restart();
            loop.run_one_for(std::chrono::milliseconds{5});
        }
        return done();
    }
    void finish(asio::awaitable<void> task)
    {
        bool ended = false;
        asio::co_spawn(loop, std::move(task), [&ended](const std::exception_ptr& thrown) {
            EXPECT_EQ(thrown, nullptr);
            ended = true;
        });
        EXPECT_TRUE(run([&] { return ended; }));
    }

    JumpingClock clock;
    SystemRandom random;
    MemoryNodes catalog;
    PlainBox box;
    AccessPolicy policy{ProjectCreation::admins, clock};
    TwoRepositories repositories;
    asio::thread_pool pool{2};
    std::shared_ptr<const SwarmSecrets> secrets = run_to_end(SwarmSecrets::open(catalog, box, random, clock)).value();
    NodeDesk desk{catalog, policy, secrets, random, clock};
    ImageBundles bundles{manifests, links, blobs, chunks, pool};
    std::atomic<std::uint64_t> epoch{0};
    SwarmTickets tickets{catalog, secrets, clock, epoch};
    SwarmTickets tickets_by_http{catalog, secrets, clock, epoch};  // with a memory of their own
    std::unique_ptr<SwarmService> service;
    std::uint16_t port = 0;
    asio::io_context loop{1};
};

// A node that was certified: its control stream, its connections, and one image in memory. On the world's loop.
class ServedNode final : public ControlStreamOwner,
                         public PeerNetworkOwner,
                         public PeerChunkSink,
                         public PeerChunkSource {
public:
    static constexpr SwarmHandle handle{1};

    ServedNode(ServedSwarm& world, std::string name) : world_{world}, name_{std::move(name)}
    {
        const auto tls = certified();
        PeerNetworkSettings of_network;
        of_network.node.name = name_;
        of_network.node.up = 1e9;
        of_network.node.capabilities = CapabilitySet{}.with(Capability::serves);
        of_network.binding = "127.0.0.1";
        network_ = std::make_unique<PeerNetwork>(
            world.loop.get_executor(), std::move(of_network), tls, *this, *this, *this, world.clock
        );
        EXPECT_TRUE(network_->start().has_value());
        ControlStreamSettings of_stream;
        of_stream.host = "127.0.0.1";
        of_stream.port = world.port;
        of_stream.first_pause = std::chrono::milliseconds{1};
        of_stream.longest_pause = std::chrono::milliseconds{20};
        stream_ =
            std::make_unique<ControlStream>(world.loop.get_executor(), std::move(of_stream), tls, *this, world.clock);
        stream_->start();
    }
    ~ServedNode() override
    {
        world_.finish(stream_->stop());
        world_.finish(network_->stop());
    }

    NodeId id() const { return key_.id(); }
    bool connected() const { return stream_->is_connected(); }
    // A right to the image because of a repository of SwarmImages.
    std::string ticket(const ImageBundlePtr& image, std::int64_t repository = 1)
    {
        const TicketSubject subject{
            .swarm = image->descriptor.id(),
            .manifest = image->descriptor.manifest(),
            .tenant_id = 3,
            .repository_id = repository,
        };
        return run_to_end(world_.tickets_by_http.issue(id(), subject)).value().value();
    }
    void announce(const ImageBundlePtr& image, const std::string& with)
    {
        stream_->send(AnnounceFrame{.handle = handle, .swarm = image->descriptor.id(), .ticket = with});
    }
    // Another certificate for the same key, as by HTTP, for connections from now on.
    void certify_again()
    {
        const auto tls = certified();
        stream_->renew(tls);
        network_->renew(tls);
    }
    void ask_for_certificate() { stream_->send(RenewFrame{.request = key_.request().value()}); }
    // From the seed that was named, into `bytes`.
    void download(const ImageBundlePtr& image, const std::string& with)
    {
        image_ = image;
        bytes.assign(image->descriptor.layout().bytes(), '\0');
        const auto& layout = image->descriptor.layout();
        network_->act([&](SwarmNode& node, SwarmTime now) {
            node.add_swarm(image->descriptor.id(), layout, PieceSet{layout.pieces()}, with, now);
        });
        meet();
    }

    template <class Frame>
    const Frame* last() const
    {
        for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame) {
            if (const auto* const found = std::get_if<Frame>(&*frame)) return found;
        }
        return nullptr;
    }
    template <class Frame>
    bool hears()
    {
        return world_.run([&] { return last<Frame>() != nullptr; });
    }
    // As the tracker has named it.
    std::optional<PeerEntry> seed() const
    {
        const auto* const frame = last<NeighboursFrame>();
        if (frame == nullptr) return std::nullopt;
        const auto found = std::ranges::find(frame->peers, true, &PeerEntry::seed);
        if (found == frame->peers.end()) return std::nullopt;
        auto entry = *found;
        if (!entry.endpoint.has_address()) entry.endpoint.address = Address::parse("127.0.0.1")->bytes();
        return entry;
    }

    std::vector<ControlFrame> frames;  // since the last stream began
    std::string bytes;
    bool whole = false;
    bool welcome = false;  // on the stream that there is
    int connections = 0;
    int losses = 0;

private:
    std::shared_ptr<const PeerTlsContext> certified()
    {
        const NodeAdmission admission{.name = name_, .zone = "zone"};
        const auto made =
            world_.secrets->authority().issue(key_.request().value(), admission, world_.random, world_.clock.now());
        {
            const std::lock_guard guard{world_.catalog.mutex};
            const auto hex = hex_of(id());
            world_.catalog.kept.insert_or_assign(
                hex, NodeEntry{.id = hex, .name = name_, .zone = "zone", .expires_at = made->ends}
            );
        }
        NodeTrust trust;
        EXPECT_TRUE(trust.trust(world_.secrets->authority().certificate_pem()).has_value());
        return PeerTlsContext::of(key_, made->pem, std::move(trust)).value();
    }
    void meet()
    {
        const auto named = seed();
        if (!named || !image_) return;
        network_->act([&](SwarmNode& node, SwarmTime now) {
            node.neighbours(image_->descriptor.id(), std::span{&*named, 1}, now);
        });
    }

    void connected(const asio::ip::address&) override
    {
        ++connections;
        welcome = false;
        frames.clear();
        RegisterFrame frame;
        frame.name = name_;
        frame.zone = "zone";
        frame.endpoint.port = network_->port();
        frame.capabilities = CapabilitySet{}.with(Capability::serves);
        stream_->send(frame);
    }
    void received(const ControlFrame& frame) override
    {
        frames.push_back(frame);
        welcome = welcome || std::holds_alternative<WelcomeFrame>(frame);
    }
    void lost(const std::string&) override { ++losses; }
    std::optional<DenyCode> refusal(const NodeIdentity& peer, const SwarmId&, std::string_view) override
    {
        return peer.seed ? std::nullopt : std::optional{ticket_denial};
    }
    void starved(const SwarmId&, RefillReason, std::optional<NodeId>) override { meet(); }
    void complete(const SwarmId&) override { whole = true; }
    void caught(const NodeId&, const SwarmId&, ChunkSpan) override { ADD_FAILURE() << "a seed that lies"; }
    Task<> store(SwarmId, ChunkIndex chunk, std::span<const std::byte> from) override
    {
        const auto at = image_->descriptor.layout().bytes_of_chunks({.first = 0, .count = chunk});
        std::memcpy(bytes.data() + at, from.data(), from.size());
        co_return Result<>{};
    }
    Task<> read(SwarmId, ChunkIndex, std::span<std::byte>) override { co_return not_asked_for(); }

    ServedSwarm& world_;
    const std::string name_;
    NodeKey key_ = NodeKey::generate().value();
    std::unique_ptr<PeerNetwork> network_;
    std::unique_ptr<ControlStream> stream_;
    ImageBundlePtr image_;
};

}  // namespace entrepot
