#include "delivery/swarm_tickets.hpp"

#include "core/bytes.hpp"
#include "swarm/hex32.hpp"
#include "swarm/ticket/ticket_verifier.hpp"
#include "tests/support/swarm_registry.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

constexpr Micros hour = 3600LL * 1'000'000;

class SwarmTicketsTest : public testing::Test {
protected:
    SwarmTicketsTest()
    {
        node.bytes[0] = 7;
        subject.swarm.bytes[0] = 1;
        subject.manifest.bytes[0] = 2;
        put(hour);
    }
    void put(Micros lifetime)
    {
        registry.catalog.kept[hex_of(node)] =
            NodeEntry{.id = hex_of(node), .name = "n1", .zone = "a", .expires_at = registry.clock.now() + lifetime};
    }
    Result<std::optional<std::string>> issue() { return run_to_end(tickets.issue(node, subject)); }

    SwarmRegistry registry;
    std::atomic<std::uint64_t> epoch{5};
    SwarmTickets tickets{registry.catalog, registry.secrets, registry.clock, epoch};
    NodeId node;
    TicketSubject subject{.tenant_id = 3, .repository_id = 4};
};

TEST_F(SwarmTicketsTest, are_what_nodes_accept)
{
    const auto bytes = issue();
    ASSERT_TRUE(bytes && *bytes);
    TicketVerifier verifier;
    ASSERT_TRUE(verifier.trust(registry.secrets->signer().public_key()));
    const TicketAsk ask{.node = node, .swarm = subject.swarm, .needed = {.fetch = true, .serve = true}};
    const auto ticket = verifier.check(as_bytes(**bytes), ask, registry.clock.now());
    ASSERT_TRUE(ticket);
    EXPECT_EQ(ticket->manifest, subject.manifest);
    EXPECT_EQ(ticket->tenant, 3U);
    EXPECT_EQ(ticket->repository, 4U);
    EXPECT_EQ(ticket->zone, "a");
    EXPECT_EQ(ticket->epoch, 5U);
    EXPECT_EQ(ticket->lifetime, 600);
    epoch = 6;
    const auto later = issue();
    ASSERT_TRUE(later && *later);
    EXPECT_EQ(verifier.check(as_bytes(**later), ask, registry.clock.now())->epoch, 6U);
}

TEST_F(SwarmTicketsTest, are_for_nodes_that_have_a_certificate)
{
    put(0);
    EXPECT_EQ(issue().value(), std::nullopt);
    put(hour);
    EXPECT_NE(issue().value(), std::nullopt) << "what has ended is looked up again";
    NodeId unknown;
    EXPECT_EQ(run_to_end(tickets.issue(unknown, subject)).value(), std::nullopt);
    registry.catalog.away = true;
    const auto silent = run_to_end(tickets.issue(unknown, subject));
    ASSERT_FALSE(silent);
    EXPECT_EQ(silent.error().code(), Errc::unavailable);
}

TEST_F(SwarmTicketsTest, end_for_a_node_that_was_removed_when_it_is_forgotten)
{
    ASSERT_TRUE(issue().value());
    ASSERT_TRUE(issue().value());
    EXPECT_EQ(registry.catalog.looked_up, 1) << "many images of one node are one question";
    registry.catalog.kept.clear();
    registry.clock.advance(SwarmTickets::node_memory);
    EXPECT_EQ(issue().value(), std::nullopt);
}

TEST_F(SwarmTicketsTest, end_with_the_certificate_also_for_who_is_remembered)
{
    put(2'000'000);
    ASSERT_TRUE(issue().value());
    registry.clock.advance(std::chrono::seconds{2});
    EXPECT_EQ(issue().value(), std::nullopt);
}

}  // namespace
}  // namespace entrepot
