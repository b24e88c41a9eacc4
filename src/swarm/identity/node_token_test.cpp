#include "swarm/identity/node_token.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace entrepot {
namespace {

class CountingRandom final : public Random {
public:
    void fill(std::span<std::byte> into) override
    {
        for (auto& byte : into) byte = static_cast<std::byte>(next_++ & 0xffU);
    }

private:
    unsigned next_ = 1;
};

constexpr Micros now = 1'800'000'000'000'000;

NodeTokenRecord record_of(const NodeToken& token)
{
    return {
        .id = std::string{token.id()},
        .hash = token.hash(),
        .zones = {"a", "b"},
        .nodes = 3,
        .used = 2,
        .expires = now + 1,
    };
}

std::string why(const NodeToken& shown, const NodeTokenRecord& record, std::string_view zone = "a")
{
    const auto checked = check_node_token(shown, record, zone, now);
    if (checked) return {};
    EXPECT_EQ(checked.error().code(), Errc::unauthorized);
    EXPECT_EQ(checked.error().message(), "the token for nodes is not accepted") << "whatever the reason";
    return checked.error().detail();
}

TEST(NodeToken, HasAFormThatScannersKnow)
{
    CountingRandom random;
    const auto token = NodeToken::make(random);
    // Of another implementation; docs/formats/swarm-identity.md has it too.
    EXPECT_EQ(token.text(), "entrepot-node-0102030405060708-CQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJyg678fc1");
    EXPECT_EQ(token.hash(), "84e990b9cc994d294e644feb3d3abe45519e081ce6150df68df420e7fa4a4961");
    EXPECT_EQ(token.id(), "0102030405060708");
    EXPECT_EQ(NodeToken::parse(token.text())->text(), token.text());
    EXPECT_NE(NodeToken::make(random).text(), token.text());
}

TEST(NodeToken, IsNotReadFromAnythingElse)
{
    CountingRandom random;
    const auto text = NodeToken::make(random).text();
    for (std::size_t at = 0; at < text.size(); ++at) {
        auto bad = text;
        bad[at] = bad[at] == 'x' ? 'y' : 'x';
        EXPECT_EQ(NodeToken::parse(bad).error().code(), Errc::bad_request) << bad;
        EXPECT_FALSE(NodeToken::parse(text.substr(0, at)));
    }
    EXPECT_FALSE(NodeToken::parse(text + "0"));
    EXPECT_FALSE(NodeToken::parse(" " + text));
}

TEST(NodeToken, BringsNodesWithinItsScope)
{
    CountingRandom random;
    const auto token = NodeToken::make(random);
    const auto record = record_of(token);
    EXPECT_EQ(why(token, record), "");
    EXPECT_EQ(why(token, record, "b"), "");
    EXPECT_EQ(why(token, record, "c"), "not for this zone");
    EXPECT_EQ(why(token, record, ""), "not for this zone");
    auto other = record;
    other.zones.clear();
    EXPECT_EQ(why(token, other, ""), "");
    other = record;
    other.used = 3;
    EXPECT_EQ(why(token, other), "it has brought all of its nodes");
    other = record;
    other.expires = now;
    EXPECT_EQ(why(token, other), "expired");
    other.hash = NodeToken::make(random).hash();
    EXPECT_EQ(why(token, other), "another secret") << "before all else";
    other = record;
    other.id = "ffffffffffffffff";
    EXPECT_EQ(why(token, other), "another token");
    other.hash = "";
    EXPECT_EQ(why(token, other), "another secret");
}

}  // namespace
}  // namespace entrepot
