#pragma once

#include "core/buffer.hpp"
#include "swarm/piece.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <span>

namespace entrepot {

static_assert(Buffer::capacity == chunk_bytes);

// The memory of one chunk, filled from the front: a block that is kept for the next where the chunk is large, and no
// more than it takes where it is small. Movable, one owner at a time.
class ChunkBuffer {
public:
    // 1 to chunk_bytes.
    explicit ChunkBuffer(std::size_t size) : size_{size}
    {
        if (size > small)
            block_.emplace();
        else
            bytes_ = std::make_unique_for_overwrite<std::byte[]>(size);
    }

    // How many of `source` there was room for.
    std::size_t fill(std::span<const std::byte> source) noexcept
    {
        const auto count = std::min(source.size(), missing());
        std::memcpy(data() + filled_, source.data(), count);
        filled_ += count;
        return count;
    }
    // All of it, to be written by somebody else.
    std::span<std::byte> whole() noexcept { return {data(), size_}; }
    std::span<const std::byte> bytes() const noexcept { return {const_cast<ChunkBuffer*>(this)->data(), size_}; }
    std::size_t size() const noexcept { return size_; }
    std::size_t missing() const noexcept { return size_ - filled_; }
    // What it takes of the machine's memory.
    static std::size_t cost(std::size_t size) noexcept { return size > small ? Buffer::capacity : size + 64; }

private:
    static constexpr std::size_t small = 64 * 1024;

    std::byte* data() noexcept { return block_ ? block_->room().data() : bytes_.get(); }

    std::size_t size_;
    std::size_t filled_ = 0;
    std::optional<Buffer> block_;  // its own count of what is filled isn't used
    std::unique_ptr<std::byte[]> bytes_;
};

}  // namespace entrepot
