#pragma once

#include "core/error.hpp"
#include "ports/replication_policy.hpp"

#include <string>
#include <vector>

namespace entrepot {

// Filters and lists of words as their columns keep them. corrupt.
std::string filters_text(const std::vector<ReplicationFilter>& filters);
Result<std::vector<ReplicationFilter>> filters_in(const std::string& text);
std::string list_text(const std::vector<std::string>& words);
Result<std::vector<std::string>> list_in(const std::string& text);

}  // namespace entrepot
