// Processes that are killed, machines that lose power, and threads that get in each other's way.
#include "drivers/chunk_files/chunk_budget.hpp"
#include "drivers/chunk_files/chunk_files.hpp"
#include "tests/support/chunk_files_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

std::vector<std::uint32_t> shuffled(std::uint32_t count, std::mt19937& random)
{
    std::vector<std::uint32_t> order(count);
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::shuffle(order, random);
    return order;
}

// Whether each chunk that the store says it has is what it should be: by the file, not by the store. How many.
std::uint32_t check_all(ChunkFilesFixture& on, const std::vector<ChunkedBytes>& all)
{
    std::uint32_t chunks = 0;
    for (const auto& of : all) {
        const auto pin = on.store->pin(of.blob.digest);
        if (!pin) {
            EXPECT_EQ(pin.error().code(), Errc::blob_unknown);
            continue;
        }
        const auto here = pin->here();
        std::ifstream file{on.file_of(of, pin->is_complete() ? "blobs" : "partial"), std::ios::binary};
        std::string bytes(of.bytes.size(), '\0');
        EXPECT_TRUE(file.read(bytes.data(), static_cast<std::streamsize>(bytes.size())));
        for (std::uint32_t chunk = 0; chunk < of.chunks(); ++chunk) {
            if (!here.contains(chunk)) continue;
            ++chunks;
            EXPECT_EQ(bytes.compare(chunk * chunk_bytes, chunk_bytes, of.bytes, chunk * chunk_bytes, chunk_bytes), 0);
        }
        if (pin->is_complete()) EXPECT_TRUE(here.full());
    }
    return chunks;
}

// What the child does until it is killed: everything that changes files, in an order that nobody foresees.
[[noreturn]] void live_until_killed(ChunkFilesFixture& on, const std::vector<ChunkedBytes>& all, unsigned seed)
{
    std::mt19937 random{seed};
    if (!on.open()) ::_exit(1);
    for (;;) {
        const auto& of = all[random() % all.size()];
        const auto pin = on.store->begin(of.blob, of.hashes);
        if (!pin) ::_exit(2);
        for (const auto chunk : shuffled(of.chunks(), random)) {
            if (!on.store->write(*pin, chunk, of.chunk(chunk))) ::_exit(3);
            if (random() % 8 == 0 && !on.store->flush()) ::_exit(4);
            if (random() % 12 == 0) break;
        }
        if (random() % 6 == 0 && !on.store->remove(all[random() % all.size()].blob.digest)) ::_exit(5);
    }
}

TEST(ChunkFilesCrash, whatever_a_killed_process_leaves_is_true)
{
    ChunkFilesFixture on;
    on.options.sync_after_bytes = 3 * chunk_bytes;
    std::vector<ChunkedBytes> all;
    for (unsigned seed = 0; seed < 6; ++seed) all.push_back(chunked((seed + 1) * 3 * chunk_bytes / 2 + seed, seed));
    on.options.budget_bytes = 25 * chunk_bytes;  // so that some are evicted, too
    std::mt19937 random{11};
    std::uint64_t found = 0;
    unsigned kills = 0;
    for (const auto end = std::chrono::steady_clock::now() + 6s; std::chrono::steady_clock::now() < end; ++kills) {
        const auto child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) live_until_killed(on, all, kills);
        std::this_thread::sleep_for(std::chrono::microseconds{5000 + random() % 60000});
        ASSERT_EQ(::kill(child, SIGKILL), 0);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status)) << "it ended by itself: " << WEXITSTATUS(status);
        ASSERT_TRUE(on.open()) << kills;
        EXPECT_EQ(on.store->statistics().damaged_blobs, 0U) << kills;
        found += check_all(on, all);
        EXPECT_EQ(on.store->statistics().corrupt_chunks, 0U);
        EXPECT_LE(on.bytes_on_disk(), on.options.budget_bytes + 4096);
        on.store.reset();
        if (::testing::Test::HasFailure()) return;
    }
    EXPECT_GT(kills, 10U);
    EXPECT_GT(found, 10U);
    RecordProperty("kills", std::to_string(kills));
    RecordProperty("chunks", std::to_string(found));
}

// Everything that was written and not synced is zeros, while each index is as it was written last.
TEST(ChunkFilesCrash, a_power_loss_takes_no_chunk_that_an_index_names)
{
    std::uint64_t lost = 0;
    std::uint64_t found = 0;
    std::vector<ChunkedBytes> all;
    for (unsigned seed = 0; seed < 3; ++seed) all.push_back(chunked((seed + 2) * 2 * chunk_bytes, seed));
    for (unsigned round = 0; round < 30; ++round) {
        ChunkFilesFixture on;
        const auto disk = std::make_shared<ForgetfulDisk>();
        on.options.disk = disk;
        on.options.sync_after_bytes = 4 * chunk_bytes;
        std::mt19937 random{round};
        const auto child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            // Leaves without a word to the store, as if it had been killed.
            if (!on.open()) ::_exit(1);
            for (auto steps = random() % 25; steps > 0; --steps) {
                const auto& of = all[random() % all.size()];
                const auto pin = on.store->begin(of.blob, of.hashes);
                const auto chunk = static_cast<std::uint32_t>(random() % of.chunks());
                if (!pin || !on.store->write(*pin, chunk, of.chunk(chunk))) ::_exit(2);
                if (random() % 10 == 0 && !on.store->flush()) ::_exit(3);
            }
            ::_exit(disk->lose_power(on.options.root) == 0 ? 10 : 11);
        }
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) >= 10) << WEXITSTATUS(status);
        lost += WEXITSTATUS(status) == 11 ? 1 : 0;
        ASSERT_TRUE(on.open());
        found += check_all(on, all);
        ASSERT_FALSE(::testing::Test::HasFailure()) << round;
    }
    EXPECT_GT(lost, 10U) << "the test has tested something";
    EXPECT_GT(found, 10U);
}

