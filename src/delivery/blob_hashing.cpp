#include "delivery/blob_hashing.hpp"

#include "core/log.hpp"
#include "delivery/stored_bytes.hpp"
#include "swarm/descriptor/chunk_hashes.hpp"
#include "swarm/hex32.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>
#include <vector>

namespace entrepot {
namespace {

constexpr std::size_t bytes_at_once = std::size_t{1} << 20U;

std::unexpected<Error> damaged(const Digest& blob)
{
    return fail(Errc::corrupt, "the stored blob is damaged", blob.text());
}

}  // namespace

Flights<BlobHashing::ListPtr>::FlightPtr BlobHashing::begin(Digest blob, std::uint64_t size)
{
    return flights_.begin(blob.text(), [this, blob, size] { return hash(blob, size); });
}

Task<BlobHashing::ListPtr> BlobHashing::wait(Flights<ListPtr>::FlightPtr flight)
{
    std::optional<Result<ListPtr>> outcome;
    while (!outcome) outcome = co_await Flights<ListPtr>::wait(flight, std::chrono::hours{1});
    co_return *std::move(outcome);
}

asio::awaitable<void> BlobHashing::drain()
{
    stopping_ = true;
    co_await flights_.drain();
}

Task<BlobHashing::ListPtr> BlobHashing::hash(Digest blob, std::uint64_t size)
{
    CO_TRY(const auto content, co_await blobs_.load(blob));
    if (content.size != size) co_return damaged(blob);
    CO_TRY(auto list, co_await hash_content(blob, content));
    auto stored = co_await chunks_.store(*list);
    if (!stored) log::failure(log::Level::warning, "storing the hashes of a blob's chunks", stored.error());
    co_return list;
}

// On a thread of the pool; others get their turn between two pieces.
Task<BlobHashing::ListPtr> BlobHashing::hash_content(Digest blob, BlobContent content)
{
    ChunkHashes hashes;
    const auto take = [&hashes](std::span<const std::byte> bytes) -> Result<> {
        if (hashes.update(bytes)) return {};
        return fail(Errc::unsupported, "a blob is too large for a swarm");
    };
    if (content.bytes) {
        CO_CHECK(take(as_bytes(*content.bytes)));
    } else {
        std::vector<std::byte> buffer(bytes_at_once);
        for (std::uint64_t at = 0; at < content.size;) {
            if (stopping_) co_return fail(Errc::unavailable, "the registry is stopping");
            CO_TRY(const auto count, read_blob_at(*content.file, at, buffer));
            if (count == 0) co_return damaged(blob);
            CO_CHECK(take(std::span{buffer}.first(count)));
            at += count;
            co_await asio::post(asio::use_awaitable);
        }
    }
    auto hashed = std::move(hashes).finish();
    if (hashed.blob.size != content.size || hex_of(hashed.blob.digest) != blob.hex()) co_return damaged(blob);
    co_return std::make_shared<const ChunkList>(ChunkList{
        .of =
            {
                .blob = blob,
                .size = hashed.blob.size,
                .root = std::string{as_text(as_bytes(hashed.blob.chunk_root))},
            },
        .hashes = encode_hash_list(hashed.chunks),
    });
}

}  // namespace entrepot
