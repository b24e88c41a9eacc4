#include "drivers/sql/exact_cache.hpp"

#include <gtest/gtest.h>

#include <string>

namespace entrepot {

namespace {

using Kind = ExactCache::Kind;
using Key = ExactCache::Key;

NamePagePtr page_of(const std::string& name)
{
    return std::make_shared<const NamePage>(NamePage{{name}, false});
}

void remember(ExactCache& cache, const Key& key, std::uint64_t value)
{
    cache.put(key, cache.epoch(key), value, 8);
}

TEST(ExactCache, finds_what_was_put_under_the_whole_key_alone)
{
    ExactCache cache{1 << 20};
    cache.put(Key{Kind::tag_page, "p/a", "last", 5}, 0, page_of("x"), 100);
    EXPECT_TRUE(cache.find<NamePagePtr>(Key{Kind::tag_page, "p/a", "last", 5}));
    EXPECT_FALSE(cache.find<NamePagePtr>(Key{Kind::tag_page, "p/a", "last", 6}));
    EXPECT_FALSE(cache.find<NamePagePtr>(Key{Kind::tag_page, "p/a", "las", 5}));
    EXPECT_FALSE(cache.find<NamePagePtr>(Key{Kind::tag_page, "p/b", "last", 5}));
    EXPECT_FALSE(cache.find<ManifestPtr>(Key{Kind::manifest_by_tag, "p/a", "last", 5}));
}

TEST(ExactCache, a_moved_tag_cools_tags_and_a_removal_cools_everything)
{
    ExactCache cache{1 << 20};
    const Key blob{Kind::blob_size, "p/a", "sha256:1"};
    const Key page{Kind::tag_page, "p/a", "", 5};
    remember(cache, blob, 7);
    cache.put(page, cache.epoch(page), page_of("x"), 100);
    cache.tags_changed("p/a");
    EXPECT_EQ(cache.find<std::uint64_t>(blob), 7U);
    EXPECT_FALSE(cache.find<NamePagePtr>(page));
    cache.put(page, cache.epoch(page), page_of("x"), 100);
    cache.contents_removed("p/a");
    EXPECT_FALSE(cache.find<std::uint64_t>(blob));
    EXPECT_FALSE(cache.find<NamePagePtr>(page));
}

TEST(ExactCache, an_answer_read_before_a_change_is_not_kept_when_it_comes_after_it)
{
    ExactCache cache{1 << 20};
    const Key blob{Kind::blob_size, "p/a", "sha256:1"};
    const std::uint64_t before = cache.epoch(blob);
    cache.contents_removed("p/a");
    cache.put(blob, before, std::uint64_t{7}, 8);
    EXPECT_FALSE(cache.find<std::uint64_t>(blob));
}

TEST(ExactCache, stays_within_its_bytes_and_spares_what_is_used)
{
    ExactCache cache{64 << 10};
    const Key hot{Kind::blob_size, "p/hot", "sha256:hot"};
    remember(cache, hot, 1);
    for (std::uint64_t i = 0; i < 5000; ++i) {
        const std::string digest = "sha256:" + std::to_string(i);
        remember(cache, Key{Kind::blob_size, "p/a", digest}, i);
        ASSERT_EQ(cache.find<std::uint64_t>(hot), 1U) << "after " << i;
    }
    EXPECT_LE(cache.bytes(), 64U << 10);
    EXPECT_GT(cache.bytes(), 32U << 10);
}

TEST(ExactCache, keeps_nothing_that_would_push_all_else_out)
{
    ExactCache cache{64 << 10};
    const Key page{Kind::tag_page, "p/a", "", 5};
    cache.put(page, cache.epoch(page), page_of("x"), 60 << 10);
    EXPECT_FALSE(cache.find<NamePagePtr>(page));
    EXPECT_EQ(cache.bytes(), 0U);
}

}  // namespace

}  // namespace entrepot
