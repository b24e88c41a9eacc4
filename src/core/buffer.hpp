#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace entrepot {

// A block of bytes on its way from a socket to a disk, filled from the front and not zeroed before. A few blocks are
// kept when their owner lets go of them and handed out again while they are still in the processor's cache: fresh
// pages for each would cost a fifth of a push. Movable, one owner and one thread at a time; may be destroyed on
// another thread than the one that made it. A moved-from Buffer has neither bytes nor room.
class Buffer {
public:
    static constexpr std::size_t capacity = 256 * 1024;

    Buffer();
    ~Buffer();
    Buffer(Buffer&& other) noexcept;
    Buffer& operator=(Buffer&& other) noexcept;

    // What is filled, and how much that is.
    std::span<const std::byte> bytes() const noexcept { return {block_, size_}; }
    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }

    // The rest, to be written to; grow() then counts the first `count` bytes of it as filled.
    std::span<std::byte> room() noexcept { return {block_ + size_, block_ ? capacity - size_ : 0}; }
    void grow(std::size_t count) noexcept { size_ += count; }

    // Copies as many of `source` as there is room for; returns how many.
    std::size_t fill(std::span<const std::byte> source) noexcept;

private:
    std::byte* block_;
    std::size_t size_ = 0;
};

}  // namespace entrepot
