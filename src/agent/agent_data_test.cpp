#include "agent/agent_data.hpp"

#include "agent/node_credentials.hpp"
#include "core/random.hpp"
#include "tests/support/chunk_files_fixture.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace entrepot {
namespace {

class AgentDataTest : public testing::Test {
protected:
    void SetUp() override
    {
        SystemRandom random;
        ASSERT_TRUE(NodeCredentials::open(data / "node", random));
        ASSERT_TRUE(NodeCredentials::keep(data / "node", "{}"));
        std::ofstream{data / "node" / "node-enrolment.json.new"} << "of one that was killed";
        ASSERT_TRUE(ChunkFolder::open(data / "chunks", disk));
        for (const auto* part : {"index", "partial", "blobs"})
            std::ofstream{data / "chunks" / part / std::string(64, 'a')} << "a blob";
    }

    ChunkTestFolder folder;
    ChunkDisk disk;
    const std::filesystem::path data = folder.path() / "agent";
};

TEST_F(AgentDataTest, goes_with_all_that_is_in_it)
{
    EXPECT_EQ(agent_data_at(data), AgentData::kept);
    EXPECT_TRUE(remove_agent_data(data));
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
    EXPECT_EQ(agent_data_at(data), AgentData::none);
    EXPECT_TRUE(remove_agent_data(data)) << "again";
    std::filesystem::create_directory(data);
    EXPECT_EQ(agent_data_at(data), AgentData::empty);
    EXPECT_TRUE(remove_agent_data(data));
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST_F(AgentDataTest, behind_a_link_goes_with_the_link)
{
    const auto link = folder.path() / "link";
    std::filesystem::create_directory_symlink("agent", link);
    EXPECT_TRUE(remove_agent_data(link));
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST_F(AgentDataTest, stays_while_an_agent_runs)
{
    const auto running = ChunkFolder::open(data / "chunks", disk);
    EXPECT_EQ(remove_agent_data(data).error().code(), Errc::conflict);
    EXPECT_TRUE(std::filesystem::exists(data / "node" / "node-key.pem"));
}

TEST_F(AgentDataTest, of_others_is_left_alone)
{
    std::ofstream{data / "node" / "notes"} << "mine";
    std::ofstream{data / "chunks" / "blobs" / "notes"} << "mine";
    EXPECT_TRUE(remove_agent_data(data));
    EXPECT_TRUE(std::filesystem::exists(data / "node" / "notes"));
    EXPECT_TRUE(std::filesystem::exists(data / "chunks" / "blobs" / "notes"));
    EXPECT_FALSE(std::filesystem::exists(data / "node" / "node-key.pem"));
    EXPECT_EQ(agent_data_at(data).error().code(), Errc::conflict) << "an agent's no more";
    EXPECT_EQ(remove_agent_data(data).error().code(), Errc::conflict);
}

}  // namespace
}  // namespace entrepot
