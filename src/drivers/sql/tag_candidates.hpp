#pragma once

#include "drivers/sql/sql_session.hpp"
#include "ports/tag_inventory.hpp"

#include <vector>

namespace entrepot {

// The transactions behind TagInventory's pages and removals, to be called inside one; the port says what each answers.

Result<std::vector<RetentionCandidate>> read_tag_candidates(
    SqlSession& session, const TagInventory::Place& place, const std::string& after, std::int64_t limit, Micros now
);
Result<std::vector<RetentionCandidate>> read_untagged_candidates(
    SqlSession& session, const TagInventory::Place& place, std::int64_t after, std::int64_t limit, Micros now
);
Result<TagInventory::Removed> remove_candidates(
    SqlSession& session, const RepositoryName& name, const std::vector<RetentionCandidate>& doomed, const Actor& actor
);

}  // namespace entrepot
