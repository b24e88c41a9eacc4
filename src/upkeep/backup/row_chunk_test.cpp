#include "upkeep/backup/row_chunk.hpp"

#include "upkeep/backup/backup_manifest.hpp"
#include "upkeep/backup/compressed.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <set>

namespace entrepot {
namespace {

const StoredTable table{
    .name = "things",
    .columns = {{"body", StoredKind::bytes}, {"id", StoredKind::integer}, {"name", StoredKind::text}},
    .key = {1}
};

StoredRow row(std::int64_t id, std::string name = "n")
{
    return {StoredValue{std::string{"\0\xff", 2}}, StoredValue{id}, StoredValue{std::move(name)}};
}

TEST(RowChunk, holds_every_value_exactly)
{
    using Limits = std::numeric_limits<std::int64_t>;
    std::vector<StoredRow> rows{row(Limits::min()), row(Limits::max()), row(0), row(-1, ""), row(1, "é\n\"|")};
    rows.push_back({StoredValue{}, StoredValue{std::int64_t{7}}, StoredValue{}});
    rows.push_back(row(300, std::string(100'000, 'x')));
    RowChunkWriter writer{table};
    for (const auto& each : rows) writer.add(each);
    EXPECT_EQ(writer.rows(), rows.size());
    const auto chunk = read_row_chunk(writer.take());
    ASSERT_TRUE(chunk) << chunk.error().message();
    EXPECT_EQ(chunk->table, table);
    EXPECT_EQ(chunk->rows, rows);
    EXPECT_EQ(writer.rows(), 0U);
}

std::vector<std::string> chunks_of(const std::vector<StoredRow>& rows)
{
    RowChunkWriter writer{table};
    std::vector<std::string> chunks;
    for (const auto& each : rows) {
        writer.add(each);
        if (writer.is_full()) chunks.push_back(writer.take());
    }
    if (writer.rows() > 0) chunks.push_back(writer.take());
    return chunks;
}

TEST(RowChunk, a_row_that_comes_or_goes_changes_one_chunk)
{
    std::vector<StoredRow> rows;
    for (std::int64_t id = 0; id < 50'000; ++id) rows.push_back(row(id * 2));
    const auto before = chunks_of(rows);
    EXPECT_GT(before.size(), 10U);
    EXPECT_LT(before.size(), 60U);
    const std::set<std::string> known{before.begin(), before.end()};
    const auto fresh_ones = [&](const std::vector<StoredRow>& changed) {
        std::size_t fresh = 0;
        for (const auto& chunk : chunks_of(changed)) fresh += known.contains(chunk) ? 0 : 1;
        return fresh;
    };
    auto changed = rows;
    changed.insert(changed.begin() + 20'000, row(39'999));
    EXPECT_LE(fresh_ones(changed), 2U) << "two where the new row ends a chunk";
    changed = rows;
    changed.erase(changed.begin() + 7);
    EXPECT_LE(fresh_ones(changed), 2U);
    changed = rows;
    changed[30'000] = row(60'000, "renamed");
    EXPECT_EQ(fresh_ones(changed), 1U);
}

TEST(RowChunk, is_never_larger_than_a_reader_takes)
{
    RowChunkWriter writer{table};
    writer.add(row(1, std::string(most_bytes_of_chunk, 'x')));
    EXPECT_TRUE(writer.is_full());
    EXPECT_LT(writer.take().size(), longest_chunk);
}

TEST(RowChunk, anything_else_is_corrupt)
{
    RowChunkWriter writer{table};
    writer.add(row(1));
    writer.add(row(2));
    const auto good = writer.take();
    ASSERT_TRUE(read_row_chunk(good));
    EXPECT_FALSE(read_row_chunk(""));
    EXPECT_FALSE(read_row_chunk("entrepot rows 2\n"));
    EXPECT_FALSE(read_row_chunk(good + '\1'));
    std::size_t whole = 0;  // a chunk that ends after a row is one of fewer rows
    for (std::size_t size = 0; size < good.size(); ++size)
        whole += read_row_chunk(std::string_view{good}.substr(0, size)) ? 1 : 0;
    EXPECT_EQ(whole, 2U);
}

TEST(Compressed, gives_back_what_it_was_given)
{
    const std::string text(100'000, 'x');
    const auto frame = compressed(text);
    EXPECT_LT(frame.size(), 1'000U);
    EXPECT_EQ(decompressed(frame, text.size()).value(), text);
    EXPECT_EQ(decompressed(compressed(""), 0).value(), "");
    EXPECT_FALSE(decompressed(frame, text.size() - 1)) << "more than was allowed";
    EXPECT_FALSE(decompressed(frame.substr(0, frame.size() - 3), text.size()));
    EXPECT_FALSE(decompressed("hello", 100));
}

BackupManifest manifest()
{
    BackupManifest made;
    made.id = "20261122T150405Z-1f2e3d4c";
    made.program = "0.1.0";
    made.engine = "sqlite";
    made.schema_version = 7;
    made.started_at = 1;
    made.snapshot_at = 2;
    made.ended_at = 3;
    made.tables["users"] = {.rows = 4, .chunks = {std::string(64, 'a')}};
    made.given_ids["users"] = 9;
    made.files["audit/i1/00000001.jsonl"] = {.size = 5, .chunks = {std::string(64, 'b')}};
    made.blobs = {.count = 1, .bytes = 2, .missing = {"sha256:" + std::string(64, 'c')}};
    made.written = {.chunks = 1, .chunk_bytes = 2, .blobs = 3, .blob_bytes = 4};
    return made;
}

TEST(BackupManifest, is_read_as_it_was_written)
{
    const auto made = manifest();
    const auto read = BackupManifest::parse(made.json());
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->json(), made.json());
    EXPECT_EQ(read->tables.at("users").chunks, made.tables.at("users").chunks);
    EXPECT_EQ(read->given_ids, made.given_ids);
    EXPECT_EQ(read->written, made.written);
    EXPECT_FALSE(read->is_complete());
}

TEST(BackupManifest, every_changed_byte_shows)
{
    const auto text = manifest().json();
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto changed = text;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        EXPECT_FALSE(BackupManifest::parse(changed)) << i;
    }
    EXPECT_FALSE(BackupManifest::parse(""));
    EXPECT_FALSE(BackupManifest::parse("{}"));
}

TEST(BackupManifest, writes_files_nowhere_else)
{
    for (const char* path : {"../x", "audit/../../x", "/etc/passwd", "entrepot.db", "audit//x", "audit/"}) {
        auto made = manifest();
        made.files[path] = {};
        EXPECT_FALSE(BackupManifest::parse(made.json())) << path;
    }
}

TEST(BackupManifest, names_are_what_they_seem)
{
    EXPECT_TRUE(is_backup_id("20261122T150405Z-1f2e3d4c"));
    EXPECT_FALSE(is_backup_id("20261122T150405Z-1f2e3d4"));
    EXPECT_FALSE(is_backup_id("../../../../etc/passwd....."));
    EXPECT_EQ(blob_name("sha512:abcd"), "blobs/sha512/ab/abcd");
    EXPECT_EQ(chunk_name("abcd"), "chunks/ab/abcd");
}

}  // namespace
}  // namespace entrepot
