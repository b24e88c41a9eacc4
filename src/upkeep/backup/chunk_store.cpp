#include "upkeep/backup/chunk_store.hpp"

#include "oci/digest.hpp"
#include "upkeep/backup/compressed.hpp"

#include <algorithm>

namespace entrepot {
namespace {

constexpr std::size_t longest_object = 80U << 20U;  // a chunk that did not get smaller

constexpr std::int64_t live_state = 0;
constexpr std::int64_t condemned_state = 2;

std::unexpected<Error> damaged(const std::string& hash, const std::string& why)
{
    return fail(Errc::corrupt, "the chunk " + hash + " is damaged", why);
}

Result<std::string> read_whole(ByteReader& reader)
{
    if (reader.size() > longest_object) return fail(Errc::corrupt, "the object is too large");
    std::string bytes(reader.size(), '\0');
    std::size_t at = 0;
    while (at < bytes.size()) {
        TRY(const auto count, reader.read(std::as_writable_bytes(std::span{bytes}.subspan(at))));
        if (count == 0) return fail(Errc::corrupt, "the object ends too early");
        at += count;
    }
    return bytes;
}

std::size_t place_of(const StoredTable& table, std::string_view column)
{
    const auto found = std::ranges::find(table.columns, column, &StoredColumn::name);
    return static_cast<std::size_t>(found - table.columns.begin());
}

}  // namespace

Result<std::string> ChunkStore::put(std::string_view content, BackupManifest::Written& written)
{
    const auto digest = digest_of(content);
    std::string hash{digest.hex()};
    const auto name = chunk_name(hash);
    TRY(const auto there, target_.find(name));
    if (there.value_or(0) > 0) return hash;
    const auto frame = compressed(content);
    CHECK(target_.put(name, frame));
    ++written.chunks;
    written.chunk_bytes += frame.size();
    return hash;
}

Result<std::string> ChunkStore::get(const std::string& hash)
{
    auto reader = target_.open(chunk_name(hash));
    if (!reader && reader.error().code() == Errc::not_found)
        return fail(Errc::not_found, "the chunk " + hash + " is missing");
    if (!reader) return std::unexpected{reader.error()};
    const auto frame = read_whole(**reader);
    if (!frame && frame.error().code() == Errc::corrupt) return damaged(hash, frame.error().message());
    if (!frame) return std::unexpected{frame.error()};
    auto content = decompressed(*frame, longest_chunk);
    if (!content) return damaged(hash, content.error().message());
    if (digest_of(*content).hex() != hash) return damaged(hash, "it holds something else");
    return content;
}

Result<RowChunk> ChunkStore::rows(const std::string& hash, const std::string& table)
{
    TRY(const auto content, get(hash));
    auto chunk = read_row_chunk(content);
    if (!chunk) return damaged(hash, chunk.error().message());
    if (chunk->table.name != table) return damaged(hash, "it holds rows of " + chunk->table.name);
    return chunk;
}

Result<>
read_blob_rows(ChunkStore& chunks, const BackupManifest& manifest, const std::function<Result<>(const KeptBlob&)>& each)
{
    const auto table = manifest.tables.find("blobs");
    if (table == manifest.tables.end()) return fail(Errc::corrupt, "the backup has no list of its blobs");
    for (const auto& hash : table->second.chunks) {
        TRY(const auto chunk, chunks.rows(hash, "blobs"));
        const auto digest = place_of(chunk.table, "digest");
        const auto size = place_of(chunk.table, "size");
        const auto state = place_of(chunk.table, "state");  // from schema version 5 on
        for (const auto& row : chunk.rows) {
            if (digest >= row.size() || size >= row.size()) return damaged(hash, "it holds no blobs");
            const auto* name = std::get_if<std::string>(&row[digest]);
            const auto* bytes = std::get_if<std::int64_t>(&row[size]);
            const auto* stands = state < row.size() ? std::get_if<std::int64_t>(&row[state]) : &live_state;
            if (!name || !bytes || !stands || !Digest::parse(*name)) return damaged(hash, "it holds no blobs");
            if (*stands != live_state && *stands != condemned_state) continue;
            CHECK(each({*name, static_cast<std::uint64_t>(*bytes), *stands == live_state}));
        }
    }
    return {};
}

}  // namespace entrepot
