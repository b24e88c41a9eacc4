#include "tests/support/agent_fixture.hpp"

namespace entrepot {
namespace {

class AgentSwarmPull : public AgentTest {
protected:
    struct Pull {
        std::string body;
        unsigned status = 0;
        std::jthread thread;
    };
    // Somebody pulls a blob while the test does other things.
    std::unique_ptr<Pull> begin(std::size_t blob)
    {
        auto pull = std::make_unique<Pull>();
        pull->thread = std::jthread{[this, blob, to = pull.get()] {
            auto answer = ask(blob_path(blob), alice);
            to->status = answer.status;
            to->body = std::move(answer.body);
        }};
        return pull;
    }
    static void end(Pull& pull) { pull.thread.join(); }
    std::uint32_t chunks(std::size_t blob) const { return image.blobs[blob].chunks(); }
};

TEST_F(AgentSwarmPull, sends_what_the_swarm_brings_and_asks_the_registry_for_none_of_it)
{
    start(true);
    (void)manifest(alice);
    const auto pull = begin(2);
    const auto into = brought();
    for (std::uint32_t chunk = chunks(2); chunk-- > 0;) store(into, 2, chunk);
    end(*pull);
    EXPECT_TRUE(pull->body == image.blobs[2].bytes);
    EXPECT_EQ(registry.blob_gets, 0);
    EXPECT_TRUE(metric_is("entrepot_agent_bytes_total{source=\"swarm\"} " + std::to_string(12 * chunk_bytes)));
    const auto first = image.descriptor->chunks_of(2).first;
    ASSERT_FALSE(carrier->urged.empty());
    EXPECT_EQ(carrier->urged.front(), (ChunkSpan{.first = first, .count = 8}));
}

TEST_F(AgentSwarmPull, goes_on_by_the_registry_where_the_swarm_stands_still)
{
    patience = std::chrono::milliseconds{50};
    start(true);
    (void)manifest(alice);
    const auto pull = begin(2);
    const auto into = brought();
    for (std::uint32_t chunk = 0; chunk < 3; ++chunk) store(into, 2, chunk);
    end(*pull);
    EXPECT_TRUE(pull->body == image.blobs[2].bytes);
    EXPECT_FALSE(metric_is("entrepot_agent_fallbacks_total 0"));
    // The swarm hears of what it need not bring any more.
    EXPECT_TRUE(carrier->arrived.contains(image.descriptor->chunks_of(2).first + chunks(2) - 1));
}

TEST_F(AgentSwarmPull, goes_on_by_the_swarm_where_the_registry_breaks_off)
{
    patience = std::chrono::milliseconds{50};
    start(true);
    (void)manifest(alice);
    registry.bytes_left = 3 * static_cast<std::int64_t>(chunk_bytes);
    const auto pull = begin(2);
    const auto into = brought();
    while (registry.bytes_left >= 0) std::this_thread::yield();
    registry.down = true;
    for (std::uint32_t chunk = 0; chunk < chunks(2); ++chunk) store(into, 2, chunk);
    end(*pull);
    EXPECT_TRUE(pull->body == image.blobs[2].bytes);
}

TEST_F(AgentSwarmPull, many_readers_fetch_each_chunk_once)
{
    patience = std::chrono::milliseconds{50};
    start(true);
    (void)manifest(alice);
    std::vector<std::unique_ptr<Pull>> pulls;
    for (int reader = 0; reader < 4; ++reader) pulls.push_back(begin(2));
    for (const auto& pull : pulls) {
        end(*pull);
        EXPECT_TRUE(pull->body == image.blobs[2].bytes);
    }
    EXPECT_EQ(registry.bundles, 1);
    EXPECT_TRUE(metric_is("entrepot_agent_store_written_bytes_total " + std::to_string(12 * chunk_bytes)));
}

TEST_F(AgentSwarmPull, gives_the_swarm_no_image_to_those_who_may_not_have_it)
{
    start(true);
    (void)manifest(alice);
    EXPECT_EQ(ask(blob_path(2), mallory).status, 401U);
    EXPECT_TRUE(carrier->images.empty());
}

}  // namespace
}  // namespace entrepot
