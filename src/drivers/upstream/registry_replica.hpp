#pragma once

#include "core/clock.hpp"
#include "drivers/upstream/registry_site.hpp"
#include "ports/blob_replica.hpp"

#include <memory>
#include <mutex>
#include <string>

namespace entrepot {

struct RegistryReplicaOptions {
    std::string url;              // http(s)://host[:port], without a path
    std::string user{};           // empty: nobody in particular
    std::string password_file{};  // read again for each blob, so that it can be changed
    std::string ca_file{};        // PEM, besides the system's
};

// Another registry as the source of blobs that were lost here. It is where the operator says, so no rules for addresses
// apply. Safe from any thread; goes before the loops it is used on.
class RegistryReplica final : public BlobReplica {
public:
    static Result<std::unique_ptr<RegistryReplica>> create(RegistryReplicaOptions options);  // bad_request

    Task<std::unique_ptr<ByteSource>> open(RepositoryName repository, Digest digest) override;

private:
    RegistryReplica(RegistryEndpoint endpoint, std::string password_file, std::shared_ptr<RegistrySite> site)
        : endpoint_{std::move(endpoint)}, password_file_{std::move(password_file)}, site_{std::move(site)}
    {
    }

    Result<std::shared_ptr<RegistrySite>> current_site();

    const SystemClock clock_{};
    std::mutex mutex_;
    RegistryEndpoint endpoint_;  // with the password that site_ knows
    const std::string password_file_;
    std::shared_ptr<RegistrySite> site_;
};

}  // namespace entrepot
