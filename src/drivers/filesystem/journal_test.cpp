#include "drivers/filesystem/journal.hpp"

#include "core/bytes.hpp"
#include "drivers/filesystem/journal_format.hpp"
#include "drivers/filesystem/scratch_directory.hpp"

#include <fstream>
#include <optional>

#include <gtest/gtest.h>

namespace entrepot {
namespace {

void write_file(const std::filesystem::path& path, std::string_view bytes)
{
    std::ofstream file{path, std::ios::binary | std::ios::trunc};
    file << bytes;
}

std::optional<std::string> read_file(const std::filesystem::path& path)
{
    std::ifstream file{path, std::ios::binary};
    if (!file) return std::nullopt;
    return std::string{std::istreambuf_iterator<char>{file}, {}};
}

// A store's directories with a journal written by hand, as a power loss may leave them.
class JournalReplay : public testing::Test {
protected:
    std::filesystem::path blob_path(std::string_view bytes, DigestAlgorithm algorithm = DigestAlgorithm::sha256) const
    {
        const auto digest = digest_of(bytes, algorithm);
        return root_ / name_of(algorithm) / digest.hex().substr(0, 2) / digest.hex();
    }

    void write_journal(std::string_view bytes) const { write_file(root_ / "slots/0/journal-0", bytes); }
    Result<std::vector<StoredBlob>> replay() { return Journal::replay(tree_, tree_.slot()); }

    ScratchDirectory directory_{memory_or_disk()};
    std::filesystem::path root_ = directory_.path() / "blobs";
    BlobTree tree_{root_.string()};
};

std::string journal_of(const std::vector<std::string>& blobs, std::uint64_t epoch = 1)
{
    std::string segment;
    for (const auto& bytes : blobs) append_entry(segment, epoch, digest_of(bytes), bytes);
    return segment;
}

const std::vector<std::string> some_blobs{"first", "", std::string(100, 'x'), "the last of them"};

TEST(JournalFormat, reads_back_what_was_written)
{
    std::string segment;
    append_entry(segment, 7, digest_of("one"), "one");
    append_entry(segment, 7, digest_of("two", DigestAlgorithm::sha512), "two");
    segment.append(5000, '\0');
    const auto entries = entries_of(segment);
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0].digest, digest_of("one"));
    EXPECT_EQ(entries[0].bytes, "one");
    EXPECT_EQ(entries[1].digest, digest_of("two", DigestAlgorithm::sha512));
    EXPECT_EQ(entries[1].bytes, "two");
}

TEST(JournalFormat, ends_where_another_epoch_begins)
{
    const auto segment = journal_of({"new"}, 3) + journal_of({"old", "older"}, 1);
    const auto entries = entries_of(segment);
    ASSERT_EQ(entries.size(), 1U);
    EXPECT_EQ(entries[0].bytes, "new");
}

TEST(JournalFormat, survives_any_changed_byte)
{
    const auto whole = journal_of(some_blobs);
    for (std::size_t at = 0; at < whole.size(); ++at) {
        auto damaged = whole;
        damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
        std::size_t intact = 0;
        for (const auto& entry : entries_of(damaged)) {
            if (digest_of(entry.bytes) == entry.digest) ++intact;
        }
        EXPECT_LT(intact, some_blobs.size()) << at;
    }
}

TEST_F(JournalReplay, writes_what_is_missing_wherever_the_journal_was_cut)
{
    const auto whole = journal_of(some_blobs);
    for (std::size_t length = 0; length <= whole.size(); ++length) {
        for (const auto& bytes : some_blobs) std::filesystem::remove(blob_path(bytes));
        write_journal(std::string_view{whole}.substr(0, length));
        ASSERT_TRUE(replay());
        std::size_t end = 0;
        for (const auto& bytes : some_blobs) {
            end += journal_header_size + bytes.size();
            const auto stored = read_file(blob_path(bytes));
            EXPECT_EQ(stored.has_value(), end <= length) << "cut at " << length;
            if (stored) EXPECT_EQ(*stored, bytes);
        }
    }
}

TEST_F(JournalReplay, repairs_files_that_lost_their_bytes)
{
    const std::string zeroed(500, 'z');
    const std::string cut(500, 'c');
    write_file(blob_path(zeroed), std::string(500, '\0'));
    write_file(blob_path(cut), "cc");
    write_journal(journal_of({zeroed, cut}));
    ASSERT_TRUE(replay());
    EXPECT_EQ(read_file(blob_path(zeroed)), zeroed);
    EXPECT_EQ(read_file(blob_path(cut)), cut);
}

TEST_F(JournalReplay, goes_on_after_a_torn_blob)
{
    auto segment = journal_of({"torn", "whole"});
    segment[journal_header_size] = '?';
    write_journal(segment);
    ASSERT_TRUE(replay());
    EXPECT_FALSE(read_file(blob_path("torn")));
    EXPECT_EQ(read_file(blob_path("whole")), "whole");
}

TEST_F(JournalReplay, reads_both_segments)
{
    write_journal(journal_of({"in the first"}, 1));
    std::string segment;
    const auto digest = digest_of("in the second", DigestAlgorithm::sha512);
    append_entry(segment, 2, digest, "in the second");
    write_file(root_ / "slots/0/journal-1", segment);
    ASSERT_TRUE(replay());
    EXPECT_EQ(read_file(blob_path("in the first")), "in the first");
    EXPECT_EQ(read_file(blob_path("in the second", DigestAlgorithm::sha512)), "in the second");
}

TEST_F(JournalReplay, happens_once)
{
    write_journal(journal_of({"content"}));
    ASSERT_TRUE(replay());
    std::filesystem::remove(blob_path("content"));
    ASSERT_TRUE(replay());
    EXPECT_FALSE(read_file(blob_path("content")));
}

// Appended but not yet given their own file: what the process looks like when the power goes.
TEST_F(JournalReplay, restores_what_the_journal_called_synced)
{
    {
        auto journal = Journal::open(tree_, 1 << 20);
        ASSERT_TRUE(journal);
        std::mutex mutex;
        std::condition_variable changed;
        std::vector<Journal::Hold> holds;
        for (const auto& bytes : some_blobs) {
            (*journal)
                ->append(digest_of(bytes), std::make_shared<const std::string>(bytes), [&](Result<Journal::Hold> hold) {
                    const std::lock_guard guard{mutex};
                    EXPECT_TRUE(hold);
                    if (hold) holds.push_back(*std::move(hold));
                    changed.notify_all();
                });
        }
        std::unique_lock guard{mutex};
        changed.wait(guard, [&] { return holds.size() == some_blobs.size(); });
        std::filesystem::copy_file(root_ / "slots/0/journal-0", directory_.path() / "at-power-loss");
        holds.clear();
    }
    const auto overwrite = std::filesystem::copy_options::overwrite_existing;
    std::filesystem::copy_file(directory_.path() / "at-power-loss", root_ / "slots/0/journal-0", overwrite);
    ASSERT_TRUE(replay());
    for (const auto& bytes : some_blobs) EXPECT_EQ(read_file(blob_path(bytes)), bytes);
}

}  // namespace
}  // namespace entrepot
