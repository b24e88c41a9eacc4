#pragma once

#include "agent/agent_counters.hpp"
#include "agent/image_carrier.hpp"
#include "agent/passed_manifests.hpp"
#include "agent/pull_grants.hpp"
#include "agent/registry_blob.hpp"
#include "core/bell.hpp"
#include "core/task_group.hpp"

#include <boost/asio/thread_pool.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace entrepot {

// From the request for a blob to the image that it is of, open on this node, once the registry has confirmed that this
// puller may have it. What many ask for at once is asked of the registry once for each puller. Safe from any thread.
class ImageDesk {
public:
    struct Needs {
        RegistryClient& registry;
        ChunkFiles& store;
        asio::thread_pool& pool;
        PullGrants& grants;
        PassedManifests& manifests;
        ImageCarrier* carrier = nullptr;  // may be null
        AgentCounters& counters;
        TaskGroup& tasks;
    };
    struct Options {
        // How long a puller waits for what the registry says of the image; it goes on beside him.
        std::chrono::milliseconds patience{5'000};
        // What was no image, or could not be kept, is asked about again after this.
        std::chrono::milliseconds refused_for{60'000};
        std::chrono::milliseconds failed_for{5'000};
    };

    ImageDesk(Needs needs, Options options) : needs_{needs}, options_{options} {}

    // null: the blob is to come straight from the registry, which judges the puller itself.
    asio::awaitable<ServedImagePtr> find(PulledBlob blob);
    // What a grant of this puller gives, without asking anybody.
    ServedImagePtr known(const PulledBlob& blob) const;
    // An image that nobody on this node asks for, by a right that is nobody's here: open, and on its way by the carrier
    // behind what runtimes wait for. No grant comes of it. unauthorized, denied, not_found, unavailable: what the
    // registry says; storage_full: the node has no room for it; corrupt.
    Task<ServedImagePtr> open_ahead(RepositoryName repository, Sha256 manifest, Puller right);
    // Asks again where the grant is over, so that the carrier has a newer ticket. Returns at once.
    void renew(const asio::any_io_executor& where, PulledBlob blob);

private:
    struct Flight {
        Bell bell;
        std::mutex mutex;
        std::optional<ServedImagePtr> outcome;
    };
    using FlightPtr = std::shared_ptr<Flight>;
    // What the registry was asked for, and what came of it.
    struct Asked {
        ServedImagePtr image;                  // null: none
        std::chrono::milliseconds not_for{0};  // it isn't asked again
    };

    asio::awaitable<void> fly(FlightPtr flight, std::string name, PulledBlob blob, std::optional<Sha256> manifest);
    asio::awaitable<Asked> ask_for_image(PulledBlob blob, Sha256 manifest);
    asio::awaitable<Asked> ask_for_blob(PulledBlob blob);
    asio::awaitable<Asked> opened(BundleAnswer answer, Sha256 manifest);
    Task<ServedImagePtr> open(ImageDescriptor descriptor, std::string hashes, bool in_swarm);
    ServedImagePtr open_already(const SwarmId& swarm);
    ServedImagePtr open_of(const Sha256& manifest);
    bool is_refused(const std::string& name);
    void refuse(const std::string& name, std::chrono::milliseconds time);
    void note_unkept(const Error& error);

    const Needs needs_;
    const Options options_;
    std::mutex mutex_;
    std::map<std::string, FlightPtr> flights_;
    std::map<std::string, std::chrono::steady_clock::time_point> refused_;  // until when
    std::map<SwarmId, std::weak_ptr<ServedImage>> images_;
};

}  // namespace entrepot
