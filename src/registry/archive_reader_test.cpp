#include "registry/archive_reader.hpp"

#include "tests/support/fake_clock.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace entrepot {
namespace {

using Files = std::vector<std::pair<std::string, std::string>>;

BlobContent content_of(std::string bytes)
{
    BlobContent content;
    content.size = bytes.size();
    content.bytes = std::make_shared<const std::string>(std::move(bytes));
    return content;
}

BlobContent packed(const Files& files, bool compressed = true)
{
    std::string out(16 << 20, '\0');
    std::size_t used = 0;
    archive* writer = archive_write_new();
    archive_write_set_format_pax_restricted(writer);
    if (compressed) archive_write_add_filter_gzip(writer);
    archive_write_open_memory(writer, out.data(), out.size(), &used);
    for (const auto& [path, text] : files) {
        archive_entry* entry = archive_entry_new();
        archive_entry_set_pathname(entry, path.c_str());
        archive_entry_set_filetype(entry, path.ends_with('/') ? AE_IFDIR : AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        archive_entry_set_size(entry, static_cast<la_int64_t>(text.size()));
        archive_write_header(writer, entry);
        archive_write_data(writer, text.data(), text.size());
        archive_entry_free(entry);
    }
    archive_write_close(writer);
    archive_write_free(writer);
    out.resize(used);
    return content_of(std::move(out));
}

auto named(std::string_view wanted)
{
    return [wanted](std::string_view path) { return path == wanted; };
}

TEST(ArchiveReader, finds_a_file_in_a_plain_and_in_a_compressed_archive)
{
    FakeClock clock;
    for (const bool compressed : {false, true}) {
        const auto archive =
            packed({{"web/", ""}, {"web/Chart.yaml", "name: web"}, {"web/values.yaml", "a: 1"}}, compressed);
        EXPECT_EQ(read_archived_file(archive, named("web/values.yaml"), clock).value(), "a: 1");
        const auto missing = read_archived_file(archive, named("web/none"), clock);
        ASSERT_FALSE(missing);
        EXPECT_EQ(missing.error().code(), Errc::not_found);
        EXPECT_FALSE(read_archived_file(archive, named("web/"), clock)) << "a directory is no file";
    }
}

TEST(ArchiveReader, refuses_what_is_no_archive)
{
    FakeClock clock;
    for (const std::string& bytes :
         {std::string{"not an archive"}, std::string(2000, '\x1f'), std::string{"\x1f\x8b\x08"}}) {
        const auto read = read_archived_file(content_of(bytes), named("a"), clock);
        ASSERT_FALSE(read);
        EXPECT_EQ(read.error().code(), Errc::unprocessable);
    }
}

TEST(ArchiveReader, a_cut_archive_is_no_archive_beyond_the_cut)
{
    FakeClock clock;
    const auto whole = packed({{"a", "first"}, {"b", std::string(100'000, 'b')}, {"c", "last"}}, false);
    const auto cut = content_of(whole.bytes->substr(0, 60'000));
    EXPECT_EQ(read_archived_file(cut, named("a"), clock).value(), "first");
    EXPECT_FALSE(read_archived_file(cut, named("c"), clock));
}

TEST(ArchiveReader, stops_at_its_limits)
{
    FakeClock clock;
    const std::string zeros(4 << 20, '\0');
    const auto bomb = packed({{"big", zeros}, {"wanted", "x"}});
    ArchiveLimits limits;
    limits.unpacked_bytes = 1 << 20;
    const auto unpacked = read_archived_file(bomb, named("wanted"), clock, limits);
    ASSERT_FALSE(unpacked);
    EXPECT_EQ(unpacked.error().code(), Errc::unprocessable);

    const auto large = read_archived_file(bomb, named("big"), clock);
    ASSERT_FALSE(large);
    EXPECT_EQ(large.error().code(), Errc::unprocessable) << "a document has at most a megabyte";

    Files many;
    for (int i = 0; i < 50; ++i) many.emplace_back("f" + std::to_string(i), "");
    limits = {};
    limits.entries = 10;
    EXPECT_FALSE(read_archived_file(packed(many), named("f49"), clock, limits));
    EXPECT_TRUE(read_archived_file(packed(many), named("f5"), clock, limits));
}

// A clock that jumps each time it is asked.
class Hurrying final : public Clock {
public:
    Micros now() const noexcept override { return 0; }
    std::chrono::steady_clock::time_point steady() const noexcept override
    {
        passed_ += std::chrono::seconds{1};
        return std::chrono::steady_clock::time_point{passed_};
    }

private:
    mutable std::chrono::steady_clock::duration passed_{};
};

TEST(ArchiveReader, stops_when_its_time_is_over)
{
    const Hurrying clock;
    const auto read =
        read_archived_file(packed({{"big", std::string(1 << 20, 'x')}, {"wanted", "x"}}), named("wanted"), clock);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code(), Errc::unprocessable);
}

TEST(ArchiveReader, a_link_is_not_followed)
{
    FakeClock clock;
    std::string out(1 << 16, '\0');
    std::size_t used = 0;
    archive* writer = archive_write_new();
    archive_write_set_format_ustar(writer);
    archive_write_open_memory(writer, out.data(), out.size(), &used);
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, "values.yaml");
    archive_entry_set_filetype(entry, AE_IFLNK);
    archive_entry_set_symlink(entry, "/etc/passwd");
    archive_write_header(writer, entry);
    archive_entry_free(entry);
    archive_write_close(writer);
    archive_write_free(writer);
    out.resize(used);
    EXPECT_FALSE(read_archived_file(content_of(out), named("values.yaml"), clock));
}

}  // namespace
}  // namespace entrepot
