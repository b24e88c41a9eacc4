#pragma once

#include "agent/agent_counters.hpp"
#include "agent/bundle_answer.hpp"
#include "agent/puller.hpp"
#include "client/http_client.hpp"
#include "http/byte_range.hpp"
#include "oci/digest.hpp"
#include "oci/names.hpp"
#include "swarm/wire/wire_values.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace entrepot {

struct RegistryClientOptions {
    std::string url;                                     // of the registry, without a path
    std::string ca_file{};                               // PEM; empty: the system's authorities
    bool insecure = false;                               // takes any certificate
    std::chrono::milliseconds head_patience{30'000};     // until the head of an answer is there
    std::chrono::milliseconds idle_patience{10'000};     // between two pieces of a body
    std::chrono::milliseconds bundle_patience{120'000};  // all of a bundle: the registry may hash the image first
};

// What a client of the agent asks of the registry.
struct RegistryRequest {
    bool head = false;
    std::string target;  // path and query
    std::optional<std::string> authorization{};
    std::string accept{};  // empty, as the two below: not sent
    std::string if_none_match{};
    std::string range{};
};

// The registry, asked with the credentials of those who pull. Safe from any thread; must go before the loops that it is
// used on. Errors as HttpClient has them.
class RegistryClient {
public:
    static Result<std::unique_ptr<RegistryClient>> create(RegistryClientOptions options, AgentCounters& counters);

    // host[:port], as clients name it.
    const std::string& authority() const noexcept { return authority_; }

    // Any status is an answer.
    Task<ClientStream> open(RegistryRequest request);
    // `known`: the swarm that is here already, to be told 304 where it is still the image's. bad_request: the answer is
    // no bundle.
    Task<BundleAnswer> bundle(
        RepositoryName repository,
        Digest manifest,
        Puller puller,
        std::optional<std::string> node,
        std::optional<SwarmId> known
    );
    // Whether it answered when it was asked last; nullopt: nobody has asked yet.
    std::optional<bool> reachable() const noexcept;

    static std::string blob_target(const RepositoryName& repository, const Digest& digest);
    static std::string range_text(const ByteRange& range);

private:
    RegistryClient(
        std::string origin, std::string authority, HttpClient asking, HttpClient bundles, AgentCounters& counters
    )
        : origin_{std::move(origin)},
          authority_{std::move(authority)},
          asking_{std::move(asking)},
          bundles_{std::move(bundles)},
          counters_{counters}
    {
    }
    void settled(bool answered) noexcept;

    const std::string origin_;
    const std::string authority_;
    HttpClient asking_;
    HttpClient bundles_;
    AgentCounters& counters_;
    std::atomic<int> reachable_{-1};
};

}  // namespace entrepot
