#include "swarm/ticket/ticket.hpp"

#include "core/bytes.hpp"
#include "core/random.hpp"
#include "swarm/crypto/sha256_stream.hpp"
#include "swarm/test_vectors.hpp"
#include "swarm/ticket/ticket_signer.hpp"
#include "swarm/ticket/ticket_verifier.hpp"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace entrepot {
namespace {

template <class Name>
Name bytes_from(unsigned first)
{
    Name name;
    std::iota(name.bytes.begin(), name.bytes.end(), static_cast<std::uint8_t>(first));
    return name;
}

constexpr Micros second = 1'000'000;
constexpr std::uint64_t start = 1'800'000'000;
constexpr Micros now = static_cast<Micros>(start) * second + 5 * second;
const auto node = bytes_from<NodeId>(0);
const auto swarm = bytes_from<SwarmId>(0x20);
const auto manifest = bytes_from<Sha256>(0x40);
const auto blob = bytes_from<Sha256>(0x60);
const TicketAsk ask{.node = node, .swarm = swarm, .needed = {.fetch = true}};

Ticket sample()
{
    return {
        .epoch = 7,
        .swarm = swarm,
        .manifest = manifest,
        .node = node,
        .tenant = 3,
        .repository = 42,
        .zone = "zone-a",
        .operations = {.fetch = true, .serve = true},
        .not_before = start,
        .lifetime = 600,
    };
}

class CountingRandom final : public Random {
public:
    explicit CountingRandom(unsigned first) : next_{first} {}
    void fill(std::span<std::byte> into) override
    {
        for (auto& byte : into) byte = static_cast<std::byte>(next_++ & 0xffU);
    }

private:
    unsigned next_;
};

TicketSigner signer(unsigned seed = 1)
{
    CountingRandom random{seed};
    return TicketSigner::generate(random).value();
}

TicketVerifier verifier()
{
    TicketVerifier made;
    EXPECT_TRUE(made.trust(signer().public_key()));
    return made;
}

std::string signed_sample(Ticket ticket = sample())
{
    return signer().sign(std::move(ticket)).value();
}

// "" where the ticket is accepted.
template <class Value>
std::string why(const Result<Value>& result)
{
    if (result) return {};
    EXPECT_EQ(result.error().code(), Errc::denied);
    EXPECT_EQ(result.error().message(), "the ticket is not accepted") << "whatever the reason";
    return result.error().detail();
}

std::string check(const TicketVerifier& by, const std::string& bytes, TicketAsk asked = ask, Micros at = now)
{
    return why(by.check(as_bytes(bytes), asked, at));
}

TEST(TicketVectors, AreWrittenAndReadSo)
{
    Result<TicketSigner> key = fail(Errc::internal, "none yet");
    TicketVerifier trusting;
    std::size_t tickets = 0;
    for (const auto& vector : read_vectors("swarm-ticket-vectors.txt")) {
        SCOPED_TRACE(vector.kind + " " + vector.name);
        const auto bytes = as_bytes(vector.bytes);
        if (vector.kind == "seed") {
            key = TicketSigner::from_seed(bytes);
            ASSERT_TRUE(key && trusting.trust(key->public_key()));
            EXPECT_EQ(key->seed().value(), vector.bytes);
        } else if (vector.kind == "key") {
            EXPECT_EQ(as_text(as_bytes(key->public_key())), vector.bytes);
        } else if (vector.kind == "ticket") {
            ++tickets;
            const auto read = trusting.check(bytes, ask, now - 10 * second);
            ASSERT_TRUE(read) << read.error().detail();
            auto expected = sample();
            expected.key = key->id();
            if (vector.name == "fetch, no zone") {
                expected.zone = "";
                expected.epoch = 0;
                expected.operations.serve = false;
                expected.lifetime = 1;
            }
            EXPECT_EQ(*read, expected);
            EXPECT_EQ(to_hex(as_bytes(key->sign(expected).value())), to_hex(bytes));
        } else if (vector.kind == "refused") {
            const auto read = parse_ticket(bytes);
            ASSERT_FALSE(read);
            EXPECT_EQ(read.error().message(), vector.name);
            EXPECT_EQ(check(trusting, vector.bytes), "malformed");
        } else {
            EXPECT_TRUE(parse_ticket(bytes));
            EXPECT_EQ(check(trusting, vector.bytes), vector.kind);
        }
    }
    EXPECT_EQ(tickets, 2U);
}

TEST(TicketSigner, SignsNoTicketThatCannotBe)
{
    std::vector<Ticket> wrong(5, sample());
    wrong[0].operations = {};
    wrong[1].lifetime = 0;
    wrong[2].lifetime = 601;
    wrong[3].zone = std::string(65, 'z');
    wrong[4].not_before = Ticket::last_not_before + 1;
    for (const auto& ticket : wrong) EXPECT_EQ(signer().sign(ticket).error().code(), Errc::bad_request);
    auto longest = sample();
    longest.zone = std::string(64, 'z');
    EXPECT_EQ(signed_sample(longest).size(), most_ticket_bytes);
}

TEST(TicketSigner, IsTheSameAfterItsSeedWasStored)
{
    const auto first = signer();
    const auto again = TicketSigner::from_seed(as_bytes(first.seed().value())).value();
    EXPECT_EQ(again.id(), first.id());
    EXPECT_EQ(again.sign(sample()).value(), first.sign(sample()).value());
    EXPECT_NE(signer(2).id(), first.id());
    EXPECT_EQ(TicketSigner::from_seed({}).error().code(), Errc::corrupt);
}

TEST(TicketVerifier, AcceptsWhatTheRegistrySigned)
{
    const auto read = verifier().check(as_bytes(signed_sample()), ask, now);
    ASSERT_TRUE(read);
    auto expected = sample();
    expected.key = signer().id();
    EXPECT_EQ(*read, expected);
}

TEST(TicketVerifier, RefusesATicketWithAnyBitTurned)
{
    const auto good = signed_sample();
    const auto by = verifier();
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        auto bad = good;
        bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
        const auto refusal = check(by, bad);
        EXPECT_TRUE(refusal == "malformed" || refusal == "unknown_key" || refusal == "bad_signature") << bit << refusal;
    }
    for (std::size_t size = 0; size < good.size(); ++size) EXPECT_NE(check(by, good.substr(0, size)), "") << size;
    EXPECT_EQ(check(by, good + good.back()), "malformed");
    EXPECT_EQ(check(by, ""), "malformed");
}

