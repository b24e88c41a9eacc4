#pragma once

#include "core/flights.hpp"
#include "exchange/proxy/upstream_desk.hpp"
#include "ports/manifest_catalog.hpp"

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace entrepot {

// What upstreams list: tags as they said seconds ago, referrers as they said a while ago. Keeps the tags of 1,000
// repositories (100,000 each) and the referrers of 1,000 subjects, then begins anew. Safe from any loop.
class ProxyLists {
public:
    ProxyLists(UpstreamDesk& desk, const Clock& clock, asio::io_context& loop)
        : desk_{desk}, clock_{clock}, tags_{loop}, referrers_{loop}
    {
    }

    // In order. nullopt: the upstream has nothing to say within two seconds. name_unknown.
    Task<std::optional<NamePagePtr>> tags(OpenProxyPtr proxy, RepositoryName repository, PageRequest page);
    // All of them, in digest order; older than they should be where the upstream doesn't answer.
    using List = std::shared_ptr<const std::vector<Referrer>>;
    Task<std::optional<List>> referrers(OpenProxyPtr proxy, RepositoryName repository, Digest subject);

    asio::awaitable<void> drain();

private:
    struct Known {
        List list;
        Micros read_at = 0;
    };
    using Names = std::shared_ptr<const std::vector<std::string>>;
    struct KnownTags {
        Names names;
        std::chrono::steady_clock::time_point read_at;
    };
    Task<Names> read_tags(OpenProxyPtr proxy, RepositoryName upstream, std::string key);
    Task<List> read_referrers(OpenProxyPtr proxy, RepositoryName upstream, Digest subject, std::string key);

    UpstreamDesk& desk_;
    const Clock& clock_;
    std::mutex mutex_;
    std::unordered_map<std::string, Known> known_;
    std::unordered_map<std::string, KnownTags> known_tags_;
    Flights<Names> tags_;
    Flights<List> referrers_;
};

}  // namespace entrepot
