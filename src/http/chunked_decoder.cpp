#include "http/chunked_decoder.hpp"

#include "core/ascii.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace entrepot::http {
namespace {

constexpr unsigned most_extra_bytes = 8 * 1024;
constexpr std::uint64_t most_content = std::numeric_limits<std::int64_t>::max();

}  // namespace

ChunkedDecoder::Step ChunkedDecoder::decode(std::span<std::byte> bytes) noexcept
{
    Step step;
    while (step.consumed < bytes.size() && at_ != At::done && at_ != At::malformed) {
        if (at_ != At::data) {
            at_ = next(static_cast<char>(bytes[step.consumed++]));
            continue;
        }
        const auto run = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - step.consumed));
        if (step.produced != step.consumed) {
            std::memmove(bytes.data() + step.produced, bytes.data() + step.consumed, run);
        }
        step.produced += run;
        step.consumed += run;
        left_ -= run;
        if (left_ == 0) at_ = At::data_return;
    }
    step.state = at_ == At::done ? State::done : at_ == At::malformed ? State::malformed : State::more;
    return step;
}

ChunkedDecoder::At ChunkedDecoder::next(char c) noexcept
{
    const auto only = [c](char wanted, At then) { return c == wanted ? then : At::malformed; };
    switch (at_) {
        case At::size_start: extra_bytes_ = 0; return hex_value(c) < 0 ? At::malformed : size_digit(c);
        case At::size:
            if (c == '\r') return At::size_feed;
            if (c == ';' || is_blank(c)) return At::extension;
            return size_digit(c);
        case At::extension: return counted(At::extension, At::size_feed, c);
        case At::size_feed: {
            const auto then = left_ == 0 ? At::trailer_start : At::data;
            extra_bytes_ = then == At::trailer_start ? 0 : extra_bytes_;
            return only('\n', then);
        }
        case At::data_return: return only('\r', At::data_feed);
        case At::data_feed: return only('\n', At::size_start);
        case At::trailer_start:
            if (c == '\r') return At::end_feed;
            // A field can't begin like this; a folded line is as obsolete here as in a head.
            if (is_blank(c) || c == ':') return At::malformed;
            return counted(At::trailer, At::malformed, c);
        case At::trailer: return counted(At::trailer, At::trailer_feed, c);
        case At::trailer_feed: return only('\n', At::trailer_start);
        case At::end_feed: return only('\n', At::done);
        case At::data:
        case At::done:
        case At::malformed: break;
    }
    return At::malformed;
}

ChunkedDecoder::At ChunkedDecoder::size_digit(char c) noexcept
{
    const int digit = hex_value(c);
    // Leading zeros don't overflow, so they are counted.
    if (digit < 0 || left_ > (most_content >> 4) || ++extra_bytes_ > 64) return At::malformed;
    left_ = (left_ << 4) | static_cast<std::uint64_t>(digit);
    return At::size;
}

// One character of an extension or a trailer, neither of which is looked at.
ChunkedDecoder::At ChunkedDecoder::counted(At stay, At end, char c) noexcept
{
    if (c == '\r') return end;
    const auto code = static_cast<unsigned char>(c);
    if ((code < 0x20 && c != '\t') || code == 0x7f || ++extra_bytes_ > most_extra_bytes) return At::malformed;
    return stay;
}

}  // namespace entrepot::http
