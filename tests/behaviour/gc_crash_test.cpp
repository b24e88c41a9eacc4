// A process pushes, mounts, deletes and collects garbage without any lease or grace, and is killed by SIGKILL at a
// random moment, again and again on the same data: what it acknowledged and did not begin to delete is whole, every
// count is exact, and a journal's replay brings nothing back for good. Twelve rounds an engine; ENTREPOT_KILL_ROUNDS
// says otherwise.
#include "core/file_descriptor.hpp"
#include "drivers/filesystem/scratch_directory.hpp"
#include "tests/contract/metadata_store_recounts.hpp"
#include "tests/support/gc_installation.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <thread>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace entrepot {
namespace {

constexpr const char* child_directory = "ENTREPOT_TEST_GC_DIRECTORY";
constexpr const char* child_url = "ENTREPOT_TEST_GC_URL";
constexpr const char* child_round = "ENTREPOT_TEST_GC_ROUND";
constexpr std::size_t pushers = 4;

int rounds()
{
    const char* set = std::getenv("ENTREPOT_KILL_ROUNDS");
    return set ? std::atoi(set) : 12;
}

// One line a fact, written at once: "+ digest" once a push is acknowledged, "- digest" before its deletion is asked
// for.
class Record {
public:
    explicit Record(const std::filesystem::path& file)
        : file_{::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)}
    {
    }
    void write(char fact, const Digest& digest) const
    {
        const auto line = std::string{fact} + ' ' + digest.text() + '\n';
        if (::write(file_.get(), line.data(), line.size()) != std::ssize(line)) std::abort();
    }
    static std::set<std::string> standing(const std::filesystem::path& file)
    {
        std::ifstream lines{file};
        std::set<std::string> digests;
        std::string digest;
        for (char fact = 0; lines >> fact >> digest;) {
            if (fact == '+') digests.insert(digest);
            if (fact == '-') digests.erase(digest);
        }
        return digests;
    }

private:
    FileDescriptor file_;
};

std::filesystem::path record_of(const std::filesystem::path& directory, std::size_t pusher)
{
    return directory / ("record-" + std::to_string(pusher));
}

// Each pusher has a repository of its own, and blobs that all share.
void push_for_ever(Installation& system, const std::filesystem::path& directory, std::size_t pusher, unsigned round)
{
    const Record record{record_of(directory, pusher)};
    const auto& place = repositories()[pusher];
    std::mt19937 random{round * 100 + static_cast<unsigned>(pusher)};
    std::vector<Digest> mine;
    for (unsigned number = 0;; ++number) {
        const std::vector<std::string> needed{
            contents()[random() % contents().size()], contents()[random() % contents().size()]
        };
        const auto name = "r" + std::to_string(round) + "-" + std::to_string(number);
        const auto image = image_of(needed, name);
        if (system.push(place, image, needed, {Tag::parse(name).value()}, random)) {
            record.write('+', digest_of(image));
            mine.push_back(digest_of(image));
        }
        if (mine.size() < 3) continue;
        std::ranges::shuffle(mine, random);
        record.write('-', mine.back());
        (void)run_to_end(system.store->manifests().remove(place, Reference{mine.back()}, system.actor()));
        mine.pop_back();
    }
}

// The process that is killed: run by the test below, which says where.
TEST(GarbageCollectionToKill, DISABLED_child)
{
    const char* directory = std::getenv(child_directory);
    const char* url = std::getenv(child_url);
    const char* round = std::getenv(child_round);
    ASSERT_TRUE(directory && url && round) << "only of use to its parent";
    Installation system{url, directory};
    ASSERT_TRUE(system.start());
    system.removal.dies = true;
    std::vector<std::jthread> crowd;
    const auto number = static_cast<unsigned>(std::atoi(round));
    for (std::size_t i = 0; i < pushers; ++i) {
        crowd.emplace_back([&, i] { push_for_ever(system, directory, i, number); });
    }
    const std::atomic<bool> never = false;
    for (;;) (void)system.collect(never);
}

class GarbageCollectionUnderKills : public testing::TestWithParam<bool> {
protected:
    ::pid_t start_child(int round) const
    {
        ::setenv(child_directory, directory.path().c_str(), 1);
        ::setenv(child_url, url.c_str(), 1);
        ::setenv(child_round, std::to_string(round).c_str(), 1);
        const auto child = ::fork();
        if (child == 0) {
            const int log = ::open((directory.path() / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
            ::dup2(log, STDOUT_FILENO);
            ::dup2(log, STDERR_FILENO);
            ::execl(
                "/proc/self/exe",
                "gc_race_test",
                "--gtest_also_run_disabled_tests",
                "--gtest_filter=GarbageCollectionToKill.DISABLED_child",
                nullptr
            );
            ::_exit(1);
        }
        return child;
    }

    // What was promised is there, and all counts are exact.
    void verify()
    {
        Installation system{url, directory.path()};
        ASSERT_TRUE(system.start());
        for (const auto& query : contract::recounts()) {
            EXPECT_EQ(number_in(url, directory.path(), query), 0) << query;
        }
        for (std::size_t i = 0; i < pushers; ++i) {
            for (const auto& digest : Record::standing(record_of(directory.path(), i))) {
                const Reference reference{Digest::parse(digest).value()};
                const auto loaded = run_to_end(system.store->manifests().load(repositories()[i], reference));
                ASSERT_TRUE(loaded) << digest << " was acknowledged";
                const auto missing = system.missing_blob(repositories()[i], **loaded);
                EXPECT_FALSE(missing) << digest << " lacks " << missing->text();
                ++standing;
            }
        }
        EXPECT_EQ(number_in(url, directory.path(), "SELECT COUNT(*) FROM blobs WHERE state = 3"), 0);
    }

    ScratchDirectory directory{memory_or_disk()};
    std::string url = GetParam() ? PostgresServer::shared().create_database() : std::string{};
    std::size_t standing = 0;
};

TEST_P(GarbageCollectionUnderKills, what_was_acknowledged_is_whole_and_nothing_dead_stays)
{
    {
        Installation system{url, directory.path()};
        ASSERT_TRUE(system.create_projects());
    }
    std::mt19937 random{20261122};
    for (int round = 0; round < rounds() && !HasFailure(); ++round) {
        const auto child = start_child(round);
        std::this_thread::sleep_for(std::chrono::milliseconds{200 + random() % 700});
        ASSERT_EQ(::kill(child, SIGKILL), 0);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status)) << "it ended by itself";
        verify();
    }
    EXPECT_GT(standing, 10U) << "hardly anything was pushed";

    Installation system{url, directory.path()};
    ASSERT_TRUE(system.start());
    for (const auto& place : repositories()) {
        (void)run_to_end(system.store->repositories().remove(place, system.actor()));
    }
    const std::atomic<bool> never = false;
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(system.collect(never));
    EXPECT_EQ(number_in(url, directory.path(), "SELECT COUNT(*) FROM blobs"), 0);
    EXPECT_EQ(number_in(url, directory.path(), "SELECT SUM(bytes) FROM projects"), 0);
    std::cout << rounds() << " kills, " << standing << " acknowledged images looked at\n";
}

INSTANTIATE_TEST_SUITE_P(Engines, GarbageCollectionUnderKills, testing::Bool(), [](const auto& instance) {
    return std::string{instance.param ? "postgres" : "sqlite"};
});

}  // namespace
}  // namespace entrepot
