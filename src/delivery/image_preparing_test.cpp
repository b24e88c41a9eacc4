#include "delivery/image_preparing.hpp"

#include "core/run_to_end.hpp"
#include "ports/event.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/swarm_images.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace entrepot {
namespace {

// A log whose one cursor instances try to move.
class FewEvents final : public EventLog {
public:
    std::vector<Event> events{};
    std::map<std::string, std::int64_t> cursors{};

    void happened(std::string_view type, const std::string& repository, const std::string& digest)
    {
        Event event;
        event.sequence = static_cast<std::int64_t>(events.size()) + 1;
        event.type = type;
        event.repository = repository;
        event.digest = digest;
        events.push_back(std::move(event));
    }
    Task<EventRange> settle() override
    {
        co_return EventRange{.oldest = 1, .newest = static_cast<std::int64_t>(events.size())};
    }
    Task<std::vector<Event>> read(std::int64_t after, std::int64_t limit) override
    {
        const auto from = std::min(events.size(), static_cast<std::size_t>(after));
        const auto to = std::min(events.size(), from + static_cast<std::size_t>(limit));
        co_return std::vector<Event>(
            events.begin() + static_cast<std::ptrdiff_t>(from), events.begin() + static_cast<std::ptrdiff_t>(to)
        );
    }
    Task<> add(std::vector<Event>) override { co_return not_asked_for(); }
    Task<std::int64_t> cursor(std::string consumer) override { co_return cursors[consumer]; }
    Task<> advance(std::string consumer, std::int64_t from, std::int64_t to, std::vector<NewJob>) override
    {
        if (cursors[consumer] != from) co_return fail(Errc::conflict, "another was faster");
        cursors[consumer] = to;
        co_return Result<>{};
    }
    Task<std::int64_t> remove(Micros, Micros) override { co_return not_asked_for(); }
};

class ImagePreparingTest : public testing::Test, protected SwarmImages {
protected:
    struct Instance {
        Instance(ImagePreparingTest& test, ChunkCatalog& kept)
            : bundles{test.manifests, test.links, test.blobs, kept, pool},
              preparing{test.events, test.clock, bundles, pool}
        {
        }
        ~Instance()
        {
            drain();
            pool.join();
        }
        void drain()
        {
            const auto both = [](ImageBundles& bundles, ImagePreparing& images) -> Task<> {
                co_await bundles.drain();
                co_await images.drain();
                co_return Result<>{};
            };
            (void)run_to_end(both(bundles, preparing));
        }
        bool run() { return run_to_end(preparing.run()).has_value(); }
        void finish() const
        {
            while (preparing.waiting() > 0) std::this_thread::sleep_for(std::chrono::milliseconds{1});
        }

        asio::thread_pool pool{1};
        ImageBundles bundles;
        ImagePreparing preparing;
    };

    Digest push(const std::string& bytes)
    {
        const auto digest = manifest(blob("{}"), {blob(bytes)});
        events.happened(event_type::artifact_pushed, here.text(), digest.text());
        return digest;
    }

    FewEvents events;
    FakeClock clock;
    const std::string layer = std::string(1'500'000, 'x');
};

TEST_F(ImagePreparingTest, what_is_pushed_is_hashed_before_a_node_asks)
{
    Instance instance{*this, chunks};
    const auto digest = push(layer);
    ASSERT_TRUE(instance.run());
    instance.finish();
    EXPECT_TRUE(chunks.stored.contains(digest_of(layer)));
    EXPECT_TRUE(run_to_end(instance.bundles.load(here, digest)));
    EXPECT_EQ(blobs.opened[digest_of(layer)], 1);
}

TEST_F(ImagePreparingTest, of_several_instances_one_does_it)
{
    MemoryChunks of_other;
    Instance one{*this, chunks};
    Instance other{*this, of_other};
    push(layer);
    ASSERT_TRUE(one.run());
    ASSERT_TRUE(other.run());
    one.finish();
    other.finish();
    EXPECT_EQ(chunks.stored.size(), 2U);
    EXPECT_TRUE(of_other.stored.empty());
    // The one that came late before may be the first now.
    push(layer + "y");
    ASSERT_TRUE(other.run());
    ASSERT_TRUE(one.run());
    other.finish();
    one.finish();
    EXPECT_FALSE(chunks.stored.contains(digest_of(layer + "y")));
    EXPECT_TRUE(of_other.stored.contains(digest_of(layer + "y")));
}

TEST_F(ImagePreparingTest, what_is_no_image_or_gone_keeps_nothing_up)
{
    Instance instance{*this, chunks};
    events.happened(event_type::artifact_pushed, "no repository's name", "sha256:none");
    events.happened(event_type::artifact_pushed, here.text(), digest_of("never pushed").text());
    events.happened(event_type::artifact_deleted, here.text(), digest_of("deleted").text());
    push(layer);
    ASSERT_TRUE(instance.run());
    instance.finish();
    EXPECT_TRUE(chunks.stored.contains(digest_of(layer)));
}

TEST_F(ImagePreparingTest, what_was_looked_at_is_not_looked_at_again)
{
    push(layer);
    {
        Instance instance{*this, chunks};
        ASSERT_TRUE(instance.run());
        instance.finish();
    }
    chunks.stored.clear();
    Instance again{*this, chunks};
    ASSERT_TRUE(again.run());
    again.finish();
    EXPECT_TRUE(chunks.stored.empty());
}

TEST_F(ImagePreparingTest, nothing_is_begun_once_it_has_ended)
{
    Instance instance{*this, chunks};
    instance.drain();
    push(layer);
    ASSERT_TRUE(instance.run());
    EXPECT_EQ(blobs.opened[digest_of(layer)], 0);
    EXPECT_TRUE(chunks.stored.empty());
}

}  // namespace
}  // namespace entrepot
