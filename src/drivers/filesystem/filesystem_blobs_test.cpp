#include "drivers/filesystem/filesystem_blobs.hpp"

#include "drivers/filesystem/journal_format.hpp"
#include "drivers/filesystem/scratch_directory.hpp"
#include "tests/contract/blob_store_contract.hpp"

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include <csignal>
#include <sys/mount.h>
#include <sys/wait.h>

namespace entrepot::blob_store_contract {
namespace {

FilesystemOptions options_at(const std::filesystem::path& root, std::size_t journal_bytes = 512 * 1024)
{
    FilesystemOptions options;
    options.root = root / "blobs";
    options.journal_bytes = journal_bytes;
    return options;
}

struct OnDisk {
    FilesystemBlobs& blobs() { return store; }
    ScratchDirectory directory{memory_or_disk()};
    FilesystemBlobs store{options_at(directory.path())};
};

struct OnDiskWithoutJournal {
    FilesystemBlobs& blobs() { return store; }
    ScratchDirectory directory{memory_or_disk()};
    FilesystemBlobs store{options_at(directory.path(), 0)};
};

std::size_t files_in(const std::filesystem::path& directory)
{
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator{directory}, {}));
}

std::filesystem::path file_of(const std::filesystem::path& root, const Digest& digest)
{
    return root / "blobs" / name_of(digest.algorithm()) / digest.hex().substr(0, 2) / digest.hex();
}

// A file system of its own, small enough to be filled.
class SmallDisk {
public:
    explicit SmallDisk(const char* size)
    {
        const std::string options = std::string{"mode=0700,size="} + size;
        mounted_ = ::mount("none", directory_.path().c_str(), "tmpfs", 0, options.c_str()) == 0;
    }
    ~SmallDisk()
    {
        if (mounted_) ::umount2(directory_.path().c_str(), MNT_DETACH);
    }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;

    bool mounted() const { return mounted_; }
    const std::filesystem::path& path() const { return directory_.path(); }

private:
    ScratchDirectory directory_;
    bool mounted_ = false;
};

TEST(FilesystemBlobs, keeps_its_blobs_over_a_restart)
{
    const ScratchDirectory directory;
    for (const std::size_t journal_bytes : std::initializer_list<std::size_t>{512 * 1024, 0}) {
        for (const std::size_t size : std::initializer_list<std::size_t>{100, 100000}) {
            const auto bytes = content_of(size);
            {
                FilesystemBlobs blobs{options_at(directory.path(), journal_bytes)};
                ASSERT_TRUE(run(blobs.put(digest_of(bytes), bytes)));
            }
            FilesystemBlobs blobs{options_at(directory.path(), journal_bytes)};
            const auto content = run(blobs.load(digest_of(bytes)));
            ASSERT_TRUE(content);
            EXPECT_EQ(bytes_of(*content), bytes);
            std::filesystem::remove(file_of(directory.path(), digest_of(bytes)));
        }
    }
}

TEST(FilesystemBlobs, leaves_no_files_behind)
{
    const ScratchDirectory directory;
    FilesystemBlobs blobs{options_at(directory.path())};
    for (const std::size_t size : std::initializer_list<std::size_t>{0, 100, 100000}) {
        const auto bytes = content_of(size);
        ASSERT_TRUE(run(blobs.put(digest_of(bytes), bytes)));
        for (const auto& digest : {digest_of(bytes), digest_of("another")}) {
            auto upload = run(blobs.resume(upload_id('a'), DigestAlgorithm::sha256, 0, ""));
            ASSERT_TRUE(upload);
            ASSERT_TRUE(append(**upload, bytes));
            EXPECT_EQ(run((*upload)->commit(digest)).has_value(), digest == digest_of(bytes));
        }
    }
    ASSERT_TRUE(run(blobs.probe()));
    EXPECT_EQ(files_in(directory.path() / "blobs/uploads"), 0U);
    EXPECT_EQ(files_in(directory.path() / "blobs/slots/0/tmp"), 0U);
}