TEST(TicketVerifier, IsForOneNodeOneSwarmAndWhatItNames)
{
    const auto by = verifier();
    const auto good = signed_sample();
    EXPECT_EQ(check(by, good, {.node = bytes_from<NodeId>(1), .swarm = swarm, .needed = {}}), "other_node");
    EXPECT_EQ(check(by, good, {.node = node, .swarm = bytes_from<SwarmId>(1), .needed = {}}), "other_swarm");
    auto ticket = sample();
    ticket.operations = {.fetch = false, .serve = true};
    EXPECT_EQ(check(by, signed_sample(ticket)), "missing_operation");
    EXPECT_EQ(check(by, signed_sample(ticket), {.node = node, .swarm = swarm, .needed = {.serve = true}}), "");
    ticket.operations = {.fetch = true, .serve = false};
    EXPECT_EQ(
        check(by, signed_sample(ticket), {.node = node, .swarm = swarm, .needed = {.serve = true}}), "missing_operation"
    );
    EXPECT_EQ(check(by, signed_sample(ticket)), "");
}

TEST(TicketVerifier, KeepsToTheTicketsTimeButForTheSkew)
{
    const auto by = verifier();
    const auto good = signed_sample();
    const auto begin = static_cast<Micros>(start) * second;
    EXPECT_EQ(check(by, good, ask, begin - 60 * second - 1), "not_yet_valid");
    EXPECT_EQ(check(by, good, ask, begin - 60 * second), "");
    EXPECT_EQ(check(by, good, ask, begin + 660 * second - 1), "");
    EXPECT_EQ(check(by, good, ask, begin + 660 * second), "expired");
    EXPECT_EQ(check(by, good, ask, 0), "not_yet_valid");
    const auto kept = by.check(as_bytes(good), ask, now).value();
    EXPECT_EQ(why(by.still_holds(kept, begin + 660 * second - 1)), "");
    EXPECT_EQ(why(by.still_holds(kept, begin + 660 * second)), "expired");
}

