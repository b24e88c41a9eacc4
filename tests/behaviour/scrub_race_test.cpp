// Scrubs among pushes, collections and a disk that forgets, on both engines and on files: nobody is ever given wrong
// bytes by a store that was scrubbed, what was not damaged stays, and once all is pushed again all is whole and exact.
// Two seconds an engine; ENTREPOT_RACE_SECONDS says otherwise.
#include "drivers/filesystem/scratch_directory.hpp"
#include "tests/contract/metadata_store_recounts.hpp"
#include "tests/support/gc_installation.hpp"
#include "upkeep/scrub/scrub.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <thread>

#include <unistd.h>

namespace entrepot {
namespace {

std::chrono::seconds race_time()
{
    const char* set = std::getenv("ENTREPOT_RACE_SECONDS");
    return std::chrono::seconds{set ? std::atoi(set) : 2};
}

// The database did not answer in its time, on a machine that stood still: a 503 that loses nothing.
bool is_away(const Error& error)
{
    return error.code() == Errc::unavailable;
}

// The file as it is named: flipped in its place, as a device would, or gone.
void damage(const std::filesystem::path& root, const std::string& content, std::mt19937& random)
{
    const std::string hex{digest_of(content).hex()};
    const auto path = root / "sha256" / hex.substr(0, 2) / hex;
    if (random() % 2 == 0) {
        std::error_code gone;
        std::filesystem::remove(path, gone);
        return;
    }
    std::fstream file{path, std::ios::binary | std::ios::in | std::ios::out};
    if (!file) return;
    const auto place = static_cast<std::streamoff>(random() % content.size());
    file.seekp(place);
    file.put(static_cast<char>(content[static_cast<std::size_t>(place)] ^ 1));
}

std::string bytes_of(const BlobContent& content)
{
    if (content.bytes) return *content.bytes;
    std::string bytes(content.size + 1, '\0');
    const auto count = ::pread(content.file->descriptor(), bytes.data(), bytes.size(), 0);
    bytes.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
    return bytes;
}

class ScrubRace : public testing::TestWithParam<bool> {
protected:
    ScrubRace()
        : url_{GetParam() ? PostgresServer::shared().create_database() : std::string{}},
          system_{std::make_unique<Installation>(url_, directory_.path())},
          scrub_{
              {.catalog = system_->store->scrub(),
               .blobs = system_->store->blobs(),
               .garbage = system_->store->garbage(),
               .inventory = system_->blobs.inventory(),
               .ingest = system_->blobs,
               .clock = system_->clock,
               .random = system_->random_source},
              {.rate = 1U << 30U, .orphans = OrphanPolicy::remove}
          }
    {
    }

    JobEnd scrub()
    {
        LooseRun run{"", never_};
        auto ended = run_to_end(scrub_.run(run));
        EXPECT_TRUE(ended || is_away(ended.error())) << ended.error().message() << ended.error().detail();
        return ended.value_or(JobEnd{});
    }

    // Each has what was pushed into it, or says that it doesn't: never anything else.
    void expect_no_wrong_bytes()
    {
        for (const auto& place : repositories()) {
            for (const auto& content : contents()) {
                const auto read = run_to_end(system_->pull.load_blob(place, digest_of(content)));
                if (read) EXPECT_TRUE(bytes_of(*read) == content) << digest_of(content).text();
            }
        }
    }

    ScratchDirectory directory_{memory_or_disk()};
    const std::string url_;
    std::unique_ptr<Installation> system_;
    Scrub scrub_;
    const std::atomic<bool> never_{false};
};

TEST_P(ScrubRace, nothing_that_was_not_damaged_is_lost_and_pushes_heal_the_rest)
{
    ASSERT_TRUE(system_->create_projects());
    ASSERT_TRUE(system_->start());
    // The last two are never damaged: whatever happens to the others must not touch them.
    const auto sound = contents().size() - 2;
    std::atomic<bool> over{false};
    std::atomic<int> pushed{0};
    std::vector<std::jthread> threads;
    for (unsigned seed = 1; seed <= 3; ++seed) {
        threads.emplace_back([&, seed] {
            std::mt19937 random{seed};
            while (!over) {
                const auto& place = repositories()[random() % repositories().size()];
                const std::vector<std::string> needed{
                    contents()[random() % contents().size()], contents()[random() % contents().size()]
                };
                const auto done = system_->push(place, image_of(needed), needed, {}, random);
                if (done) ++pushed;
                // A blob was lost between its push and its manifest's: the client is told which.
                if (!done && !is_away(done.error()))
                    EXPECT_EQ(done.error().code(), Errc::manifest_blob_unknown) << done.error().message();
            }
        });
        threads.emplace_back([&, seed] {
            std::mt19937 random{seed + 100};
            while (!over) {
                const auto& place = repositories()[random() % repositories().size()];
                const auto& content = contents()[sound + random() % 2];
                // Only who pushed it may rely on it.
                Body body{content};
                const auto done =
                    run_to_end(system_->uploads.push(place, digest_of(content), body, Installation::admin()));
                EXPECT_TRUE(done || is_away(done.error())) << done.error().message() << " " << done.error().detail();
                if (!done) continue;
                const auto read = run_to_end(system_->pull.load_blob(place, digest_of(content)));
                EXPECT_TRUE(read || is_away(read.error())) << read.error().message() << " " << read.error().detail();
                EXPECT_TRUE(!read || bytes_of(*read) == content);
            }
        });
    }
    threads.emplace_back([&] {
        std::mt19937 random{7};
        while (!over) {
            damage(directory_.path() / "blobs", contents()[random() % sound], random);
            std::this_thread::sleep_for(std::chrono::milliseconds{20});
        }
    });
    const auto end = std::chrono::steady_clock::now() + race_time();
    int scrubs = 0;
    for (; std::chrono::steady_clock::now() < end; ++scrubs) scrub();
    over = true;
    threads.clear();
    EXPECT_GT(pushed.load(), 10);
    EXPECT_GT(scrubs, 3);

    scrub();
    expect_no_wrong_bytes();
    std::mt19937 random{1};
    for (const auto& place : repositories()) {
        for (const auto& content : contents()) {
            Body body{content};
            ASSERT_TRUE(run_to_end(system_->uploads.push(place, digest_of(content), body, Installation::admin())));
        }
    }
    const auto last = scrub();
    EXPECT_NE(last.result.find(R"("missing":0,"rotten":0)"), std::string::npos) << last.result;
    for (const auto& place : repositories()) {
        for (const auto& content : contents()) {
            const auto read = run_to_end(system_->pull.load_blob(place, digest_of(content)));
            ASSERT_TRUE(read);
            EXPECT_TRUE(bytes_of(*read) == content);
        }
    }
    const auto open = run_to_end(system_->store->scrub().open_findings()).value();
    EXPECT_TRUE(open.empty());
    for (const auto& query : contract::recounts()) {
        EXPECT_EQ(number_in(url_, directory_.path(), query), 0) << query;
    }
}

INSTANTIATE_TEST_SUITE_P(Engines, ScrubRace, testing::Bool(), [](const auto& instance) {
    return instance.param ? "postgres" : "sqlite";
});

}  // namespace
}  // namespace entrepot
