#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace entrepot::http {

// Bytes that were received and not yet used. What view() shows stays where it is until prepare() or put_back().
class ReceiveBuffer {
public:
    std::string_view view() const noexcept { return {data_.get() + begin_, end_ - begin_}; }
    bool empty() const noexcept { return begin_ == end_; }
    void consume(std::size_t count) noexcept { begin_ += count; }
    std::size_t capacity() const noexcept { return capacity_; }

    // Room behind the unused bytes, at least one byte; grows from `small` as far as `most`, or a little beyond.
    std::span<std::byte> prepare(std::size_t small, std::size_t most)
    {
        if (begin_ == end_) begin_ = end_ = 0;
        if (end_ == capacity_ && begin_ > 0) shift();
        if (end_ == capacity_) {
            const auto wanted = capacity_ == 0 ? small : std::min(capacity_ * 4, most);
            move_to(std::max(wanted, capacity_ + small));
        }
        return std::as_writable_bytes(std::span{data_.get() + end_, capacity_ - end_});
    }
    void commit(std::size_t count) noexcept { end_ += count; }

    // Adds bytes that turned out to belong to the next request.
    void put_back(std::string_view bytes)
    {
        if (bytes.empty()) return;
        if (capacity_ - end_ < bytes.size()) move_to(end_ - begin_ + bytes.size());
        std::memcpy(data_.get() + end_, bytes.data(), bytes.size());
        end_ += bytes.size();
    }

    // Gives memory beyond `small` back while nothing is in it.
    void relax(std::size_t small) noexcept
    {
        if (!empty() || capacity_ <= small) return;
        data_.reset();
        capacity_ = begin_ = end_ = 0;
    }

private:
    void shift() noexcept
    {
        std::memmove(data_.get(), data_.get() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    void move_to(std::size_t capacity)
    {
        auto larger = std::make_unique_for_overwrite<char[]>(capacity);
        if (!empty()) std::memcpy(larger.get(), data_.get() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
        data_ = std::move(larger);
        capacity_ = capacity;
    }

    std::unique_ptr<char[]> data_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace entrepot::http
