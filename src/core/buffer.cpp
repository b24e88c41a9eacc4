#include "core/buffer.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <new>
#include <utility>

namespace entrepot {
namespace {

// Blocks nobody owns, the last returned first. Part of memory management, as malloc's own lists are, and therefore the
// one thing here that the whole process shares. Never destroyed: blocks may outlive static objects.
class FreeBlocks {
public:
    static constexpr std::size_t most = 16;
    static constexpr std::align_val_t alignment{4096};

    std::byte* take()
    {
        {
            const std::lock_guard guard{mutex_};
            if (count_ > 0) return blocks_[--count_];
        }
        return static_cast<std::byte*>(::operator new(Buffer::capacity, alignment));
    }

    void give_back(std::byte* block) noexcept
    {
        {
            const std::lock_guard guard{mutex_};
            if (count_ < most) {
                blocks_[count_++] = block;
                return;
            }
        }
        ::operator delete(block, alignment);
    }

private:
    std::mutex mutex_;
    std::array<std::byte*, most> blocks_{};
    std::size_t count_ = 0;
};

FreeBlocks& free_blocks()
{
    static auto* const blocks = new FreeBlocks;
    return *blocks;
}

}  // namespace

Buffer::Buffer() : block_{free_blocks().take()} {}

Buffer::~Buffer()
{
    if (block_) free_blocks().give_back(block_);
}

Buffer::Buffer(Buffer&& other) noexcept
    : block_{std::exchange(other.block_, nullptr)}, size_{std::exchange(other.size_, 0)}
{
}

Buffer& Buffer::operator=(Buffer&& other) noexcept
{
    Buffer taken{std::move(other)};
    std::swap(block_, taken.block_);
    std::swap(size_, taken.size_);
    return *this;
}

std::size_t Buffer::fill(std::span<const std::byte> source) noexcept
{
    const auto count = std::min(source.size(), room().size());
    if (count > 0) std::memcpy(block_ + size_, source.data(), count);
    size_ += count;
    return count;
}

}  // namespace entrepot
