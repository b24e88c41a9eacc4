#include "delivery/swarm_service.hpp"

#include "swarm/hex32.hpp"
#include "tests/support/served_swarm.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

class ASwarmService : public testing::Test, public ServedSwarm {
protected:
    ASwarmService() { std::signal(SIGPIPE, SIG_IGN); }

    // Lets the node in: its ticket is taken, and the seed named.
    bool joins(ServedNode& node, std::int64_t repository = 1)
    {
        if (!run([&] { return node.welcome; })) return false;
        node.announce(image, node.ticket(image, repository));
        return node.hears<NeighboursFrame>();
    }
    bool is_turned_away(ServedNode& node, const std::string& with)
    {
        if (!run([&] { return node.welcome; })) return false;
        node.announce(image, with);
        return node.hears<RetireFrame>() && node.last<NeighboursFrame>() == nullptr;
    }

    int looked_up()
    {
        const std::lock_guard guard{catalog.mutex};
        return catalog.looked_up;
    }

    const std::string layer = [] {
        std::string bytes(2'600'000, 'l');
        for (std::size_t at = 0; at < bytes.size(); at += 97) bytes[at] = static_cast<char>(at / 97);
        return bytes;
    }();
    const std::string config = blob("{}");
    const Digest manifest_of_image = manifest(config, {blob(layer)});
    const ImageBundlePtr image = bundle(manifest_of_image);
};

TEST_F(ASwarmService, LetsNodesInByTheirTicketsAndSeedsWhatTheyWant)
{
    ServedNode node{*this, "worker"};
    ASSERT_TRUE(joins(node));
    ASSERT_TRUE(node.seed());
    const auto right = node.last<TicketFrame>()->ticket;
    EXPECT_EQ(node.last<TicketKeysFrame>()->keys.front(), secrets->signer().public_key());
    node.download(image, right);
    ASSERT_TRUE(run([&] { return node.whole; }));
    EXPECT_EQ(node.bytes, "{}" + layer);
    ASSERT_TRUE(run([&] { return service->report().members == 1; }));
    EXPECT_EQ(service->report().nodes, 1U);
    EXPECT_EQ(service->report().images, 1U);
    EXPECT_EQ(service->report().refusals, 0U);
}

TEST_F(ASwarmService, TurnsAwayWhoHasNoRight)
{
    ServedNode node{*this, "worker"};
    ServedNode other{*this, "other"};
    ASSERT_TRUE(is_turned_away(node, {})) << "no ticket";
    node.frames.clear();
    node.announce(image, other.ticket(image));
    ASSERT_TRUE(node.hears<RetireFrame>()) << "another node's";
    node.frames.clear();
    auto forged = node.ticket(image);
    forged.back() = static_cast<char>(~forged.back());
    node.announce(image, forged);
    ASSERT_TRUE(node.hears<RetireFrame>()) << "a signature that is none";
    const auto old = node.ticket(image);
    clock.jump(12min);
    node.frames.clear();
    node.announce(image, old);
    ASSERT_TRUE(node.hears<RetireFrame>()) << "one that has expired";
    EXPECT_EQ(service->report().refusals, 4U);
    ASSERT_TRUE(joins(node)) << "and takes a right one after all that";
}

TEST_F(ASwarmService, KeepsItsKeyWhenItsCertificateIsRenewed)
{
    ServedNode before{*this, "before"};
    ASSERT_TRUE(joins(before));
    const auto seed = before.seed();
    ASSERT_TRUE(seed);
    for (int days = 1; days <= 2; ++days) {
        clock.jump(25h);
        before.certify_again();
        // It comes about once the service has renewed its own: a certificate that has ended, no node accepts.
        ServedNode after{*this, "after-" + std::to_string(days)};
        ASSERT_TRUE(joins(after));
        ASSERT_TRUE(after.seed());
        EXPECT_EQ(after.seed()->node, seed->node) << "nodes that know the seed look for it under this id";
        after.download(image, after.last<TicketFrame>()->ticket);
        ASSERT_TRUE(run([&] { return after.whole; })) << "the seed is who the tracker says";
    }
    before.download(image, before.ticket(image));
    EXPECT_TRUE(run([&] { return before.whole; })) << "by what it was told two days ago";
}

