#include "delivery/preheat_rounds.hpp"

#include "core/run_to_end.hpp"
#include "swarm/hex32.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/swarm_images.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

// What the catalog promises of preheats, in memory.
class MemoryPreheats final : public PreheatCatalog {
public:
    std::map<std::int64_t, PreheatEntry> entries{};
    std::map<std::int64_t, std::map<std::string, PreheatNews>> rows{};
    int notes = 0;
    bool away = false;

    Task<std::int64_t> add(PreheatEntry, std::vector<std::string>, Actor) override { co_return not_asked_for(); }
    Task<ListPage<PreheatEntry>> list(std::optional<std::vector<std::int64_t>>, ListQuery) override
    {
        co_return not_asked_for();
    }
    Task<PreheatEntry> find(std::int64_t) override { co_return not_asked_for(); }
    Task<ListPage<PreheatNode>> nodes(std::int64_t, ListQuery) override { co_return not_asked_for(); }
    Task<std::vector<PreheatEntry>> running() override
    {
        std::vector<PreheatEntry> all;
        for (auto [id, entry] : entries) {
            if (entry.stage != PreheatStage::running) continue;
            for (const auto& [node, row] : rows[id]) ++entry.counts.nodes[static_cast<std::size_t>(row.state)];
            all.push_back(entry);
        }
        co_return all;
    }
    Task<std::map<std::string, NodePreheat>> states(std::int64_t id) override
    {
        std::map<std::string, NodePreheat> states;
        for (const auto& [node, row] : rows[id]) states[node] = row.state;
        co_return states;
    }
    Task<> note(std::vector<PreheatNews> news, Micros) override
    {
        if (away) co_return fail(Errc::unavailable, "away");
        ++notes;
        for (auto& one : news) rows[one.preheat].insert_or_assign(one.node, one);
        co_return Result<>{};
    }
    Task<bool> end(std::int64_t id, PreheatStage stage, std::string message, Actor) override
    {
        entries[id].stage = stage;
        entries[id].message = std::move(message);
        co_return true;
    }
    Task<> remove_ended(Micros) override { co_return Result<>{}; }
};

class FewTokens final : public PullTokens {
public:
    bool denies = false;
    int made = 0;

    Task<std::string> pull_token(std::int64_t owner, std::int64_t, RepositoryName repository) override
    {
        if (denies) co_return fail(Errc::denied, "not any more");
        co_return std::to_string(owner) + " " + repository.text() + " " + std::to_string(++made);
    }
};

class Rounds : public testing::Test {
protected:
    static constexpr std::int64_t job = 5;

    void SetUp() override
    {
        StoredManifest manifest{.digest = digest, .media_type = {}, .bytes = {}};
        manifests.stored[{"shop/web", digest}] = std::make_shared<const StoredManifest>(std::move(manifest));
        PreheatEntry entry;
        entry.id = job;
        entry.repository = "shop/web";
        entry.digest = digest.text();
        entry.bytes = 1000;
        entry.deadline = clock.now() + 3600LL * 1'000'000;
        entry.rate = 9;
        entry.owner_id = 3;
        catalog.entries[job] = entry;
        for (const auto number : {1, 2}) expect(number);
    }
    static NodeIdentity node(int number)
    {
        NodeIdentity identity;
        identity.id.bytes.fill(static_cast<std::uint8_t>(number));
        identity.name = "n" + std::to_string(number);
        return identity;
    }
    static std::string id(int number) { return hex_of(node(number).id); }
    void expect(int number) { catalog.rows[job][id(number)] = PreheatNews{.preheat = job, .node = id(number)}; }
    void come(int number) { rounds.came(static_cast<ControlId>(10 + number), node(number)); }
    void say(int number, PreheatState state, std::uint64_t bytes = 0, std::uint64_t of = job)
    {
        rounds.heard(node(number).id, {.job = of, .state = state, .bytes_done = bytes});
    }
    void go() { EXPECT_TRUE(run_to_end(rounds.run())); }
    NodePreheat state(int number) { return catalog.rows[job].at(id(number)).state; }
    // Streams that were told since the last look.
    std::vector<ControlId> told()
    {
        std::vector<ControlId> streams;
        for (const auto& [stream, frame] : sent) streams.push_back(stream);
        sent.clear();
        return streams;
    }

    FakeClock clock;
    MemoryPreheats catalog;
    FewManifests manifests;
    FewTokens tokens;
    std::vector<std::pair<ControlId, PreheatFrame>> sent;
    const Digest digest = Digest::parse("sha256:" + std::string(64, 'a')).value();
    PreheatRounds rounds{{
        .catalog = catalog,
        .manifests = manifests,
        .tokens = tokens,
        .clock = clock,
        .send = [this](ControlId stream, PreheatFrame frame) { sent.emplace_back(stream, std::move(frame)); },
    }};
};

TEST_F(Rounds, what_a_node_said_before_does_not_take_back_that_it_is_done)
{
    come(1);
    expect(1);
    go();
    say(1, PreheatState::done, 5);
    say(1, PreheatState::waiting);
    go();
    EXPECT_EQ(state(1), NodePreheat::done);
}

