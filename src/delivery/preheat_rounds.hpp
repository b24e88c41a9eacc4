#pragma once

#include "delivery/pull_tokens.hpp"
#include "delivery/swarm_node_watch.hpp"
#include "ports/manifest_catalog.hpp"
#include "ports/preheat_catalog.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace entrepot {

// How the preheats that this instance carries out get on.
struct PreheatReport {
    std::uint64_t running = 0;  // preheats, of all instances
    std::uint64_t told = 0;     // nodes, since the start
    std::uint64_t done = 0;     // nodes that have an image because of it
    std::uint64_t failed = 0;   // nodes that said that they can't have it
};

// Carries preheats out with the nodes whose streams come to this instance; others do with theirs. run() comes round
// each second: what nodes said is written, all together, and those that have to be told are. All of its memory is soft:
// after a restart nodes come again and are told again. run() is one at a time; all else is safe from any thread.
class PreheatRounds final : public SwarmNodeWatch {
public:
    using Duration = std::chrono::steady_clock::duration;
    struct Needs {
        PreheatCatalog& catalog;
        ManifestCatalog& manifests;
        PullTokens& tokens;
        const Clock& clock;
        // To the node of that stream, if it is still there.
        std::function<void(ControlId stream, PreheatFrame frame)> send;
    };
    struct Options {
        Duration between_checks = std::chrono::seconds{5};  // whether the image is there, and may be pulled
        Duration tell_again = std::chrono::minutes{4};      // with a newer token, while the older one still holds
        Micros keep_ended = 30LL * 24 * 3600 * 1'000'000;   // then they are forgotten
        Duration between_removals = std::chrono::hours{1};
    };
    explicit PreheatRounds(Needs needs);
    PreheatRounds(Needs needs, Options options);

    // unavailable, storage_full: what wasn't written is written with the next one.
    Task<> run();
    PreheatReport report() const;

    void came(ControlId stream, const NodeIdentity& node) override;
    void left(ControlId stream) override;
    void heard(const NodeId& node, const PreheatProgressFrame& progress) override;

private:
    using Time = std::chrono::steady_clock::time_point;
    struct Connected {
        std::string id;  // as the catalog has it
        std::string name;
        std::string zone;
    };
    using Nodes = std::map<ControlId, Connected>;
    using News = std::map<std::pair<std::int64_t, std::string>, PreheatNews>;
    struct Known {
        PreheatEntry entry{};
        std::string seed{};
        std::map<std::string, NodePreheat> states{};  // of all of its nodes, by id
        std::map<ControlId, Time> told{};
        std::string token{};
        std::optional<Time> checked{};
    };

    Task<> write_news();
    Task<> look(PreheatEntry entry, const Nodes& nodes);
    Task<> check(Known& known);
    Task<> end(Known& known, PreheatStage stage, std::string message);
    Task<> add_late(Known& known, const Nodes& nodes);
    void tell(Known& known, const Nodes& nodes);
    void stop(const Known& known);
    PreheatFrame frame_of(const Known& known) const;

    const Needs needs_;
    const Options options_;
    std::map<std::int64_t, Known> known_;  // of run() alone, as what follows
    std::optional<Time> removed_;

    mutable std::mutex mutex_;  // of all below
    Nodes nodes_;
    std::set<std::int64_t> running_;
    News news_;
    PreheatReport report_;
};

}  // namespace entrepot
