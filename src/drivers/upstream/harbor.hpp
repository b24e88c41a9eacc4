#pragma once

#include "drivers/upstream/adapter.hpp"

#include <string_view>

// Harbor's API v2.0, which Entrepôt has too: lists, projects and tags.
namespace entrepot::harbor {

// A request to it: "/projects"; reads and writes have lanes of their own.
RegistryCall api_call(const RegistryCalls& calls, std::string_view method, std::string_view rest);

Task<CopySource::Listing> repositories(AdapterCalls site, PageRequest page);
// Creates the project, where it isn't there.
Task<> prepare(AdapterCalls site, RepositoryName repository);
Task<> remove_tag(AdapterCalls site, RepositoryName repository, Tag tag);

}  // namespace entrepot::harbor
