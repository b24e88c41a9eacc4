#include "upkeep/index/index_record.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace entrepot {
namespace {

using Kind = IndexRecord::Kind;

IndexRecord manifest(std::int64_t sequence)
{
    return {
        .kind = Kind::manifest,
        .sequence = sequence,
        .at = 1'763'800'000'000'000 + sequence,
        .name = "library/app",
        .digest = "sha256:" + std::string(64, 'a'),
        .media_type = "application/vnd.oci.image.manifest.v1+json",
        .bytes = std::string{"{\"EIX1\":\"\0\xff\"}", 13} + std::to_string(sequence),
        .user_id = 7,
    };
}

std::vector<IndexRecord> all_kinds()
{
    return {
        {.kind = Kind::segment, .sequence = -1, .at = 5, .flag = true},
        manifest(1),
        {.kind = Kind::manifest_gone, .sequence = 2, .at = 6, .name = "a/b", .digest = "sha256:00"},
        {.kind = Kind::tag, .sequence = 3, .at = 7, .name = "a/b", .tag = "1", .digest = "sha256:00"},
        {.kind = Kind::tag_gone, .sequence = 4, .at = 8, .name = "a/b", .tag = "1"},
        {.kind = Kind::repository_gone, .sequence = 5, .at = 9, .name = "a/b"},
        {.kind = Kind::repository_renamed, .sequence = 6, .at = 9, .name = "a/b", .into = "a/c"},
        {.kind = Kind::project, .sequence = 7, .at = 9, .name = "a", .user_id = 3, .flag = true},
        {.kind = Kind::project_renamed, .sequence = 8, .at = 9, .name = "a", .into = "b"},
        {.kind = Kind::project_gone, .sequence = 9, .at = 9, .name = "b"},
        {.kind = Kind::name_given_up, .sequence = 9, .at = 9, .name = "b", .into = "c"},
        {.kind = Kind::position, .sequence = 9, .at = 9},
    };
}

std::string segment_of(const std::vector<IndexRecord>& records)
{
    std::string segment;
    for (const auto& record : records) append_record(segment, record);
    return segment;
}

struct Read {
    std::vector<IndexRecord> records;
    std::uint64_t damaged = 0;
    std::uint64_t torn = 0;
};

Read read(std::string_view segment)
{
    Read read;
    IndexReader reader{segment};
    while (auto record = reader.next()) read.records.push_back(*std::move(record));
    read.damaged = reader.damaged();
    read.torn = reader.torn();
    return read;
}

TEST(IndexRecord, AllKindsComeBackAsTheyWereWritten)
{
    const auto there = read(segment_of(all_kinds()));
    EXPECT_EQ(there.records, all_kinds());
    EXPECT_EQ(there.damaged, 0U);
    EXPECT_EQ(there.torn, 0U);
}

TEST(IndexRecord, ATornEndIsCutOffWhereverItIs)
{
    const auto whole = segment_of({manifest(1), manifest(2)});
    const auto first = segment_of({manifest(1)}).size();
    for (std::size_t size = first; size < whole.size(); ++size) {
        const auto there = read(std::string_view{whole}.substr(0, size));
        ASSERT_EQ(there.records, std::vector{manifest(1)}) << size;
        ASSERT_EQ(there.damaged, 0U) << size;
        ASSERT_EQ(there.torn, size - first);
    }
}

TEST(IndexRecord, AFlippedBitCostsItsRecordAndIsTold)
{
    const auto whole = segment_of({manifest(1), manifest(2), manifest(3)});
    const auto one = segment_of({manifest(1)}).size();
    for (std::size_t at = one; at < 2 * one; ++at) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            auto damaged = whole;
            damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ (1U << bit));
            const auto there = read(damaged);
            ASSERT_EQ(there.records, (std::vector{manifest(1), manifest(3)})) << at;
            ASSERT_EQ(there.damaged, one) << at;
            ASSERT_EQ(there.torn, 0U) << at;
        }
    }
}

TEST(IndexRecord, WhatIsNotOfThisFormatIsNoRecord)
{
    EXPECT_TRUE(read("").records.empty());
    EXPECT_EQ(read("").torn, 0U);
    EXPECT_EQ(read("EIX1").torn, 4U);
    EXPECT_EQ(read(std::string(1000, 'E')).torn, 1000U);
    EXPECT_EQ(read("junk" + segment_of({manifest(1)})).damaged, 4U);
}

TEST(IndexRecord, OnlyWhatChangesMoreThanItselfIsStructural)
{
    int structural = 0;
    for (const auto& record : all_kinds()) structural += record.is_structural() ? 1 : 0;
    EXPECT_EQ(structural, 6);
    EXPECT_FALSE(manifest(1).is_structural());
}

}  // namespace
}  // namespace entrepot