TEST_F(ASwarmService, RevokesWhatIsDeleted)
{
    ServedNode node{*this, "worker"};
    ASSERT_TRUE(joins(node));
    const auto right = node.ticket(image);
    remove(manifest_of_image, here);
    service->recheck(7);
    ASSERT_TRUE(node.hears<RevokeFrame>());
    EXPECT_EQ(
        *node.last<RevokeFrame>(),
        (RevokeFrame{.kind = RevokedKind::swarms, .epoch = 7, .ids = {Sha256{image->descriptor.id().bytes}}})
    );
    EXPECT_TRUE(run([&] { return service->report().revocations == 1; }));
    node.frames.clear();
    node.announce(image, right);
    EXPECT_TRUE(node.hears<RetireFrame>()) << "what was given before is worth nothing";
    ServedNode late{*this, "late"};
    EXPECT_TRUE(late.hears<RevokeFrame>()) << "who was away hears of it too";
}

TEST_F(ASwarmService, LeavesAnImageWithWhoHasItFromAnotherRepository)
{
    ASSERT_EQ(manifest(config, {blob(layer)}, there), manifest_of_image);
    ServedNode node{*this, "worker"};
    ServedNode other{*this, "other"};
    ASSERT_TRUE(joins(node));
    ASSERT_TRUE(joins(other, 2));
    remove(manifest_of_image, here);
    service->recheck(9);
    ASSERT_TRUE(node.hears<RevokeFrame>());
    ASSERT_TRUE(other.hears<RevokeFrame>());
    node.frames.clear();
    other.frames.clear();
    ASSERT_EQ(epoch, 9U);
    ASSERT_TRUE(joins(other, 2)) << "with a ticket of this epoch";
    node.announce(image, node.ticket(image, 1));
    ASSERT_TRUE(run([&] { return node.last<RevokeFrame>() != nullptr || node.last<RetireFrame>() != nullptr; }));
    EXPECT_EQ(node.last<NeighboursFrame>(), nullptr) << "its repository has the image no more";
}

TEST_F(ASwarmService, LeavesWhatIsStillThereAlone)
{
    ServedNode node{*this, "worker"};
    ASSERT_TRUE(joins(node));
    const auto gone = manifest(blob("{ }"), {});
    remove(gone, here);
    service->recheck(3);
    ASSERT_TRUE(run([&] { return epoch == 3; }));
    node.download(image, node.ticket(image));
    ASSERT_TRUE(run([&] { return node.whole; }));
    EXPECT_EQ(service->report().revocations, 0U);
    EXPECT_EQ(node.last<RevokeFrame>(), nullptr);
}

TEST_F(ASwarmService, RenewsTheTicketsOfWhoTakesPart)
{
    ServedNode node{*this, "worker"};
    ServedNode removed{*this, "removed"};
    ASSERT_TRUE(joins(node));
    ASSERT_TRUE(joins(removed));
    {
        const std::lock_guard guard{catalog.mutex};
        catalog.kept.erase(hex_of(removed.id()));
    }
    node.frames.clear();
    removed.frames.clear();
    clock.jump(6min);
    ASSERT_TRUE(removed.hears<RetireFrame>()) << "it has no certificate any more";
    ASSERT_TRUE(node.hears<TicketFrame>());
    TicketVerifier verifier;
    ASSERT_TRUE(verifier.trust(secrets->signer().public_key()));
    const TicketAsk ask{.node = node.id(), .swarm = image->descriptor.id(), .needed = {.fetch = true, .serve = true}};
    const auto renewed = verifier.check(as_bytes(node.last<TicketFrame>()->ticket), ask, clock.now() + 540'000'000);
    ASSERT_TRUE(renewed.has_value()) << "good for ten minutes again";
    EXPECT_EQ(renewed->repository, 1U);
    EXPECT_GE(service->report().tickets_renewed, 1U);
}

