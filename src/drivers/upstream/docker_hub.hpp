#pragma once

#include "drivers/upstream/adapter.hpp"

// Docker Hub: official images below "library/", and lists by hub.docker.com's API.
namespace entrepot::docker_hub {

// registry-1.docker.io for any of Docker Hub's names; others stay as they are.
HttpUrl registry_url(HttpUrl entered);
std::string remote_name(const RepositoryName& repository);
// Those of all namespaces that the account belongs to. unsupported without an account.
Task<CopySource::Listing> repositories(AdapterCalls site, PageRequest page);

}  // namespace entrepot::docker_hub
