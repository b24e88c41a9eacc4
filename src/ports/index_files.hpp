#pragma once

#include "core/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// Where the journal of the index lies that a store keeps beside its blobs (docs/formats/index.md): segments, numbered
// from 1 on. Blocks; one thread at a time. unavailable, storage_full.
class IndexFiles {
public:
    virtual ~IndexFiles() = default;

    // The right to write, held until the end; false while another process, or another one of these, has it.
    virtual Result<bool> hold() = 0;

    // Their numbers, ascending.
    virtual Result<std::vector<std::int64_t>> segments() = 0;
    // not_found; corrupt when it is longer than any that was ever written.
    virtual Result<std::string> read(std::int64_t segment) = 0;

    // Makes a segment that begins so, in the place of one that is there, and appends to it from now on. Durable.
    virtual Result<> begin(std::int64_t segment, std::string_view bytes) = 0;
    // Durable when it answers; nothing of it is left after a failure.
    virtual Result<> append(std::string_view bytes) = 0;
    virtual std::uint64_t size() const = 0;             // of the segment that is appended to
    virtual Result<> remove(std::int64_t segment) = 0;  // none there is success
};

}  // namespace entrepot