TEST(FilesystemBlobs, sweeps_temporary_files_at_start_and_keeps_uploads)
{
    const ScratchDirectory directory;
    {
        const FilesystemBlobs blobs{options_at(directory.path())};
    }
    std::ofstream{directory.path() / "blobs/slots/0/tmp/17"} << "half a blob";
    std::ofstream{directory.path() / "blobs/uploads" / std::string(32, 'a')} << "half an upload";
    const FilesystemBlobs blobs{options_at(directory.path())};
    EXPECT_EQ(files_in(directory.path() / "blobs/slots/0/tmp"), 0U);
    EXPECT_EQ(files_in(directory.path() / "blobs/uploads"), 1U);
}

TEST(FilesystemBlobs, reads_for_nobody_but_its_owner)
{
    const ScratchDirectory directory;
    FilesystemBlobs blobs{options_at(directory.path())};
    const auto bytes = content_of(10);
    ASSERT_TRUE(run(blobs.put(digest_of(bytes), bytes)));
    using std::filesystem::perms;
    for (const auto& entry : std::filesystem::recursive_directory_iterator{directory.path()}) {
        const auto allowed = entry.is_directory() ? perms::owner_all : perms::owner_read | perms::owner_write;
        EXPECT_EQ(entry.status().permissions(), allowed) << entry.path();
    }
}

TEST(FilesystemBlobs, does_not_serve_a_damaged_small_blob)
{
    const ScratchDirectory directory;
    const auto bytes = content_of(1000);
    {
        FilesystemBlobs blobs{options_at(directory.path())};
        ASSERT_TRUE(run(blobs.put(digest_of(bytes), bytes)));
    }
    std::ofstream{file_of(directory.path(), digest_of(bytes))} << "something else";
    FilesystemBlobs blobs{options_at(directory.path())};
    const auto content = run(blobs.load(digest_of(bytes)));
    ASSERT_FALSE(content);
    EXPECT_EQ(content.error().code(), Errc::corrupt);

    ASSERT_TRUE(run(blobs.put(digest_of(bytes), bytes))) << "pushing it again repairs it";
    EXPECT_TRUE(run(blobs.load(digest_of(bytes))));
}

TEST(FilesystemBlobs, knows_no_upload_by_another_kind_of_name)
{
    const ScratchDirectory directory;
    FilesystemBlobs blobs{options_at(directory.path())};
    for (const auto* text : {"", "..", "../layout", "ABCDEFABCDEFABCDEFABCDEFABCDEFAB"}) {
        const auto upload = run(blobs.resume(UploadId{text}, DigestAlgorithm::sha256, 0, ""));
        ASSERT_FALSE(upload);
        EXPECT_EQ(upload.error().code(), Errc::upload_unknown);
        EXPECT_TRUE(run(blobs.discard(UploadId{text})));
    }
    EXPECT_TRUE(std::filesystem::exists(directory.path() / "blobs/layout"));
}

TEST(FilesystemBlobs, refuses_a_directory_of_a_newer_version)
{
    const ScratchDirectory directory;
    {
        const FilesystemBlobs blobs{options_at(directory.path())};
    }
    std::ofstream{directory.path() / "blobs/layout"} << "2\n";
    EXPECT_THROW(FilesystemBlobs{options_at(directory.path())}, std::runtime_error);
}

TEST(FilesystemBlobs, refuses_a_root_that_is_a_file)
{
    const ScratchDirectory directory;
    std::ofstream{directory.path() / "blobs"} << "not a directory";
    EXPECT_THROW(FilesystemBlobs{options_at(directory.path())}, std::runtime_error);
}

// Two stores stand for two processes: the locks belong to open files, not to processes.
TEST(FilesystemBlobs, shares_its_directory_with_another_process)
{
    const ScratchDirectory directory;
    FilesystemBlobs one{options_at(directory.path())};
    FilesystemBlobs other{options_at(directory.path())};
    const auto bytes = content_of(1000);
    ASSERT_TRUE(run(one.put(digest_of(bytes), bytes)));
    EXPECT_TRUE(run(other.load(digest_of(bytes))));

    auto upload = run(one.resume(upload_id('a'), DigestAlgorithm::sha256, 0, ""));
    ASSERT_TRUE(upload);
    ASSERT_TRUE(append(**upload, bytes.substr(0, 400)));
    const auto progress = run((*upload)->settle());
    ASSERT_TRUE(progress);
    const auto refused = run(other.resume(upload_id('a'), DigestAlgorithm::sha256, 400, progress->hash_state));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::conflict);

    upload->reset();
    auto resumed = run(other.resume(upload_id('a'), DigestAlgorithm::sha256, 400, progress->hash_state));
    ASSERT_TRUE(resumed);
    ASSERT_TRUE(append(**resumed, bytes.substr(400)));
    EXPECT_TRUE(run((*resumed)->commit(digest_of(bytes))));
}

