#include "swarm/descriptor/chunk_tree.hpp"

#include "swarm/crypto/sha256_stream.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>

namespace entrepot {
namespace {

// The recursions below are as deep as the tree: 32 levels at most, as numbers have 32 bits.
class TreeHasher {
public:
    Sha256 leaf(const Sha256& chunk)
    {
        std::array<std::uint8_t, 33> bytes{0x00};
        std::ranges::copy(chunk.bytes, bytes.begin() + 1);
        stream_.update(std::as_bytes(std::span{bytes}));
        return stream_.take();
    }

    Sha256 node(const Sha256& left, const Sha256& right)
    {
        std::array<std::uint8_t, 65> bytes{0x01};
        std::ranges::copy(left.bytes, bytes.begin() + 1);
        std::ranges::copy(right.bytes, bytes.begin() + 33);
        stream_.update(std::as_bytes(std::span{bytes}));
        return stream_.take();
    }

    Sha256 root(std::span<const Sha256> chunks)
    {
        if (chunks.empty()) return stream_.take();
        if (chunks.size() == 1) return leaf(chunks.front());
        const auto half = std::bit_floor(chunks.size() - 1);
        const auto left = root(chunks.first(half));
        return node(left, root(chunks.subspan(half)));
    }

private:
    Sha256Stream stream_;
};

struct Run {
    std::uint32_t first;
    std::uint32_t end;

    // Of a part of the tree, from `low` up to but not including `high`.
    bool misses(std::uint32_t low, std::uint32_t high) const noexcept { return high <= first || low >= end; }
};

void prove(
    TreeHasher& hasher,
    std::span<const Sha256> chunks,
    Run run,
    std::uint32_t low,
    std::uint32_t high,
    std::vector<Sha256>& proof
)
{
    if (run.misses(low, high)) {
        proof.push_back(hasher.root(chunks.subspan(low, high - low)));
    } else if (high - low > 1) {
        const auto middle = low + std::bit_floor(high - low - 1);
        prove(hasher, chunks, run, low, middle, proof);
        prove(hasher, chunks, run, middle, high, proof);
    }
}

// Works out the root from the hashes of a run and what a proof says of the rest.
class ProofReader {
public:
    ProofReader(Run run, std::span<const Sha256> hashes, std::span<const Sha256> proof)
        : run_{run}, hashes_{hashes}, proof_{proof}
    {
    }

    Sha256 root(std::uint32_t low, std::uint32_t high)
    {
        if (run_.misses(low, high)) return next();
        if (high - low == 1) return hasher_.leaf(hashes_[low - run_.first]);
        const auto middle = low + std::bit_floor(high - low - 1);
        const auto left = root(low, middle);
        return hasher_.node(left, root(middle, high));
    }

    bool used_up() const noexcept { return !short_ && proof_.empty(); }

private:
    Sha256 next() noexcept
    {
        if (proof_.empty()) {
            short_ = true;
            return {};
        }
        const auto node = proof_.front();
        proof_ = proof_.subspan(1);
        return node;
    }

    TreeHasher hasher_;
    Run run_;
    std::span<const Sha256> hashes_;
    std::span<const Sha256> proof_;
    bool short_ = false;
};

Result<> check_run(std::size_t chunks, std::uint32_t first, std::size_t count)
{
    if (count != 0 && first < chunks && count <= chunks - first) return {};
    return fail(Errc::range_invalid, "not a run of the blob's chunks");
}

}  // namespace

Sha256 chunk_root_of(std::span<const Sha256> chunks)
{
    return TreeHasher{}.root(chunks);
}

Result<std::vector<Sha256>> prove_chunk_run(std::span<const Sha256> chunks, std::uint32_t first, std::uint32_t count)
{
    CHECK(check_run(chunks.size(), first, count));
    TreeHasher hasher;
    std::vector<Sha256> proof;
    prove(hasher, chunks, {first, first + count}, 0, static_cast<std::uint32_t>(chunks.size()), proof);
    return proof;
}

Result<> check_chunk_run(
    const Sha256& root,
    std::uint32_t chunks,
    std::uint32_t first,
    std::span<const Sha256> run,
    std::span<const Sha256> proof
)
{
    CHECK(check_run(chunks, first, run.size()));
    ProofReader reader{{first, first + static_cast<std::uint32_t>(run.size())}, run, proof};
    const auto found = reader.root(0, chunks);
    if (found == root && reader.used_up()) return {};
    return fail(Errc::digest_mismatch, "the hashes of chunks are not those of the blob");
}

}  // namespace entrepot
