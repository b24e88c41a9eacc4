#include "http/outgoing.hpp"

#include <algorithm>
#include <array>

namespace entrepot::http {
namespace {

iovec part_of(std::string_view bytes) noexcept
{
    return {const_cast<char*>(bytes.data()), bytes.size()};
}

}  // namespace

Io Outgoing::begin(
    Transport& transport, std::string_view head, Response&& response, bool with_body, std::uint64_t budget
)
{
    offset_ = 0;
    left_ = with_body ? response.body_length() : 0;
    const auto next = push(transport, head, response, budget);
    if (next == Io::failed || (head.empty() && left_ == 0)) return next;
    head_ = head;
    response_ = std::move(response);
    holds_response_ = true;
    return next;
}

Io Outgoing::go_on(Transport& transport, std::uint64_t budget)
{
    if (head_.empty() && left_ == 0) {
        const auto next = transport.flush();
        flushed_ = next == Io::ready;
        return next;
    }
    std::string_view head = head_;
    const auto next = push(transport, head, response_, budget);
    head_.erase(0, head_.size() - head.size());
    return next;
}

void Outgoing::release() noexcept
{
    if (!holds_response_) return;
    response_ = {};
    head_ = {};
    holds_response_ = false;
}

Io Outgoing::push(Transport& transport, std::string_view& head, const Response& response, std::uint64_t budget)
{
    if (left_ > 0) {
        if (const auto* file = std::get_if<FileRange>(&response.body)) return push_file(transport, head, *file, budget);
    }
    std::string_view body;
    if (const auto* text = std::get_if<std::string>(&response.body)) body = *text;
    if (const auto* memory = std::get_if<MemoryRange>(&response.body)) {
        body = std::string_view{*memory->bytes}.substr(memory->offset, memory->length);
    }
    return push_memory(transport, head, body, budget);
}

Io Outgoing::push_memory(Transport& transport, std::string_view& head, std::string_view body, std::uint64_t budget)
{
    const auto size = static_cast<std::size_t>(std::min(left_, budget));
    const auto piece = body.substr(static_cast<std::size_t>(offset_), size);
    // A range that is not within its bytes can't be answered as announced.
    if (piece.size() < size) return Io::failed;
    const std::array<iovec, 2> parts{part_of(head), part_of(piece)};
    const auto used = std::span{parts}.subspan(head.empty() ? 1 : 0, (head.empty() ? 0U : 1U) + (size > 0 ? 1U : 0U));
    if (used.empty()) return Io::ready;
    const auto done = transport.send(used, false);
    took(head, done.bytes);
    flushed_ = done.next == Io::ready;
    return done.next;
}

Io Outgoing::push_file(Transport& transport, std::string_view& head, const FileRange& file, std::uint64_t budget)
{
    if (!head.empty()) {
        const std::array<iovec, 1> parts{part_of(head)};
        const auto done = transport.send(parts, true);
        took(head, done.bytes);
        if (done.next != Io::ready) return done.next;
    }
    while (left_ > 0 && budget > 0) {
        const auto done = transport.send_file({file.file, file.offset + offset_, std::min(left_, budget)});
        took(head, done.bytes);
        budget -= done.bytes;
        flushed_ = done.next == Io::ready;
        if (done.next != Io::ready) return done.next;
    }
    return Io::ready;
}

void Outgoing::took(std::string_view& head, std::uint64_t bytes) noexcept
{
    sent_ += bytes;
    const auto of_head = std::min<std::uint64_t>(bytes, head.size());
    head.remove_prefix(static_cast<std::size_t>(of_head));
    offset_ += bytes - of_head;
    left_ -= bytes - of_head;
}

}  // namespace entrepot::http
