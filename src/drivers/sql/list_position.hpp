#pragma once

#include "drivers/sql/sql_session.hpp"

#include <cstdint>

namespace entrepot {

// Where a page begins in a list that is in the order of its ids: the `skip`-th entry from id `from` on (upwards), or
// below and including it (downwards). Found by the counts in list_chunks, which are part of every transaction that
// changes the list: exact, and about as far from the start for the last page as for the first.
struct ListPosition {
    std::int64_t from = 0;
    std::int64_t skip = 0;
};
Result<ListPosition>
find_position(SqlSession& session, const char* list, std::int64_t list_id, std::int64_t offset, bool downwards);

}  // namespace entrepot
