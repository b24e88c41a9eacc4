#include "agent/ticket_desk.hpp"

#include "core/random.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

constexpr Micros second = 1'000'000;

class ADesk : public ::testing::Test {
protected:
    ADesk()
    {
        peer.id.bytes[0] = 1;
        swarm.bytes[0] = 2;
        desk.trust({signer.public_key()});
    }
    std::string ticket(const NodeId& node, std::uint64_t epoch = 0)
    {
        Ticket one;
        one.epoch = epoch;
        one.swarm = swarm;
        one.manifest.bytes[0] = 3;
        one.node = node;
        one.operations = {.fetch = true, .serve = true};
        one.not_before = static_cast<std::uint64_t>(now / second);
        one.lifetime = 600;
        return signer.sign(one).value();
    }
    RevokeFrame revocation(RevokedKind kind, std::uint8_t first_byte) const
    {
        RevokeFrame frame{.kind = kind, .epoch = 1, .ids = std::vector<Sha256>(1)};
        frame.ids.front().bytes[0] = first_byte;
        return frame;
    }

    SystemRandom random;
    TicketSigner signer = TicketSigner::generate(random).value();
    Micros now = 1'800'000'000 * second;
    NodeIdentity peer;
    SwarmId swarm;
    TicketDesk desk;
};

TEST_F(ADesk, TakesATicketOfItsNodeAlone)
{
    EXPECT_EQ(desk.refusal(peer, swarm, ticket(peer.id), now), std::nullopt);
    auto other = peer;
    other.id.bytes[0] = 9;
    EXPECT_EQ(desk.refusal(other, swarm, ticket(peer.id), now), ticket_denial);
    EXPECT_EQ(desk.refusal(other, swarm, "", now), ticket_denial);
    EXPECT_EQ(desk.refused()[static_cast<std::size_t>(TicketRefusal::other_node)], 1U);
    EXPECT_EQ(desk.refused()[static_cast<std::size_t>(TicketRefusal::malformed)], 1U);
    EXPECT_TRUE(desk.ended(now).empty());
}

TEST_F(ADesk, NamesOnceWhoseRightHasEnded)
{
    const auto shown = ticket(peer.id);
    ASSERT_EQ(desk.refusal(peer, swarm, shown, now), std::nullopt);
    now += (600 + 60) * second;
    const auto ended = desk.ended(now);
    ASSERT_EQ(ended.size(), 1U);
    EXPECT_EQ(ended.front().node, peer.id);
    EXPECT_EQ(ended.front().swarm, swarm);
    EXPECT_EQ(ended.front().why, DenyCode::expired);
    EXPECT_TRUE(desk.ended(now).empty());
    EXPECT_EQ(desk.refusal(peer, swarm, shown, now), ticket_denial) << "what was accepted once is no longer";
}

TEST_F(ADesk, EndsTheRightsThatAreRevokedAndTakesNewerOnes)
{
    for (const auto& [kind, id] : {std::pair{RevokedKind::swarms, 2}, std::pair{RevokedKind::blobs, 3}}) {
        TicketDesk fresh;
        fresh.trust({signer.public_key()});
        ASSERT_EQ(fresh.refusal(peer, swarm, ticket(peer.id), now), std::nullopt);
        fresh.revoke(revocation(kind, static_cast<std::uint8_t>(id)), now);
        const auto ended = fresh.ended(now);
        ASSERT_EQ(ended.size(), 1U);
        EXPECT_EQ(ended.front().why, DenyCode::revoked);
        EXPECT_EQ(fresh.refusal(peer, swarm, ticket(peer.id), now), ticket_denial);
        EXPECT_EQ(fresh.refusal(peer, swarm, ticket(peer.id, 1), now), std::nullopt);
    }
}

TEST_F(ADesk, ForgetsKeysThatTheRegistryNamesNoMore)
{
    const auto shown = ticket(peer.id);
    ASSERT_EQ(desk.refusal(peer, swarm, shown, now), std::nullopt);
    const auto next = TicketSigner::generate(random).value();
    desk.trust({signer.public_key(), next.public_key()});
    EXPECT_TRUE(desk.ended(now).empty());
    desk.trust({next.public_key()});
    ASSERT_EQ(desk.ended(now).size(), 1U);
    EXPECT_EQ(desk.refusal(peer, swarm, shown, now), ticket_denial);
}

}  // namespace
}  // namespace entrepot
