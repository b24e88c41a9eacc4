#pragma once

#include "agent/agent_swarm.hpp"
#include "agent/test_folder.hpp"
#include "agent/test_registry.hpp"
#include "core/run_to_end.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace entrepot {

// Lets other threads get on until `done`. False: in a minute it wasn't.
inline bool comes_true(const std::function<bool()>& done)
{
    const auto until = std::chrono::steady_clock::now() + std::chrono::minutes{1};
    while (!done()) {
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    return true;
}

inline std::uint64_t in_all(std::span<const std::uint64_t> counts)
{
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

// One node: its store, and its part in the swarm.
class TestAgent {
public:
    using Tune = std::function<void(AgentSwarmSettings&)>;

    TestAgent(const TestRegistry& registry, const TestClock& clock, std::string name, Tune tune = {})
        : registry_{registry}, clock_{clock}, name_{std::move(name)}, tune_{std::move(tune)}
    {
        std::ofstream{folder_.path() / "token"} << "token";
        ChunkFilesOptions options;
        options.root = folder_.path() / "chunks";
        options.budget_bytes = 1U << 30U;
        store_ = ChunkFiles::open(options, clock).value();
        start();
    }

    void start()
    {
        AgentSwarmSettings settings;
        settings.registry = registry_.url();
        settings.directory = folder_.path() / "node";
        settings.token_file = folder_.path() / "token";
        settings.name = name_;
        settings.zone = "zone";
        settings.binding = "127.0.0.1";
        settings.first_retry = std::chrono::milliseconds{10};
        settings.longest_retry = std::chrono::milliseconds{50};
        settings.look_interval = std::chrono::milliseconds{10};
        if (tune_) tune_(settings);
        swarm = make_agent_swarm(settings, pool_, clock_, random_).value();
    }
    void stop() { swarm.reset(); }

    AgentImagePtr open(const TestImage& image)
    {
        return AgentImage::open(*store_, pool_, image.descriptor, encode_hash_list(image.hashes)).value();
    }
    // Once the node is known.
    AgentImagePtr bring(TestRegistry& registry, const TestImage& image)
    {
        EXPECT_TRUE(comes_true([&] { return swarm->node().has_value(); }));
        auto here = open(image);
        swarm->bring(here, registry.ticket(*swarm->node(), image), true);
        return here;
    }
    // As by HTTP.
    void fetch(const AgentImagePtr& here, const TestImage& image)
    {
        for (ChunkIndex chunk = 0; chunk < image.descriptor.layout().chunks(); ++chunk)
            EXPECT_TRUE(run_to_end(here->store(chunk, image.chunk(chunk))));
        for (ChunkIndex chunk = 0; chunk < image.descriptor.layout().chunks(); ++chunk) swarm->came(image.id(), chunk);
    }
    // Every file of chunks is something else from now on.
    void damage()
    {
        for (const auto& file : std::filesystem::recursive_directory_iterator{folder_.path() / "chunks"}) {
            if (!file.is_regular_file() || file.file_size() < 100'000) continue;
            std::fstream bytes{file.path(), std::ios::in | std::ios::out | std::ios::binary};
            bytes << std::string(file.file_size(), 'x');
        }
    }
    std::uint64_t bytes_from(TrafficClass from) const
    {
        return swarm->counters().network.data_in[static_cast<std::size_t>(from)];
    }
    std::uint64_t refusals() const { return in_all(swarm->counters().tickets_refused); }

private:
    const TestRegistry& registry_;
    const TestClock& clock_;
    const std::string name_;
    const Tune tune_;
    TestFolder folder_;
    SystemRandom random_;
    asio::thread_pool pool_{2};
    std::unique_ptr<ChunkFiles> store_;

public:
    std::unique_ptr<AgentSwarm> swarm;
};

}  // namespace entrepot
