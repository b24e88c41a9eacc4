#include "swarm/wire/frame_splitter.hpp"

#include "core/bytes.hpp"
#include "swarm/wire/peer_fields.hpp"

#include <algorithm>
#include <cassert>

namespace entrepot {
namespace {

// A seed has thousands of connections; what one long frame took is not kept for all of them.
constexpr std::size_t kept_for_good = 4096;

constexpr std::uint32_t longest_control = WireLimits::control_frame - sizeof(std::uint32_t);
constexpr std::uint32_t longest_data = counted_head_bytes + most_data_head_bytes + WireLimits::data_bytes;

}  // namespace

void FrameSplitter::feed(std::span<const std::byte> bytes) noexcept
{
    assert(input_.empty() || broken_);
    input_ = bytes;
}

bool FrameSplitter::between_frames() const noexcept
{
    return stage_ == Stage::head && input_.empty() && (kept_.empty() || given_) && !broken_;
}

Result<std::optional<SplitItem>> FrameSplitter::next()
{
    while (!broken_) {
        switch (stage_) {
            case Stage::head:
                if (!gather(frame_head_bytes)) return std::nullopt;
                read_head();
                break;
            case Stage::body:
                if (!gather(left_)) return std::nullopt;
                stage_ = Stage::head;
                return WholeFrame{head_, gathered_};
            case Stage::data_head:
                if (!gather(least_data_head_bytes)) return std::nullopt;
                read_data_head();
                break;
            case Stage::data_rest_of_head:
                take(unknown_);
                if (unknown_ != 0) return std::nullopt;
                stage_ = Stage::data;
                return data_;
            case Stage::data:
                if (left_ == 0) {
                    stage_ = Stage::head;
                    return DataEnd{};
                }
                if (input_.empty()) return std::nullopt;
                return DataBytes{take(left_)};
        }
    }
    return std::unexpected{*broken_};
}

// Whether `size` bytes have come: gathered_ are these then, and they are taken. Where they lie in one piece they are
// not copied; otherwise no more is kept than what has come of them.
bool FrameSplitter::gather(std::size_t size)
{
    if (given_) {
        kept_.clear();
        if (kept_.capacity() > kept_for_good) kept_.shrink_to_fit();
        given_ = false;
    }
    if (kept_.empty() && input_.size() >= size) {
        gathered_ = input_.first(size);
        input_ = input_.subspan(size);
        return true;
    }
    const auto taken = input_.first(std::min(size - kept_.size(), input_.size()));
    kept_ += as_text(taken);
    input_ = input_.subspan(taken.size());
    if (kept_.size() < size) return false;
    gathered_ = as_bytes(kept_);
    given_ = true;
    return true;
}

// What has come of `left` bytes, which becomes less by as many.
std::span<const std::byte> FrameSplitter::take(std::uint32_t& left) noexcept
{
    const auto taken = input_.first(std::min<std::size_t>(left, input_.size()));
    input_ = input_.subspan(taken.size());
    left -= static_cast<std::uint32_t>(taken.size());
    return taken;
}

void FrameSplitter::read_head()
{
    std::uint32_t length = 0;
    std::uint8_t type = 0;
    std::uint16_t handle = 0;
    FieldReader io{gathered_};
    io.number("length", length);
    io.number("type", type);
    io.number("flags", head_.flags);
    io.number("handle", handle);
    head_.type = FrameType{type};
    head_.handle = SwarmHandle{handle};
    const bool data = head_.type == FrameType::data;
    io.require("length", length >= counted_head_bytes, "too small");
    io.require("length", length <= (data ? longest_data : longest_control), "too large");
    io.require("handle", !data || handle != 0, "is that of the connection");
    io.require("head", !data || length >= counted_head_bytes + least_data_head_bytes, "cut short");
    if (io.failed()) {
        broken_ = io.error(head_.type);
        return;
    }
    left_ = length - counted_head_bytes;
    stage_ = data ? Stage::data_head : Stage::body;
}

void FrameSplitter::read_data_head()
{
    data_.handle = head_.handle;
    data_.bytes = left_;
    std::uint16_t length = 0;
    FieldReader io{gathered_};
    visit_fields(io, data_, length);
    if (io.failed()) {
        broken_ = io.error(FrameType::data);
        return;
    }
    unknown_ = length - least_data_head_bytes;
    left_ = data_.bytes;
    stage_ = Stage::data_rest_of_head;
}

}  // namespace entrepot
