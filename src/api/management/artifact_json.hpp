#pragma once

#include "ports/artifact_catalog.hpp"
#include "ports/repository_catalog.hpp"

#include <string>
#include <vector>

namespace entrepot {

// Repositories, artifacts, tags and accessories as Harbor's API v2.0 shows them. Pages are written straight into one
// text, without a tree of values in between: what an artifact's row keeps ready is copied.
std::string to_json(const RepositoryRecord& repository);
std::string to_json(const ListedArtifact& artifact);
std::string to_json(const std::vector<RepositoryRecord>& repositories);
std::string to_json(const std::vector<ListedArtifact>& artifacts);
std::string to_json(const std::vector<TagRecord>& tags);
std::string to_json(const std::vector<AccessoryRecord>& accessories);

}  // namespace entrepot
