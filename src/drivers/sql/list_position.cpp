#include "drivers/sql/list_position.hpp"

#include "drivers/sql/artifact_rows.hpp"

#include <limits>
#include <string_view>

namespace entrepot {

namespace {

constexpr SqlStatement chunks_down{
    "SELECT chunk, entries FROM list_chunks WHERE list = $1 AND id = $2 ORDER BY chunk DESC"
};
constexpr SqlStatement chunks_up{"SELECT chunk, entries FROM list_chunks WHERE list = $1 AND id = $2 ORDER BY chunk"};

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