// A name that a power loss took back: all bits are set, and nobody has compared the digest.
TEST(ChunkFilesCrash, a_blob_that_lost_its_name_is_hashed_again)
{
    ChunkFilesFixture on;
    ASSERT_TRUE(on.open());
    const auto good = chunked(3 * chunk_bytes);
    const auto bad = chunked(3 * chunk_bytes, 2);
    for (const auto* of : {&good, &bad}) {
        ASSERT_TRUE(on.keep(*of));
        std::filesystem::rename(on.file_of(*of), on.file_of(*of, "partial"));
    }
    on.damage(on.file_of(bad, "partial"), 0);
    ASSERT_TRUE(on.open());
    EXPECT_EQ(on.store->statistics().complete_blobs, 0U);
    EXPECT_TRUE(on.store->begin(good.blob, good.hashes).value().is_complete());
    const auto pin = on.store->begin(bad.blob, bad.hashes);
    ASSERT_TRUE(pin);
    EXPECT_FALSE(pin->is_complete());
    EXPECT_EQ(pin->here().runs(), (std::vector<PieceRange>{{1, 2}}));
    EXPECT_TRUE(on.store->write(*pin, 0, bad.chunk(0)).value());
}

TEST(ChunkFilesCrash, threads_write_and_read_one_blob_at_once)
{
    ChunkFilesFixture on;
    on.options.sync_after_bytes = 8 * chunk_bytes;
    ASSERT_TRUE(on.open());
    const auto of = chunked(48 * chunk_bytes + 9);
    std::atomic<unsigned> wrong{0};
    std::atomic<unsigned> completed{0};
    {
        std::vector<std::jthread> threads;
        for (unsigned writer = 0; writer < 2; ++writer) {
            threads.emplace_back([&, writer] {
                std::mt19937 random{writer};
                const auto pin = on.store->begin(of.blob, of.hashes);
                if (!pin) ++wrong;
                for (const auto chunk : shuffled(of.chunks(), random)) {
                    const auto written = on.store->write(*pin, chunk, of.chunk(chunk));
                    if (!written) ++wrong;
                    if (written && *written) ++completed;
                    if (chunk % 16 == 0 && !on.store->flush()) ++wrong;
                }
            });
        }
        for (unsigned reader = 0; reader < 2; ++reader) {
            threads.emplace_back([&, reader] {
                const auto pin = on.store->begin(of.blob, of.hashes);
                if (!pin) ++wrong;
                for (std::mt19937 random{reader + 9}; !pin->is_complete();) {
                    const auto chunk = static_cast<std::uint32_t>(random() % of.chunks());
                    const auto read = on.read(*pin, {chunk, 1});
                    if (read && *read != as_text(of.chunk(chunk))) ++wrong;
                    if (!read && read.error().code() != Errc::not_found) ++wrong;
                    const auto extent = on.store->extent(*pin, {chunk, 1});
                    if (!extent && extent.error().code() != Errc::not_found) ++wrong;
                    static_cast<void>(on.store->statistics());
                }
            });
        }
    }
    EXPECT_EQ(wrong, 0U);
    EXPECT_GT(completed, 0U);
    EXPECT_EQ(on.read(on.store->pin(of.blob.digest).value(), {0, of.chunks()}).value(), of.bytes);
    EXPECT_EQ(on.store->statistics().writes >= of.chunks(), true);
}

// Blobs come, go and are evicted while others use them: nothing but what was written is ever read.
TEST(ChunkFilesCrash, threads_begin_evict_and_remove_the_same_blobs)
{
    ChunkFilesFixture on;
    std::vector<ChunkedBytes> all;
    for (unsigned seed = 0; seed < 12; ++seed) all.push_back(chunked(chunk_bytes + 1 + seed, seed));
    on.options.budget_bytes = 10 * chunk_room_for(all[0].blob);
    on.options.high_permille = 900;
    on.options.low_permille = 600;
    on.options.most_open = 1;
    ASSERT_TRUE(on.open());
    std::atomic<unsigned> wrong{0};
    {
        std::vector<std::jthread> threads;
        for (unsigned number = 0; number < 4; ++number) {
            threads.emplace_back([&, number] {
                std::mt19937 random{number};
                for (int step = 0; step < 60; ++step) {
                    const auto& of = all[random() % all.size()];
                    on.clock.advance(1s);
                    const auto pin = on.keep(of);
                    if (!pin && pin.error().code() != Errc::blob_unknown) {
                        ++wrong;
                        ADD_FAILURE() << name_of(pin.error().code()) << ' ' << pin.error().message();
                    }
                    if (pin) {
                        const auto read = on.read(*pin, {0, 2});
                        if (read ? *read != of.bytes : read.error().code() != Errc::blob_unknown) ++wrong;
                    }
                    if (random() % 4 == 0 && !on.store->remove(of.blob.digest)) ++wrong;
                    if (on.store->statistics().taken_bytes > on.options.budget_bytes) ++wrong;
                }
            });
        }
    }
    EXPECT_EQ(wrong, 0U);
    EXPECT_EQ(on.store->statistics().corrupt_chunks, 0U);
    EXPECT_GT(on.store->statistics().evictions, 0U);
    std::uint64_t rooms = 0;
    for (const auto& entry : on.store->blobs()) rooms += chunk_room_for(entry.blob);
    EXPECT_EQ(on.store->statistics().taken_bytes, rooms);
    ASSERT_TRUE(on.open());
    EXPECT_EQ(on.store->statistics().damaged_blobs, 0U);
}

}  // namespace
}  // namespace entrepot