TEST(FilesystemBlobs, replays_the_journal_of_a_process_that_is_gone)
{
    const ScratchDirectory directory;
    {
        const FilesystemBlobs blobs{options_at(directory.path())};
    }
    std::filesystem::create_directory(directory.path() / "blobs/slots/1");
    std::string segment;
    append_entry(segment, 1, digest_of("acknowledged"), "acknowledged");
    std::ofstream{directory.path() / "blobs/slots/1/journal-1"} << segment;
    FilesystemBlobs blobs{options_at(directory.path())};
    EXPECT_TRUE(run(blobs.load(digest_of("acknowledged"))));
}

TEST(FilesystemBlobs, uses_its_journal_over_and_over)
{
    const ScratchDirectory directory;
    FilesystemBlobs blobs{options_at(directory.path())};
    for (unsigned round = 0; round < 4; ++round) {
        std::vector<Task<>> tasks;
        for (unsigned seed = 0; seed < 20; ++seed) {
            const auto bytes = content_of(60000, round * 100 + seed);
            tasks.push_back(blobs.put(digest_of(bytes), bytes));
        }
        for (const auto& result : run_all(std::move(tasks))) ASSERT_TRUE(result);
    }
    for (unsigned round = 0; round < 4; ++round) {
        for (unsigned seed = 0; seed < 20; ++seed) {
            const auto digest = digest_of(content_of(60000, round * 100 + seed));
            EXPECT_EQ(std::filesystem::file_size(file_of(directory.path(), digest)), 60000U);
        }
    }
}

// The child answers by a byte for each blob it was told is stored, and is killed among further ones. Its journal holds
// them all.
TEST(FilesystemBlobs, keeps_what_it_acknowledged_when_killed)
{
    const ScratchDirectory directory;
    int answers[2];
    ASSERT_EQ(::pipe(answers), 0);
    const auto child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        test_loop().notify_fork(asio::execution_context::fork_child);
        FilesystemBlobs blobs{options_at(directory.path(), 16 << 20)};
        for (unsigned seed = 0; seed < 1000; ++seed) {
            const auto bytes = content_of(3000, seed);
            if (!run(blobs.put(digest_of(bytes), bytes))) ::_exit(1);
            if (::write(answers[1], "+", 1) != 1) ::_exit(1);
        }
        ::pause();
    }
    ::close(answers[1]);
    char byte = 0;
    unsigned acknowledged = 0;
    while (acknowledged < 50 && ::read(answers[0], &byte, 1) == 1) ++acknowledged;
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    while (::read(answers[0], &byte, 1) == 1) ++acknowledged;
    ::close(answers[0]);
    ASSERT_GE(acknowledged, 50U);

    // Besides, lose what was never synced: every third file.
    for (unsigned seed = 0; seed < acknowledged; seed += 3) {
        std::filesystem::remove(file_of(directory.path(), digest_of(content_of(3000, seed))));
    }
    FilesystemBlobs blobs{options_at(directory.path())};
    for (unsigned seed = 0; seed < acknowledged; ++seed) {
        const auto bytes = content_of(3000, seed);
        const auto content = run(blobs.load(digest_of(bytes)));
        ASSERT_TRUE(content) << seed;
        EXPECT_EQ(bytes_of(*content), bytes);
    }
}

