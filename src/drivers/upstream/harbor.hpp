#pragma once

#include "drivers/upstream/adapter.hpp"

// Harbor's API v2.0, which Entrepôt has too: lists, projects and tags.
namespace entrepot::harbor {

Task<CopySource::Listing> repositories(AdapterCalls site, PageRequest page);
// Creates the project, where it isn't there.
Task<> prepare(AdapterCalls site, RepositoryName repository);
Task<> remove_tag(AdapterCalls site, RepositoryName repository, Tag tag);

}  // namespace entrepot::harbor
