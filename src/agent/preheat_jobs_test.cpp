#include "tests/support/agent_fixture.hpp"

namespace entrepot {
namespace {

using namespace std::chrono_literals;

class Preheating : public AgentTest {
protected:
    static constexpr const char* ahead = "Bearer ahead";

    void SetUp() override
    {
        AgentTest::SetUp();
        registry.allow(ahead, "shop/web");
    }
    void start_quiet_swarm()
    {
        start(true);
        carrier->expects_urgent = false;
    }
    PreheatFrame job(std::string token = "ahead") const
    {
        PreheatFrame frame;
        frame.job = 7;
        frame.repository = "shop/web";
        frame.manifest = image.descriptor->manifest();
        frame.token = std::move(token);
        return frame;
    }
    PreheatProgressFrame last()
    {
        const std::lock_guard guard{carrier->mutex};
        return carrier->told.empty() ? PreheatProgressFrame{} : carrier->told.back();
    }
    // Waits for it to end; what the registry is told then.
    PreheatProgressFrame ended()
    {
        for (;;) {
            const auto told = last();
            if (told.state >= PreheatState::done) return told;
            std::this_thread::yield();
        }
    }
    void store_all(const AgentImagePtr& into)
    {
        for (std::size_t blob = 0; blob < image.blobs.size(); ++blob) {
            for (std::uint32_t chunk = 0; chunk < image.descriptor->chunks_of(blob).count; ++chunk)
                store(into, blob, chunk);
        }
    }
    std::uint64_t total() const { return image.descriptor->layout().bytes(); }
};

TEST_F(Preheating, an_image_is_here_before_anybody_asks_and_is_nobodys_right)
{
    start_quiet_swarm();
    auto frame = job();
    frame.rate = 5'000'000;
    preheat(frame);
    const auto coming = brought();
    store_all(coming);
    const auto told = ended();
    EXPECT_EQ(told.job, 7U);
    EXPECT_EQ(told.state, PreheatState::done);
    EXPECT_EQ(told.bytes_done, total());
    EXPECT_EQ(told.bytes_total, total());
    EXPECT_EQ(carrier->rates, std::vector<std::uint64_t>{5'000'000});
    EXPECT_EQ(registry.blob_gets, 0);
    EXPECT_TRUE(metric_is(R"(entrepot_agent_preheats_total{outcome="done"} 1)"));

    EXPECT_TRUE(metric_is("entrepot_agent_grants_total 0"));
    for (const auto* const who : {mallory, ""}) {
        const auto refused = ask(blob_path(2), who);
        EXPECT_EQ(refused.status, 401U) << who;
        EXPECT_EQ(refused.body, "{}");
    }
    // The token's own right is no grant either: it was the registry's to the agent, and is asked after like any other.
    const auto bundles = registry.bundles.load();
    carrier->expects_urgent = true;
    (void)manifest(alice);
    EXPECT_TRUE(ask(blob_path(2), alice).body == image.blobs[2].bytes);
    EXPECT_EQ(registry.bundles, bundles + 1);
    EXPECT_EQ(registry.blob_gets, 0) << "all of it was here";
}

TEST_F(Preheating, what_the_swarm_does_not_bring_comes_from_the_registry)
{
    patience = 5ms;
    start_quiet_swarm();
    preheat(job());
    EXPECT_EQ(ended().state, PreheatState::done);
    EXPECT_GT(registry.blob_gets, 0);
    EXPECT_TRUE(brought()->complete());
}

TEST_F(Preheating, a_token_that_is_not_taken_may_be_followed_by_one_that_is)
{
    start_quiet_swarm();
    preheat(job("too late"));
    while (registry.bundles == 0 && registry.all == 0) std::this_thread::yield();
    EXPECT_EQ(last().state, PreheatState::waiting);
    preheat(job());
    store_all(brought());
    EXPECT_EQ(ended().state, PreheatState::done);
}

TEST_F(Preheating, what_can_not_be_had_is_told)
{
    registry.bundle_status = 404;
    start_quiet_swarm();
    preheat(job());
    const auto told = ended();
    EXPECT_EQ(told.state, PreheatState::failed);
    EXPECT_EQ(told.message, "the registry does not have the image any more");
}

TEST_F(Preheating, an_image_that_does_not_fit_is_refused)
{
    budget = 1U << 20U;
    start_quiet_swarm();
    preheat(job());
    const auto told = ended();
    EXPECT_EQ(told.state, PreheatState::refused);
    EXPECT_EQ(told.message, "the image is larger than the node's budget of disk");
    EXPECT_TRUE(carrier->images.empty());
}

TEST_F(Preheating, a_job_ends_when_nobody_wants_it_and_at_its_deadline)
{
    start_quiet_swarm();
    preheat(job());
    (void)brought();
    auto stop = job("");
    stop.stop = true;
    preheat(stop);
    EXPECT_EQ(ended().message, "nobody wants it any more");
    EXPECT_EQ(carrier->left, std::vector{image.descriptor->id()});
    auto late = job();
    late.job = 8;
    late.deadline = 1;
    preheat(late);
    while (last().job != 8 || last().state != PreheatState::failed) std::this_thread::yield();
    EXPECT_EQ(last().message, "the deadline has passed");
}

TEST_F(Preheating, a_job_that_has_ended_is_told_again_and_not_done_again)
{
    start_quiet_swarm();
    preheat(job());
    store_all(brought());
    (void)ended();
    const auto bundles = registry.bundles.load();
    {
        const std::lock_guard guard{carrier->mutex};
        carrier->told.clear();
    }
    preheat(job());
    EXPECT_EQ(ended().state, PreheatState::done);
    EXPECT_EQ(registry.bundles, bundles);
}

TEST_F(Preheating, a_job_without_a_token_is_none)
{
    start_quiet_swarm();
    preheat(job(""));
    EXPECT_EQ(ended().state, PreheatState::failed);
    EXPECT_EQ(registry.all, 0);
}

}  // namespace
}  // namespace entrepot