// The child answers by a byte once it has removed every second of its blobs, and is killed. Its journal holds all.
TEST(FilesystemBlobs, says_which_blobs_a_replay_brought_back)
{
    const ScratchDirectory directory;
    int answers[2];
    ASSERT_EQ(::pipe(answers), 0);
    const auto child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        test_loop().notify_fork(asio::execution_context::fork_child);
        FilesystemBlobs blobs{options_at(directory.path(), 16 << 20)};
        std::vector<Digest> removed;
        for (unsigned seed = 0; seed < 20; ++seed) {
            const auto bytes = content_of(3000, seed);
            if (!run(blobs.put(digest_of(bytes), bytes))) ::_exit(1);
            if (seed % 2 == 0) removed.push_back(digest_of(bytes));
        }
        const auto remover = run(blobs.begin_removal());
        if (!remover || !run((*remover)->remove(removed))) ::_exit(1);
        if (::write(answers[1], "+", 1) != 1) ::_exit(1);
        ::pause();
    }
    ::close(answers[1]);
    char byte = 0;
    EXPECT_EQ(::read(answers[0], &byte, 1), 1);
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    ::close(answers[0]);

    FilesystemBlobs blobs{options_at(directory.path())};
    ASSERT_EQ(blobs.restored().size(), 10U);
    std::vector<Digest> restored;
    for (const auto& blob : blobs.restored()) {
        EXPECT_EQ(blob.size, 3000U);
        restored.push_back(blob.digest);
    }
    const auto remover = run(blobs.begin_removal());
    ASSERT_TRUE(remover) << "the lock of the killed process is gone with it";
    EXPECT_EQ(run((*remover)->remove(restored))->blobs, 10U);
    for (unsigned seed = 0; seed < 20; ++seed) {
        EXPECT_EQ(run(blobs.load(digest_of(content_of(3000, seed)))).has_value(), seed % 2 == 1) << seed;
    }
}

TEST(FilesystemBlobs, full_disk_is_storage_full_and_passes)
{
    const SmallDisk disk{"20m"};
    ASSERT_TRUE(disk.mounted()) << "this test must run as root";
    FilesystemBlobs blobs{options_at(disk.path())};
    const auto early = content_of(5000, 1);
    ASSERT_TRUE(run(blobs.put(digest_of(early), early)));

    auto upload = run(blobs.resume(upload_id('a'), DigestAlgorithm::sha256, 0, ""));
    ASSERT_TRUE(upload);
    const auto large = content_of(30 << 20, 2);
    const auto failed = append(**upload, large);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code(), Errc::storage_full);
    const auto committed = run((*upload)->commit(digest_of(large)));
    ASSERT_FALSE(committed);
    EXPECT_EQ(committed.error().code(), Errc::storage_full);

    for (const std::size_t size : std::initializer_list<std::size_t>{40000, 1 << 20}) {
        const auto bytes = content_of(size, 3);
        const auto refused = run(blobs.put(digest_of(bytes), bytes));
        ASSERT_FALSE(refused) << size;
        EXPECT_EQ(refused.error().code(), Errc::storage_full);
        EXPECT_FALSE(run(blobs.load(digest_of(bytes))));
    }
    const auto probed = run(blobs.probe());
    ASSERT_FALSE(probed);
    EXPECT_EQ(probed.error().code(), Errc::storage_full);
    EXPECT_EQ(files_in(disk.path() / "blobs/slots/0/tmp"), 0U);
    EXPECT_TRUE(run(blobs.load(digest_of(early))));

    ASSERT_TRUE(run(blobs.discard(upload_id('a'))));
    const auto late = content_of(1 << 20, 4);
    EXPECT_TRUE(run(blobs.put(digest_of(late), late)));
    EXPECT_TRUE(run(blobs.probe()));
}

TEST(FilesystemBlobs, starts_on_a_full_disk)
{
    const SmallDisk disk{"20m"};
    ASSERT_TRUE(disk.mounted()) << "this test must run as root";
    const auto bytes = content_of(5000);
    {
        FilesystemBlobs blobs{options_at(disk.path(), 0)};
        ASSERT_TRUE(run(blobs.put(digest_of(bytes), bytes)));
    }
    std::ofstream{disk.path() / "ballast"} << std::string(30 << 20, 'x');
    FilesystemBlobs blobs{options_at(disk.path())};
    EXPECT_TRUE(run(blobs.load(digest_of(bytes))));
    std::filesystem::remove(disk.path() / "ballast");
    const auto late = content_of(5000, 2);
    EXPECT_TRUE(run(blobs.put(digest_of(late), late)));
}

}  // namespace

using Disks = testing::Types<OnDisk, OnDiskWithoutJournal>;
INSTANTIATE_TYPED_TEST_SUITE_P(filesystem, BlobStoreContract, Disks);

}  // namespace entrepot::blob_store_contract