TEST(TicketVerifier, KnowsSeveralKeysAndForgetsThem)
{
    auto by = verifier();
    const auto old = signed_sample();
    const auto kept = by.check(as_bytes(old), ask, now).value();
    const auto fresh = signer(9).sign(sample()).value();
    EXPECT_EQ(check(by, fresh), "unknown_key");
    ASSERT_TRUE(by.trust(signer(9).public_key()));
    ASSERT_TRUE(by.trust(signer(9).public_key())) << "twice is once";
    EXPECT_EQ(check(by, fresh), "");
    EXPECT_EQ(check(by, old), "");
    by.distrust(signer().id());
    EXPECT_EQ(check(by, old), "unknown_key");
    EXPECT_EQ(why(by.still_holds(kept, now)), "unknown_key");
    EXPECT_EQ(check(by, fresh), "");
}

TEST(TicketVerifier, RefusesWhatWasRevokedBefore)
{
    auto by = verifier();
    const auto good = signed_sample();
    const auto kept = by.check(as_bytes(good), ask, now).value();
    by.revoke({.kind = RevokedKind::swarms, .epoch = 7, .ids = {Sha256{swarm.bytes}}}, now);
    EXPECT_EQ(check(by, good), "") << "its epoch is not an earlier one";
    by.revoke({.kind = RevokedKind::swarms, .epoch = 8, .ids = {Sha256{swarm.bytes}}}, now);
    by.revoke({.kind = RevokedKind::swarms, .epoch = 5, .ids = {Sha256{swarm.bytes}}}, now);
    EXPECT_EQ(check(by, good), "revoked");
    EXPECT_EQ(why(by.still_holds(kept, now)), "revoked");
    EXPECT_FALSE(by.covers(kept, blob));
    auto later = sample();
    later.epoch = 8;
    EXPECT_EQ(check(by, signed_sample(later)), "") << "given again";
}

TEST(TicketVerifier, RefusesRevokedBlobsAndManifests)
{
    auto by = verifier();
    const auto kept = by.check(as_bytes(signed_sample()), ask, now).value();
    EXPECT_TRUE(by.covers(kept, blob));
    by.revoke({.kind = RevokedKind::blobs, .epoch = 8, .ids = {blob}}, now);
    EXPECT_FALSE(by.covers(kept, blob));
    EXPECT_TRUE(by.covers(kept, bytes_from<Sha256>(0x61)));
    EXPECT_EQ(why(by.still_holds(kept, now)), "") << "the image's other blobs may be had";
    by.revoke({.kind = RevokedKind::blobs, .epoch = 8, .ids = {manifest}}, now);
    EXPECT_EQ(why(by.still_holds(kept, now)), "revoked");
}

TEST(TicketVerifier, RefusesEarlierEpochsThanTheLeast)
{
    auto by = verifier();
    by.require_epoch(7);
    EXPECT_EQ(check(by, signed_sample()), "");
    by.require_epoch(8);
    by.require_epoch(2);
    EXPECT_EQ(check(by, signed_sample()), "revoked");
}

TEST(TicketVerifier, ForgetsARevocationOnlyWhenNoTicketCanBeLeft)
{
    auto by = verifier();
    by.revoke({.kind = RevokedKind::swarms, .epoch = 8, .ids = {Sha256{swarm.bytes}}}, now);
    by.forget(now + TicketVerifier::revocation_memory);
    EXPECT_EQ(check(by, signed_sample()), "revoked");
    by.forget(now + TicketVerifier::revocation_memory + 1);
    EXPECT_EQ(check(by, signed_sample()), "");
    EXPECT_EQ(check(by, signed_sample(), ask, now + TicketVerifier::revocation_memory), "expired");
}

}  // namespace
}  // namespace entrepot
