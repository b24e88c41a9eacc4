#include "drivers/filesystem/filesystem_blobs.hpp"

#include "drivers/filesystem/scratch_directory.hpp"
#include "tests/contract/blob_inventory_contract.hpp"

#include <filesystem>
#include <fstream>

namespace entrepot::blob_store_contract {
namespace {

struct RottingDisk {
    FilesystemBlobs& blobs() { return store; }
    std::filesystem::path root() const { return directory.path() / "blobs"; }
    std::filesystem::path file_of(const Digest& digest) const
    {
        const std::string hex{digest.hex()};
        return root() / std::string{name_of(digest.algorithm())} / hex.substr(0, 2) / hex;
    }
    // In the file's place on the device: no new file, as a push would make one.
    void rot(const Digest& digest, const std::string& bytes)
    {
        std::ofstream file{file_of(digest), std::ios::binary | std::ios::in | std::ios::out};
        file << bytes << std::flush;
        ASSERT_TRUE(file);
    }
    FilesystemOptions options() const
    {
        FilesystemOptions wanted;
        wanted.root = root();
        wanted.journal_bytes = 512 * 1024;
        return wanted;
    }
    ScratchDirectory directory{memory_or_disk()};
    FilesystemBlobs store{options()};
};

TEST(FilesystemInventory, what_was_moved_aside_is_kept_for_who_wants_to_look_at_it)
{
    RottingDisk disk;
    const auto good = content_of(300'000);
    const auto digest = digest_of(good);
    ASSERT_TRUE(run(disk.store.put(digest, good)));
    const auto bad = content_of(300'000, 5);
    disk.rot(digest, bad);
    const auto check = run(disk.store.inventory().check(digest)).value();
    while (run(check->read(1 << 20)).value() > 0) {
    }
    ASSERT_TRUE(run(check->quarantine()).value());
    EXPECT_FALSE(std::filesystem::exists(disk.file_of(digest)));
    std::ifstream kept{disk.root() / "quarantine" / ("sha256-" + std::string{digest.hex()}), std::ios::binary};
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>{kept}, {}), bad);
}

TEST(FilesystemInventory, another_process_that_had_a_rotten_file_open_serves_it_no_more)
{
    RottingDisk disk;
    FilesystemBlobs neighbour{disk.options()};
    const auto good = content_of(300'000);
    const auto digest = digest_of(good);
    ASSERT_TRUE(run(disk.store.put(digest, good)));
    disk.rot(digest, content_of(300'000, 5));
    ASSERT_TRUE(run(neighbour.load(digest)));
    ASSERT_TRUE(neighbour.peek(digest));
    const auto check = run(disk.store.inventory().check(digest)).value();
    while (run(check->read(1 << 20)).value() > 0) {
    }
    ASSERT_TRUE(run(check->quarantine()).value());
    EXPECT_FALSE(neighbour.peek(digest));
    EXPECT_FALSE(run(neighbour.load(digest)));
    ASSERT_TRUE(run(disk.store.put(digest, good)));
    EXPECT_EQ(bytes_of(run(neighbour.load(digest)).value()), good);
}

TEST(FilesystemInventory, files_that_are_no_blobs_are_passed_over)
{
    RottingDisk disk;
    ASSERT_TRUE(run(disk.store.put(digest_of("blob"), "blob")));
    const std::string other = digest_of("other").text().substr(7);
    for (const auto& name : {std::string{"notes.txt"}, std::string{"00"}, std::string(64, 'g'), other}) {
        const auto place = other.substr(0, 2) == "00" ? "01" : "00";
        std::ofstream{disk.root() / "sha256" / place / name} << "not a blob";
    }
    std::ofstream{disk.root() / "uploads" / "README"} << "not an upload";
    for (const std::size_t limit : {1U, 2U, 100U}) {
        const auto page = run(disk.store.inventory().list("", limit));
        ASSERT_TRUE(page);
        ASSERT_EQ(page->size(), 1U) << limit;
        EXPECT_EQ(page->front().digest, digest_of("blob"));
    }
    EXPECT_TRUE(run(disk.store.inventory().list_uploads("", 1)).value().empty());
}

TEST(FilesystemInventory, a_blob_is_as_old_as_its_arrival_whenever_its_bytes_came)
{
    RottingDisk disk;
    const auto bytes = content_of(300'000);
    auto upload = run(disk.store.resume(upload_id('d'), DigestAlgorithm::sha256, 0, "")).value();
    ASSERT_TRUE(append(*upload, bytes));
    ASSERT_TRUE(run(upload->settle()));
    const auto long_ago = std::filesystem::file_time_type::clock::now() - std::chrono::hours{48};
    std::filesystem::last_write_time(disk.root() / "uploads" / std::string(32, 'd'), long_ago);
    const auto waiting = run(disk.store.inventory().list_uploads("", 1)).value().at(0);
    ASSERT_TRUE(run(upload->commit(digest_of(bytes))));
    const auto stored = run(disk.store.inventory().list("", 1)).value().at(0);
    EXPECT_GT(stored.stored_at - waiting.written_at, 47LL * 3600 * 1'000'000);
}

}  // namespace

INSTANTIATE_TYPED_TEST_SUITE_P(filesystem, BlobInventoryContract, RottingDisk);

}  // namespace entrepot::blob_store_contract
