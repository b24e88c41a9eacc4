#include "drivers/sql/sql_chunks.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

namespace entrepot {

namespace {

// What an image usually has of blobs, at most; the places of those that it doesn't have are given twice.
constexpr std::size_t roots_at_once = 32;
// A blob that isn't live is in no repository or has no bytes. Its list stays: bytes of this digest have no other.
constexpr SqlStatement select_roots{
    "SELECT b.digest, b.size, c.root FROM blobs b JOIN chunk_roots c ON c.blob_id = b.id WHERE b.state = 0 AND "
    "b.digest IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, "
    "$17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32)"
};
constexpr SqlStatement find_hashes{"SELECT h.hashes FROM blobs b JOIN chunk_hashes h ON h.blob_id = b.id "
                                   "WHERE b.digest = $1 AND b.state = 0"};
constexpr SqlStatement lock_blob{"SELECT id, size FROM blobs WHERE digest = $1 AND state = 0", "FOR KEY SHARE"};
constexpr SqlStatement insert_root{
    "INSERT INTO chunk_roots (blob_id, root) VALUES ($1, $2) ON CONFLICT (blob_id) DO NOTHING RETURNING blob_id"
};
constexpr SqlStatement insert_hashes{"INSERT INTO chunk_hashes (blob_id, hashes) VALUES ($1, $2)"};

// 1 to roots_at_once of them.
Result<> add_roots(SqlSession& session, std::span<const Digest> blobs, std::vector<ChunkRoot>& roots)
{
    std::array<SqlParameter, roots_at_once> digests;
    for (std::size_t i = 0; i < digests.size(); ++i) {
        digests[i] = std::string_view{blobs[std::min(i, blobs.size() - 1)].text()};
    }
    TRY(auto rows, session.run_with(select_roots, digests));
    for (SqlRow& row : rows) {
        TRY(auto digest, Digest::parse(row.text(0)));
        roots.push_back({std::move(digest), static_cast<std::uint64_t>(row.integer(1)), row.take_text(2)});
    }
    return {};
}

Result<std::vector<ChunkRoot>> find_roots(SqlSession& session, std::span<const Digest> blobs)
{
    std::vector<ChunkRoot> roots;
    while (!blobs.empty()) {
        const auto some = blobs.first(std::min(blobs.size(), roots_at_once));
        CHECK(add_roots(session, some, roots));
        blobs = blobs.subspan(some.size());
    }
    return roots;
}

std::unexpected<Error> no_such_blob(const Digest& digest)
{
    return fail(Errc::blob_unknown, "the hashes of blob " + digest.text() + " are not known");
}

Result<> insert(SqlSession& session, const ChunkList& list)
{
    TRY(const auto blob, session.run(lock_blob, {list.of.blob.text()}));
    if (blob.empty()) return fail(Errc::blob_unknown, "blob " + list.of.blob.text() + " is not known");
    if (std::cmp_not_equal(blob.front().integer(1), list.of.size)) {
        return fail(
            Errc::corrupt,
            "blob " + list.of.blob.text() + " has another size than what was hashed",
            std::to_string(blob.front().integer(1)) + " and " + std::to_string(list.of.size)
        );
    }
    const auto id = blob.front().integer(0);
    TRY(const auto inserted, session.run(insert_root, {id, SqlBytes{list.of.root}}));
    if (!inserted.empty()) CHECK(session.run(insert_hashes, {id, SqlBytes{list.hashes}}));
    return {};
}

}  // namespace

Task<std::vector<ChunkRoot>> SqlChunks::roots(std::vector<Digest> blobs)
{
    std::ranges::sort(blobs);
    const auto repeated = std::ranges::unique(blobs);
    blobs.erase(repeated.begin(), repeated.end());
    const auto work = [blobs = std::move(blobs)](SqlSession& session) { return find_roots(session, blobs); };
    co_return co_await engine_.read(work);
}

Task<std::string> SqlChunks::hashes(Digest blob)
{
    const auto work = [blob = std::move(blob)](SqlSession& session) -> Result<std::string> {
        TRY(auto rows, session.run(find_hashes, {blob.text()}));
        if (rows.empty()) return no_such_blob(blob);
        return rows.front().take_text(0);
    };
    co_return co_await engine_.read(work);
}

// They can be made again.
Task<> SqlChunks::store(ChunkList list)
{
    const auto shared = std::make_shared<const ChunkList>(std::move(list));
    const auto work = [shared](SqlSession& session) { return insert(session, *shared); };
    co_return co_await engine_.write(Durability::process, work);
}

}  // namespace entrepot
