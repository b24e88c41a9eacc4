#include "http/incoming_body.hpp"

#include <algorithm>
#include <cstring>

namespace entrepot::http {

void IncomingBody::begin(const Framing& framing) noexcept
{
    state_ = framing.has_body() ? State::open : State::complete;
    chunked_ = framing.chunked;
    left_ = framing.content_length;
    untouched_ = true;
    decoder_ = {};
}

std::optional<std::uint64_t> IncomingBody::remaining() const noexcept
{
    if (state_ == State::complete) return 0;
    if (chunked_) return std::nullopt;
    return left_;
}

IncomingBody::Taken IncomingBody::take(std::span<std::byte> into, ReceiveBuffer& buffer, Transport& transport)
{
    Taken taken;
    while (state_ == State::open && taken.bytes < into.size()) {
        auto room = into.subspan(taken.bytes);
        if (!buffer.empty()) {
            taken.bytes += from_buffer(room, buffer);
            continue;
        }
        if (!chunked_) room = room.first(static_cast<std::size_t>(std::min<std::uint64_t>(room.size(), left_)));
        const auto got = transport.receive(room);
        if (got.next == Io::wants_read || got.next == Io::wants_write) {
            taken.blocked = taken.bytes == 0;
            return taken;
        }
        if (got.next != Io::ready) {
            state_ = State::lost;
            return taken;
        }
        received_ += got.bytes;
        taken.bytes += accepted(room.first(got.bytes));
    }
    return taken;
}

std::size_t IncomingBody::from_buffer(std::span<std::byte> into, ReceiveBuffer& buffer)
{
    const auto held = buffer.view();
    auto count = std::min(held.size(), into.size());
    if (!chunked_) count = static_cast<std::size_t>(std::min<std::uint64_t>(count, left_));
    std::memcpy(into.data(), held.data(), count);
    std::size_t consumed = count;
    const auto produced = decoded(into.first(count), consumed);
    buffer.consume(consumed);
    return produced;
}

std::size_t IncomingBody::accepted(std::span<std::byte> bytes)
{
    std::size_t consumed = bytes.size();
    // Decoding moves bytes to the front only, so what lies behind the last consumed one is still whole.
    const auto produced = decoded(bytes, consumed);
    excess_.append(reinterpret_cast<const char*>(bytes.data()) + consumed, bytes.size() - consumed);
    return produced;
}

std::size_t IncomingBody::decoded(std::span<std::byte> bytes, std::size_t& consumed)
{
    untouched_ = false;
    if (!chunked_) {
        left_ -= bytes.size();
        if (left_ == 0) state_ = State::complete;
        return bytes.size();
    }
    const auto step = decoder_.decode(bytes);
    consumed = step.consumed;
    if (step.state == ChunkedDecoder::State::done) state_ = State::complete;
    if (step.state == ChunkedDecoder::State::malformed) state_ = State::malformed;
    return step.produced;
}

}  // namespace entrepot::http
