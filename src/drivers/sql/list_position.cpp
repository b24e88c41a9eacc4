#include "drivers/sql/list_position.hpp"

#include "drivers/sql/artifact_rows.hpp"

#include <limits>
#include <string_view>

namespace entrepot {

namespace {

// With what rivals have left to be added up (project_budget.hpp).
#define CHUNKS                                                                      \
    "SELECT x.chunk, CAST(SUM(x.entries) AS BIGINT) FROM ("                         \
    "SELECT chunk, entries FROM list_chunks WHERE list = $1 AND id = $2 UNION ALL " \
    "SELECT chunk, artifacts FROM project_deltas WHERE $1 = 'project' AND project_id = $2) x GROUP BY x.chunk "

constexpr SqlStatement chunks_down{CHUNKS "ORDER BY x.chunk DESC"};
constexpr SqlStatement chunks_up{CHUNKS "ORDER BY x.chunk"};

// Walking this far costs less than looking the counts up.
constexpr std::int64_t short_walk = 1024;

}  // namespace

Result<ListPosition>
find_position(SqlSession& session, const char* list, std::int64_t list_id, std::int64_t offset, bool downwards)
{
    constexpr auto last = std::numeric_limits<std::int64_t>::max();
    if (offset <= short_walk) return ListPosition{downwards ? last : 0, offset};
    TRY(const auto rows, session.run(downwards ? chunks_down : chunks_up, {std::string_view{list}, list_id}));
    auto left = offset;
    for (const SqlRow& row : rows) {
        const auto entries = row.integer(1);
        if (left < entries) {
            const auto first = row.integer(0) * ids_in_chunk;
            return ListPosition{downwards ? first + ids_in_chunk - 1 : first, left};
        }
        left -= entries;
    }
    return ListPosition{downwards ? 0 : last, 0};
}

}  // namespace entrepot
