#pragma once

#include "api/token/master_key_box.hpp"
#include "api/token/node_pull_tokens.hpp"
#include "app/background.hpp"
#include "app/config.hpp"
#include "core/metrics.hpp"
#include "delivery/image_preparing.hpp"
#include "delivery/preheat_desk.hpp"
#include "delivery/preheat_rounds.hpp"
#include "delivery/swarm_instances.hpp"
#include "delivery/swarm_limits_desk.hpp"
#include "delivery/swarm_service.hpp"
#include "ports/audit_trail.hpp"
#include "ports/metadata_store.hpp"

#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <memory>
#include <string_view>
#include <vector>

namespace entrepot {

// Images to every node: who belongs to the swarm, what nodes are told of images, and this instance's tracker and seed
// where it is switched on.
class SwarmParts {
public:
    struct Needs {
        const Config& config;
        MetadataStore& store;
        BlobReader& blobs;
        AuditTrail& trail;
        const AccessPolicy& policy;
        const MasterKey& master_key;
        const Clock& clock;
        Random& random;
        KeyRing& keys;
        const TokenSettings& token_settings;
        std::function<void()> hurry_preheats;  // has the chore `preheating` run soon
    };
    // Listens, where it is switched on. Throws std::runtime_error.
    explicit SwarmParts(const Needs& needs);
    ~SwarmParts();

    NodeDesk& nodes() noexcept { return *nodes_; }
    SwarmLimitsDesk& limits() noexcept { return limits_; }
    PreheatDesk& preheats() noexcept { return *preheats_; }
    ImageBundles& bundles() noexcept { return *bundles_; }
    SwarmTickets& tickets() noexcept { return *tickets_; }
    const SwarmSecrets& secrets() const noexcept { return *secrets_; }
    // Null where it is switched off.
    SwarmService* service() noexcept { return service_.get(); }
    std::vector<Background::Chore> chores();
    void add_metrics(MetricsText& text) const;
    // Before the metadata store stops. Blocks.
    void stop();

    // The chore that is to be hurried when something has happened.
    static constexpr std::string_view following = "swarm";
    static constexpr std::string_view preheating = "preheats";
    static constexpr std::string_view preparing = "images for nodes";

private:
    void meet_others();
    Task<> follow();
    Task<> follow_limits();
    Task<> forget();

    Needs needs_;
    MasterKeyBox box_;
    asio::thread_pool hashing_{1};
    asio::thread_pool reading_{2};
    std::atomic<std::uint64_t> epoch_{0};  // of the revocations that are known here
    std::shared_ptr<const SwarmSecrets> secrets_;
    std::unique_ptr<NodeDesk> nodes_;
    SwarmLimitsDesk limits_;
    std::unique_ptr<ImageBundles> bundles_;
    std::unique_ptr<ImagePreparing> preparing_;  // null where it is switched off
    std::unique_ptr<SwarmTickets> tickets_;
    NodePullTokens pull_tokens_;
    std::unique_ptr<PreheatDesk> preheats_;
    std::unique_ptr<PreheatRounds> rounds_;  // null where it is switched off
    std::unique_ptr<SwarmService> service_;
    std::unique_ptr<SwarmInstances> instances_;  // null where this one tracks alone
    std::int64_t followed_ = -1;                 // the last event that was looked at; -1: none yet
    bool limits_changed_ = true;                 // since the service was told
};

}  // namespace entrepot