TEST_F(Rounds, a_node_is_told_once_when_it_comes_and_again_with_a_newer_token)
{
    come(1);
    go();
    ASSERT_EQ(sent.size(), 1U);
    const auto& [stream, frame] = sent.front();
    EXPECT_EQ(stream, 11U);
    EXPECT_EQ(frame.job, 5U);
    EXPECT_EQ(frame.repository, "shop/web");
    EXPECT_EQ(hex_of(frame.manifest), std::string(64, 'a'));
    EXPECT_EQ(frame.rate, 9U);
    EXPECT_EQ(frame.token, "3 shop/web 1");
    EXPECT_FALSE(frame.stop);
    EXPECT_EQ(told().size(), 1U);
    go();
    EXPECT_TRUE(told().empty());
    come(2);
    go();
    EXPECT_EQ(told(), std::vector<ControlId>{12});
    clock.advance(5min);
    go();
    EXPECT_EQ(sent.back().second.token, "3 shop/web 2");
    EXPECT_EQ(told(), (std::vector<ControlId>{11, 12}));
    // The same node on another stream is told anew.
    rounds.left(11);
    rounds.came(21, node(1));
    go();
    EXPECT_EQ(told(), std::vector<ControlId>{21});
}

TEST_F(Rounds, what_nodes_say_is_written_together_and_the_end_is_when_all_have_it)
{
    come(1);
    come(2);
    go();
    say(1, PreheatState::running, 10);
    say(1, PreheatState::running, 5000);
    say(2, PreheatState::done, 1000);
    go();
    EXPECT_EQ(catalog.notes, 1);
    EXPECT_EQ(state(1), NodePreheat::running);
    EXPECT_EQ(catalog.rows[job].at(id(1)).bytes_done, 1000) << "no more than there is";
    EXPECT_EQ(state(2), NodePreheat::done);
    // Its last word is the last.
    say(2, PreheatState::running, 3);
    say(1, PreheatState::done, 1000);
    go();
    EXPECT_EQ(state(2), NodePreheat::done);
    EXPECT_EQ(catalog.entries[job].stage, PreheatStage::done);
    EXPECT_EQ(rounds.report().done, 2U);
    EXPECT_EQ(rounds.report().told, 2U);
}

TEST_F(Rounds, nodes_that_it_is_not_for_have_no_say)
{
    catalog.entries[job].selection.zones = {"elsewhere"};
    come(1);
    come(3);
    go();
    EXPECT_EQ(told(), std::vector<ControlId>{11});
    say(3, PreheatState::done, 1000);
    say(1, PreheatState::done, 1000, 99);
    go();
    EXPECT_EQ(catalog.notes, 0);
    EXPECT_EQ(catalog.rows[job].size(), 2U);
}

TEST_F(Rounds, a_node_that_comes_later_is_one_of_them)
{
    come(3);
    go();
    EXPECT_EQ(told(), std::vector<ControlId>{13});
    EXPECT_EQ(state(3), NodePreheat::waiting);
}

TEST_F(Rounds, some_that_can_not_have_it_make_it_fail)
{
    come(1);
    come(2);
    go();
    say(1, PreheatState::refused);
    say(2, PreheatState::done, 1000);
    go();
    EXPECT_EQ(catalog.entries[job].stage, PreheatStage::failed);
    EXPECT_EQ(catalog.entries[job].message, "1 of 2 nodes don't have the image");
}

TEST_F(Rounds, it_ends_with_its_deadline_and_nodes_are_told_to_stop)
{
    come(1);
    go();
    (void)told();
    clock.advance(2h);
    go();
    EXPECT_EQ(catalog.entries[job].stage, PreheatStage::expired);
    go();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_TRUE(sent.front().second.stop);
    EXPECT_EQ(sent.front().second.token, "");
}

TEST_F(Rounds, it_ends_with_the_image_and_with_the_right_to_it)
{
    come(1);
    go();
    manifests.stored.clear();
    clock.advance(6s);
    go();
    EXPECT_EQ(catalog.entries[job].message, "the image is not there any more");

    SetUp();
    tokens.denies = true;
    go();
    go();
    EXPECT_EQ(catalog.entries[job].message, "who asked for it may not pull the image any more");
}

TEST_F(Rounds, what_could_not_be_written_is_written_later)
{
    come(1);
    go();
    say(1, PreheatState::running, 7);
    catalog.away = true;
    EXPECT_FALSE(run_to_end(rounds.run()));
    EXPECT_EQ(state(1), NodePreheat::waiting);
    catalog.away = false;
    go();
    EXPECT_EQ(state(1), NodePreheat::running);
}

TEST_F(Rounds, one_whose_nodes_are_all_gone_fails)
{
    catalog.rows[job].clear();
    go();
    EXPECT_EQ(catalog.entries[job].stage, PreheatStage::failed);
    EXPECT_EQ(catalog.entries[job].message, "none of its nodes is there any more");
}

}  // namespace
}  // namespace entrepot
