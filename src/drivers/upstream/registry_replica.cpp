#include "drivers/upstream/registry_replica.hpp"

#include <fstream>
#include <iterator>
#include <utility>

namespace entrepot {

Result<std::unique_ptr<RegistryReplica>> RegistryReplica::create(RegistryReplicaOptions options)
{
    TRY(const auto url, parse_http_url(options.url));
    if (url.target != "/") return fail(Errc::bad_request, "the address of the replica must have no path");
    RegistryEndpoint endpoint;
    endpoint.type = "docker-registry";
    endpoint.url = std::move(options.url);
    endpoint.access_key = std::move(options.user);
    if (!options.ca_file.empty()) {
        std::ifstream file{options.ca_file};
        endpoint.ca_certificate.assign(std::istreambuf_iterator<char>{file}, {});
        if (endpoint.ca_certificate.empty()) return fail(Errc::bad_request, options.ca_file + " holds no certificates");
    }
    std::unique_ptr<RegistryReplica> replica{
        new RegistryReplica{std::move(endpoint), std::move(options.password_file), nullptr}
    };
    TRY(replica->site_, RegistrySite::create({.endpoint = replica->endpoint_}, replica->clock_));
    return replica;
}

Task<std::unique_ptr<ByteSource>> RegistryReplica::open(RepositoryName repository, Digest digest)
{
    CO_TRY(const auto site, current_site());
    CO_TRY(auto stream, co_await site->blob(std::move(repository), std::move(digest), 0));
    co_return std::move(stream.body);
}

Result<std::shared_ptr<RegistrySite>> RegistryReplica::current_site()
{
    const std::lock_guard lock{mutex_};
    if (endpoint_.access_key.empty()) return site_;
    std::string password;
    std::ifstream file{password_file_};
    if (!std::getline(file, password))
        return fail(Errc::unavailable, "the password for the replica can't be read", password_file_);
    if (password.ends_with('\r')) password.pop_back();
    if (password != endpoint_.access_secret) {
        auto endpoint = endpoint_;
        endpoint.access_secret = std::move(password);
        TRY(site_, RegistrySite::create({.endpoint = endpoint}, clock_));
        endpoint_ = std::move(endpoint);
    }
    return site_;
}

}  // namespace entrepot
