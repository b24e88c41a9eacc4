#include "agent/agent_image.hpp"

#include "core/bytes.hpp"
#include "swarm/descriptor/chunk_hashes.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {

AgentImage::AgentImage(
    ChunkFiles& store, asio::thread_pool& pool, ImageDescriptor descriptor, std::vector<ChunkPin> pins
)
    : store_{store}, pool_{pool}, descriptor_{std::move(descriptor)}, pins_{std::move(pins)}
{
}

Result<std::shared_ptr<AgentImage>>
AgentImage::open(ChunkFiles& store, asio::thread_pool& pool, ImageDescriptor descriptor, std::string_view hashes)
{
    TRY(const auto list, parse_hash_list(as_bytes(hashes)));
    if (list.size() != descriptor.layout().chunks())
        return fail(Errc::size_invalid, "not as many hashes as the image has chunks");
    std::vector<ChunkPin> pins;
    pins.reserve(descriptor.blobs().size());
    for (std::size_t blob = 0; blob < descriptor.blobs().size(); ++blob) {
        const auto chunks = descriptor.chunks_of(blob);
        const auto from = list.begin() + chunks.first;
        TRY(auto pin, store.begin(descriptor.blobs()[blob], std::vector<Sha256>(from, from + chunks.count)));
        pins.push_back(std::move(pin));
    }
    return std::shared_ptr<AgentImage>{new AgentImage{store, pool, std::move(descriptor), std::move(pins)}};
}

PieceSet AgentImage::pieces() const
{
    const auto& layout = descriptor_.layout();
    PieceSet held{layout.pieces()};
    for (std::size_t blob = 0; blob < pins_.size(); ++blob) {
        const auto chunks = descriptor_.chunks_of(blob);
        if (chunks.count == 0) continue;
        const auto here = pins_[blob].here();
        const auto last = layout.piece_of_chunk(chunks.first + chunks.count - 1);
        for (auto piece = layout.piece_of_chunk(chunks.first); piece <= last; ++piece) {
            const auto span = layout.chunks_of(piece);
            bool all = true;
            for (auto chunk = span.first; chunk < span.first + span.count; ++chunk)
                all = all && here.contains(chunk - chunks.first);
            if (all) held.insert(piece);
        }
    }
    return held;
}

bool AgentImage::has(ChunkIndex chunk) const
{
    const auto place = descriptor_.place_of(chunk);
    return place && pins_[place->blob].here().contains(place->chunk);
}

Result<Sha256> AgentImage::expected(ChunkIndex chunk) const
{
    TRY(const auto place, descriptor_.place_of(chunk));
    return pins_[place.blob].verifier().expected(place.chunk);
}

bool AgentImage::complete() const
{
    return std::ranges::all_of(pins_, [](const ChunkPin& pin) { return pin.is_complete(); });
}

Task<> AgentImage::store(ChunkIndex chunk, std::span<const std::byte> bytes)
{
    CO_TRY(const auto place, descriptor_.place_of(chunk));
    auto writing = offload(pool_, [this, place, bytes] { return store_.write(pins_[place.blob], place.chunk, bytes); });
    CO_CHECK(co_await std::move(writing));
    note_coming();
    arrivals_.ring();
    co_return Result<>{};
}

Task<> AgentImage::read(ChunkIndex chunk, std::span<std::byte> into)
{
    CO_TRY(const auto place, descriptor_.place_of(chunk));
    auto reading = offload(pool_, [this, place, into] {
        return store_.read(pins_[place.blob], {.first = place.chunk, .count = 1}, into);
    });
    co_return co_await std::move(reading);
}

Task<ChunkExtent> AgentImage::extent(ChunkSpan chunks)
{
    CO_TRY(const auto place, descriptor_.place_of(chunks.first));
    const auto blob = descriptor_.chunks_of(place.blob);
    if (chunks.count == 0 || chunks.count > blob.count - place.chunk)
        co_return fail(Errc::range_invalid, "chunks of more than one blob");
    auto finding = offload(pool_, [this, place, count = chunks.count] {
        return store_.extent(pins_[place.blob], {.first = place.chunk, .count = count});
    });
    co_return co_await std::move(finding);
}

}  // namespace entrepot
