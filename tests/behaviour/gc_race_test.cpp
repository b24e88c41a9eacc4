// Pushes, mounts, moving tags, deletes, ways back from the trash and questions race with garbage collection without any
// lease or grace, over few digests, on each engine and on files: no manifest ever lacks a blob, every byte is accounted
// for, and when all is deleted nothing is left. Five seconds an engine; ENTREPOT_RACE_SECONDS says otherwise.
#include "drivers/filesystem/scratch_directory.hpp"
#include "tests/contract/metadata_store_recounts.hpp"
#include "tests/support/gc_installation.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <thread>

namespace entrepot {
namespace {

std::chrono::seconds race_time()
{
    const char* set = std::getenv("ENTREPOT_RACE_SECONDS");
    return std::chrono::seconds{set ? std::atoi(set) : 5};
}

class Race : public testing::TestWithParam<bool> {
protected:
    void SetUp() override
    {
        ASSERT_TRUE(system.create_projects());
        ASSERT_TRUE(system.start());
        ASSERT_TRUE(run_to_end(system.store->trash().keep_for(3'600'000'000)));
        for (const char* name : {"p", "q"}) {
            projects.push_back(run_to_end(system.store->projects().find(ProjectName::parse(name).value()))->id);
        }
        system.removal.dies = true;
    }

    static const RepositoryName& any_place(std::mt19937& random)
    {
        return repositories()[random() % repositories().size()];
    }
    static Reference any_tag(std::mt19937& random)
    {
        return Reference::parse("t" + std::to_string(random() % 3)).value();
    }

    void push(std::mt19937& random)
    {
        const std::vector<std::string> needed{
            contents()[random() % contents().size()], contents()[random() % contents().size()]
        };
        std::vector<Tag> tags;
        if (random() % 3 != 0) tags.push_back(*any_tag(random).tag());
        const auto done = system.push(any_place(random), image_of(needed), needed, std::move(tags), random);
        ++(done ? pushed : refused);
        if (!done) expect_one_of(done.error(), {Errc::manifest_blob_unknown, Errc::unavailable});
    }
    void remove(std::mt19937& random)
    {
        const auto& place = any_place(random);
        const auto tag = any_tag(random);
        const auto loaded = run_to_end(system.store->manifests().load(place, tag));
        if (!loaded) return;
        const Reference digest{(*loaded)->digest};
        (void)run_to_end(system.store->manifests().remove(place, random() % 2 == 0 ? tag : digest, system.actor()));
    }
    // What was deleted comes back, whatever was collected meanwhile, or is let go of.
    void bring_back(std::mt19937& random)
    {
        // What is deleted next may be kept for no longer than it takes to look at it.
        if (random() % 4 == 0) {
            (void)run_to_end(system.store->trash().keep_for(random() % 2 == 0 ? 3'600'000'000 : 20'000));
        }
        const auto project = projects[random() % projects.size()];
        ListQuery query;
        query.offset = static_cast<std::int64_t>(random() % 3);
        query.limit = 1;
        const auto page = run_to_end(system.store->trash().list(project, query));
        if (!page || page->items.empty()) return;
        const auto id = page->items.front().id;
        if (random() % 2 == 0) {
            const auto emptied = run_to_end(system.store->trash().empty(project, id, system.actor()));
            if (!emptied) expect_one_of(emptied.error(), {Errc::not_found, Errc::unavailable});
            return;
        }
        const auto done = run_to_end(system.store->trash().restore(project, id, random() % 2 == 0, system.actor()));
        if (!done) return expect_one_of(done.error(), {Errc::not_found, Errc::unavailable});
        restored += done->digests.size();
    }
    // A manifest that is there has its blobs, unless it went while they were looked for.
    void look(std::mt19937& random)
    {
        const auto& place = any_place(random);
        const auto loaded = run_to_end(system.store->manifests().load(place, any_tag(random)));
        if (!loaded) return;
        ++looked;
        const auto missing = system.missing_blob(place, **loaded);
        if (!missing) return;
        const auto again = run_to_end(system.store->manifests().load(place, Reference{(*loaded)->digest}));
        if (again && (*again)->id == (*loaded)->id) {
            ADD_FAILURE() << place.text() << " holds a manifest without " << missing->text();
        }
    }
    void collect()
    {
        const auto count = system.collect(never);
        if (!count) return expect_one_of(count.error(), {Errc::unavailable});
        removed_manifests += count->manifests;
        removed_blobs += count->blobs;
    }
    static void expect_one_of(const Error& error, const std::vector<Errc>& codes)
    {
        EXPECT_TRUE(std::ranges::find(codes, error.code()) != codes.end())
            << name_of(error.code()) << ": " << error.message() << " " << error.detail();
    }
    std::int64_t number(const std::string& query) { return number_in(url, directory.path(), query); }
    std::ptrdiff_t stored_files()
    {
        const std::filesystem::recursive_directory_iterator files{directory.path() / "blobs/sha256"};
        return std::ranges::count_if(files, [](const auto& entry) { return entry.is_regular_file(); });
    }

    ScratchDirectory directory{memory_or_disk()};
    std::string url = GetParam() ? PostgresServer::shared().create_database() : std::string{};
    Installation system{url, directory.path()};

    std::vector<std::int64_t> projects;
    std::atomic<bool> never = false;
    std::atomic<std::uint64_t> pushed = 0;
    std::atomic<std::uint64_t> refused = 0;
    std::atomic<std::uint64_t> looked = 0;
    std::atomic<std::uint64_t> restored = 0;
    std::atomic<std::uint64_t> removed_manifests = 0;
    std::atomic<std::uint64_t> removed_blobs = 0;
};

TEST_P(Race, no_manifest_ever_lacks_a_blob_and_in_the_end_nothing_is_left)
{
    const auto until = std::chrono::steady_clock::now() + race_time();
    std::vector<std::jthread> crowd;
    const auto work = [&](unsigned seed, auto step) {
        crowd.emplace_back([seed, step, until] {
            std::mt19937 random{seed};
            while (std::chrono::steady_clock::now() < until && !testing::Test::HasFailure()) step(random);
        });
    };
    for (unsigned i = 0; i < 4; ++i) work(i, [this](std::mt19937& random) { push(random); });
    work(10, [this](std::mt19937& random) { remove(random); });
    work(11, [this](std::mt19937& random) { look(random); });
    work(12, [this](std::mt19937& random) { bring_back(random); });
    for (unsigned i = 0; i < 2; ++i) work(20 + i, [this](std::mt19937&) { collect(); });
    crowd.clear();

    for (const auto& query : contract::recounts()) EXPECT_EQ(number(query), 0) << query;
    for (const auto& content : contents()) {
        const bool held = !run_to_end(system.store->blobs().holders(digest_of(content), 1))->empty();
        if (held) EXPECT_TRUE(run_to_end(system.blobs.confirm(digest_of(content)))) << digest_of(content).text();
    }
    std::mt19937 random{1};
    for (int i = 0; i < 50; ++i) look(random);
    EXPECT_GT(pushed, 20U);
    EXPECT_GT(looked, 20U);
    EXPECT_GT(restored, 5U);
    EXPECT_GT(removed_manifests, 10U);
    EXPECT_GT(removed_blobs, 0U);  // few: the trash holds most

    system.removal.dies = false;
    for (const auto& place : repositories()) {
        (void)run_to_end(system.store->repositories().remove(place, system.actor()));
    }
    for (const auto project : projects) {
        EXPECT_TRUE(run_to_end(system.store->trash().empty_all(project, system.actor())));
    }
    for (int i = 0; i < 3; ++i) collect();
    EXPECT_EQ(number("SELECT COUNT(*) FROM blobs"), 0);
    EXPECT_EQ(number("SELECT SUM(bytes) FROM projects"), 0);
    EXPECT_EQ(stored_files(), 0);
    std::cout << pushed << " pushes, " << refused << " refused, " << looked << " looks, " << restored
              << " brought back, " << removed_manifests << " manifests and " << removed_blobs << " blobs removed\n";
}

INSTANTIATE_TEST_SUITE_P(GarbageCollection, Race, testing::Bool(), [](const auto& instance) {
    return std::string{instance.param ? "postgres" : "sqlite"};
});

}  // namespace
}  // namespace entrepot
