#pragma once

#include "client/http_client.hpp"
#include "ports/blob_replica.hpp"

#include <memory>
#include <string>

namespace entrepot {

struct RegistryReplicaOptions {
    std::string url;              // http(s)://host[:port], without a path
    std::string user{};           // empty: nobody in particular
    std::string password_file{};  // read at each log-in, so that it can be changed
    std::string ca_file{};        // PEM; empty: the system's
};

// Another registry by the distribution API: GET /v2/<repository>/blobs/<digest>, logged in as that registry asks for,
// with a token or with the password itself. It is where the operator says, so no rules for addresses apply. Safe from
// any thread; goes before the loops it is used on.
class RegistryReplica final : public BlobReplica {
public:
    static Result<std::unique_ptr<RegistryReplica>> create(RegistryReplicaOptions options);  // bad_request

    Task<std::unique_ptr<ByteSource>> open(RepositoryName repository, Digest digest) override;

private:
    RegistryReplica(HttpClient client, RegistryReplicaOptions options)
        : client_{std::move(client)}, options_{std::move(options)}
    {
    }

    Task<ClientStream> get(std::string url, std::string authorization);
    Task<std::string> log_in(std::string challenge, std::string repository);
    Result<std::string> basic() const;

    HttpClient client_;
    const RegistryReplicaOptions options_;
};

// "Bearer realm=\"https://…\",service=\"…\"" taken apart (RFC 9110 section 11.6.1), as far as registries use it.
struct LoginChallenge {
    std::string scheme;  // lower-case
    std::string realm;
    std::string service;
};
LoginChallenge parse_login_challenge(std::string_view text);

}  // namespace entrepot
