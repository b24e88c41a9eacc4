#include "agent/agent_config.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

std::string complaint(const std::string& yaml, const std::vector<AgentSetting>& settings = {})
{
    const auto config = parse_agent_config(yaml, "agent.yaml", settings);
    return config ? "" : config.error().message();
}

TEST(AgentConfigs, are_read_from_the_file_and_then_from_the_command_line)
{
    const auto config = parse_agent_config(
        "registry: https://registry.test\nserves: [registry, Mirror.test:443]\nlisten: 127.0.0.1:6000\n"
        "peer_listen: '[::]:7500'\nbudget: 5GiB\nrate_up: 80\npolite: true\nzone: fra1\npatience: 2s\n",
        "agent.yaml",
        {{"listen", "localhost:6001"}, {"rate_down", "8"}, {"serves", "third"}, {"metrics_listen", ":9100"}}
    );
    ASSERT_TRUE(config) << config.error().message();
    EXPECT_EQ(config->registry, "https://registry.test");
    EXPECT_EQ(config->serves, (std::vector<std::string>{"registry", "mirror.test:443", "third"}));
    EXPECT_EQ(config->listen.address, "127.0.0.1");
    EXPECT_EQ(config->listen.port, 6001);
    EXPECT_EQ(config->peer_listen.address, "::");
    EXPECT_EQ(config->metrics_listen->address, "0.0.0.0");
    EXPECT_EQ(config->budget, 5ULL << 30U);
    EXPECT_EQ(config->rate_up, 10'000'000U);
    EXPECT_TRUE(config->polite);
    EXPECT_EQ(config->rate_down, 1'000'000U);
    EXPECT_EQ(config->patience, std::chrono::seconds{2});
    EXPECT_FALSE(config->node.empty()) << "the machine's name";
}

TEST(AgentConfigs, tell_what_is_wrong_and_where)
{
    EXPECT_TRUE(complaint("").starts_with("registry: must be set"));
    EXPECT_EQ(complaint("registry: https://r\nlistn: x\n"), "agent.yaml:2: listn: there is no such key");
    EXPECT_EQ(complaint("registry: https://r\nregistry: https://r\n"), "agent.yaml:2: registry: is set twice");
    EXPECT_TRUE(complaint("registry: ftp://r\n").starts_with("agent.yaml:1: registry: 'ftp://r' is not"));
    EXPECT_TRUE(complaint("registry: https://r/v2\n").starts_with("agent.yaml:1: registry:"));
    EXPECT_TRUE(complaint("- a\n").contains("must be a map"));
    EXPECT_TRUE(complaint("a: [\n").contains("is not valid YAML"));
    EXPECT_TRUE(complaint("registry: [a, b]\n").contains("must be a single value"));
    EXPECT_TRUE(complaint("a: 1\n---\nb: 2\n").contains("second document"));
    for (const auto* endpoint : {"5100", "host:1", "1.2.3.4:70000", "::1:80", "[::1]", "1.2.3.4:"})
        EXPECT_TRUE(complaint("", {{"metrics_listen", endpoint}}).starts_with("--metrics-listen: ")) << endpoint;
    for (const auto* size : {"5", "GiB", "1.5GiB", "99999999999TiB"})
        EXPECT_TRUE(complaint("", {{"budget", size}}).starts_with("--budget: ")) << size;
    EXPECT_TRUE(complaint("", {{"node", "a b"}}).starts_with("--node: "));
    EXPECT_TRUE(complaint("", {{"rate_up", "fast"}}).starts_with("--rate-up: "));
    EXPECT_TRUE(complaint("", {{"polite", "perhaps"}}).starts_with("--polite: "));
}

}  // namespace
}  // namespace entrepot