TEST_F(ASwarmService, RenewsTicketsOnceTheDatabaseIsBack)
{
    ServedNode node{*this, "worker"};
    ASSERT_TRUE(joins(node));
    catalog.away = true;
    node.frames.clear();
    clock.jump(6min);
    const auto asked = looked_up();
    ASSERT_TRUE(run([&] { return looked_up() >= asked + 2; })) << "it is tried again";
    EXPECT_EQ(node.last<TicketFrame>(), nullptr);
    EXPECT_EQ(node.last<RetireFrame>(), nullptr) << "what it has is good for some minutes yet";
    catalog.away = false;
    EXPECT_TRUE(node.hears<TicketFrame>());
}

TEST_F(ASwarmService, RenewsCertificatesOfNodesThatItKnows)
{
    ServedNode node{*this, "worker"};
    ASSERT_TRUE(run([&] { return node.welcome; }));
    catalog.away = true;
    const auto asked = looked_up();
    node.ask_for_certificate();
    ASSERT_TRUE(run([&] { return looked_up() > asked; }));
    EXPECT_EQ(node.last<CertificateFrame>(), nullptr) << "nothing is known, so nothing is refused";
    catalog.away = false;
    // The answer that failed may still be under way.
    ASSERT_TRUE(run([&] {
        node.ask_for_certificate();
        return node.last<CertificateFrame>() != nullptr;
    }));
    EXPECT_NE(node.last<CertificateFrame>()->certificate, "");
    EXPECT_EQ(node.last<CertificateFrame>()->authorities, secrets->authority().certificate_pem());
    {
        const std::lock_guard guard{catalog.mutex};
        catalog.kept.clear();
    }
    node.frames.clear();
    node.ask_for_certificate();
    ASSERT_TRUE(node.hears<CertificateFrame>());
    EXPECT_TRUE(run([&] { return node.last<CertificateFrame>()->certificate.empty(); })) << "it was removed";
}

TEST_F(ASwarmService, StartsAndLetsNobodyInWhileTheDatabaseIsAway)
{
    repositories.away = true;
    manifests.away = true;
    open();
    ServedNode node{*this, "worker"};
    ASSERT_TRUE(is_turned_away(node, node.ticket(image)));
    EXPECT_EQ(node.last<RevokeFrame>(), nullptr) << "that it can't be asked doesn't say that it is gone";
    repositories.away = false;
    manifests.away = false;
    node.frames.clear();
    EXPECT_TRUE(joins(node));
    EXPECT_EQ(node.connections, 1);
}

TEST_F(ASwarmService, RevokesWhatWasDeletedWhenItLearnsOfIt)
{
    ServedNode node{*this, "worker"};
    ASSERT_TRUE(joins(node));
    manifests.away = true;
    remove(manifest_of_image, here);
    service->recheck(5);
    ASSERT_TRUE(run([&] { return epoch == 5; }));
    EXPECT_EQ(node.last<RevokeFrame>(), nullptr);
    manifests.away = false;
    EXPECT_TRUE(node.hears<RevokeFrame>());
}

TEST_F(ASwarmService, EndsWithStreamsOpenAndThingsUnderWay)
{
    std::vector<std::unique_ptr<ServedNode>> nodes;
    for (int count = 0; count < 5; ++count) {
        nodes.push_back(std::make_unique<ServedNode>(*this, "worker-" + std::to_string(count)));
        ASSERT_TRUE(joins(*nodes.back()));
        nodes.back()->download(image, nodes.back()->ticket(image));
    }
    // A check that is tried again and again.
    manifests.away = true;
    service->recheck(1);
    ASSERT_TRUE(run([&] { return epoch == 1; }));
    service->stop();
    ASSERT_TRUE(run([&] { return std::ranges::none_of(nodes, [](const auto& node) { return node->connected(); }); }));
    service->stop();
    // After a restart they are all there again, by themselves.
    manifests.away = false;
    open();
    for (const auto& node : nodes) {
        ASSERT_TRUE(run([&] { return node->connections == 2 && node->connected(); }));
        EXPECT_TRUE(joins(*node));
    }
}

}  // namespace
}  // namespace entrepot
