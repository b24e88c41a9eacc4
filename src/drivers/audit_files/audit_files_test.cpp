#include "drivers/audit_files/audit_files.hpp"

#include "drivers/audit_files/audit_file_sink.hpp"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <sys/stat.h>

namespace entrepot {
namespace {

class Files : public testing::Test {
protected:
    Files()
    {
        std::string pattern = (std::filesystem::temp_directory_path() / "entrepot-audit-XXXXXX").string();
        root = ::mkdtemp(pattern.data());
    }
    ~Files() override { std::filesystem::remove_all(root); }
    std::uint64_t blocks(const char* name)
    {
        struct stat status{};
        EXPECT_EQ(::stat((root / "one" / name).c_str(), &status), 0);
        return static_cast<std::uint64_t>(status.st_blocks) * 512;
    }

    std::filesystem::path root;
};

TEST_F(Files, what_was_appended_is_read_and_listed)
{
    AuditFileWriter writer{root, "one"};
    AuditFiles files{root};
    ASSERT_TRUE(writer.begin(1));
    ASSERT_TRUE(writer.append("hello "));
    ASSERT_TRUE(writer.append("world"));
    ASSERT_TRUE(writer.begin(2));
    ASSERT_TRUE(writer.append("more"));
    EXPECT_EQ(*files.instances(), std::vector<std::string>{"one"});
    const auto list = files.segments("one");
    ASSERT_EQ(list->size(), 2U);
    EXPECT_EQ((*list)[0].bytes, 11U);
    EXPECT_EQ(*files.read("one", 1, 6, 100), "world");
    EXPECT_EQ(*files.read("one", 1, 100, 100), "");
    EXPECT_EQ(files.read("one", 3, 0, 1).error().code(), Errc::not_found);
    ASSERT_TRUE(writer.remove(1));
    EXPECT_EQ(files.segments("one")->size(), 1U);
}

TEST_F(Files, room_is_reserved_behind_the_end_and_given_back)
{
    {
        AuditFileWriter writer{root, "one"};
        ASSERT_TRUE(writer.begin(1));
        ASSERT_TRUE(writer.append("x"));
        ASSERT_TRUE(writer.make_room(3 << 20));
        EXPECT_GE(writer.room(), std::uint64_t{3} << 20U);
        EXPECT_GE(blocks("00000001.jsonl"), std::uint64_t{3} << 20U);
        EXPECT_EQ(std::filesystem::file_size(root / "one" / "00000001.jsonl"), 1U);
    }
    EXPECT_LT(blocks("00000001.jsonl"), std::uint64_t{1} << 20U);
}

TEST_F(Files, resuming_cuts_off_what_lies_behind_the_end)
{
    {
        AuditFileWriter writer{root, "one"};
        ASSERT_TRUE(writer.begin(1));
        ASSERT_TRUE(writer.append("kept and torn"));
    }
    AuditFileWriter writer{root, "one"};
    ASSERT_TRUE(writer.resume(1, 4));
    ASSERT_TRUE(writer.append(" again"));
    AuditFiles files{root};
    EXPECT_EQ(*files.read("one", 1, 0, 100), "kept again");
}

TEST_F(Files, a_chain_has_one_writer)
{
    const AuditFileWriter writer{root, "one"};
    EXPECT_THROW((AuditFileWriter{root, "one"}), std::runtime_error);
    EXPECT_NO_THROW((AuditFileWriter{root, "two"}));
}

TEST_F(Files, cursors_are_replaced_whole)
{
    AuditFileWriter writer{root, "one"};
    EXPECT_EQ(*writer.load("forward-x"), "");
    ASSERT_TRUE(writer.save("forward-x", "1 2 3\n"));
    ASSERT_TRUE(writer.save("forward-x", "4 5 6\n"));
    EXPECT_EQ(*writer.load("forward-x"), "4 5 6\n");
}

TEST_F(Files, the_file_sink_follows_a_renamed_file)
{
    AuditFileSink sink{root / "copy"};
    const AuditMessage message{.at = 1, .operation = "create", .ok = true, .json = "{}"};
    ASSERT_TRUE(sink.send(std::array{message, message}));
    std::filesystem::rename(root / "copy", root / "copy.1");
    ASSERT_TRUE(sink.send(std::array{message}));
    EXPECT_EQ(std::filesystem::file_size(root / "copy.1"), 6U);
    EXPECT_EQ(std::filesystem::file_size(root / "copy"), 3U);
}

}  // namespace
}  // namespace entrepot
