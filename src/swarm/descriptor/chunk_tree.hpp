#pragma once

#include "core/error.hpp"
#include "swarm/wire/wire_values.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace entrepot {

// The Merkle tree of RFC 6962 section 2.1 with SHA-256, over the SHA-256 of each chunk of one blob: a leaf is
// SHA-256(0x00 ‖ chunk's hash), a node SHA-256(0x01 ‖ left ‖ right), and the left half is the largest power of two
// below the number. Chunks are numbered within the blob, from 0. Pure; safe from any thread.

// The tree's root; of no chunks the SHA-256 of nothing.
Sha256 chunk_root_of(std::span<const Sha256> chunks);

// What shows that `count` chunks from `first` are those of the root, to one who has their hashes: the roots of the
// largest parts without any of them, from left to right, two for each of the tree's levels at most.
// range_invalid: no chunk, or not all of them are of the blob.
Result<std::vector<Sha256>> prove_chunk_run(std::span<const Sha256> chunks, std::uint32_t first, std::uint32_t count);

// Whether `run` are the hashes of the chunks from `first` of a blob that has `chunks` of them under `root`.
// range_invalid as above; digest_mismatch: they are not, or the proof is of other hashes than the shape asks for.
Result<> check_chunk_run(
    const Sha256& root,
    std::uint32_t chunks,
    std::uint32_t first,
    std::span<const Sha256> run,
    std::span<const Sha256> proof
);

}  // namespace entrepot
