// The request head parser and the chunked decoder: whatever comes, no memory error, and the same result however the
// input is cut. The first two bytes choose the cut, the third what is fed.
#include "core/address.hpp"
#include "http/chunked_decoder.hpp"
#include "http/head_parser.hpp"
#include "http/inbound_request.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <tuple>

namespace {

using namespace entrepot;
using namespace entrepot::http;

void require(bool holds)
{
    if (!holds) std::abort();
}

struct Head {
    explicit Head(std::string_view text, std::size_t cut)
    {
        if (cut > 0) state = parser.parse(text.substr(0, cut), request, framing);
        if (state == HeadParser::State::incomplete) state = parser.parse(text, request, framing);
    }

    auto outcome() const
    {
        const bool complete = state == HeadParser::State::complete;
        return std::tuple{
            state,
            state == HeadParser::State::refused ? parser.refusal().status : 0U,
            complete ? parser.size() : 0,
            complete ? framing.content_length : 0,
            complete && framing.chunked,
            complete && framing.keep_alive,
            complete ? request.headers.size() : 0,
            complete ? request.path : std::string_view{}
        };
    }

    CidrList trusted{{}};
    RequestIds ids{1, 1};
    InboundRequest request{Address{}, false, trusted, ids};
    Framing framing;
    HeadParser parser{4096, 32};
    HeadParser::State state = HeadParser::State::incomplete;
};

void feed_head(std::string_view text, std::size_t cut)
{
    const Head whole{text, 0};
    const Head parts{text, cut};
    // A cut may let the parser refuse sooner and for another reason, never accept what it else would not.
    const bool refused = whole.state == HeadParser::State::refused;
    require(refused ? parts.state == HeadParser::State::refused : parts.outcome() == whole.outcome());
    if (whole.state != HeadParser::State::complete) return;
    require(whole.parser.size() <= text.size());
    for (const auto& field : whole.request.headers) {
        require(field.name.find_first_of(" \t\r\n:") == std::string_view::npos && !field.name.empty());
        require(field.value.find_first_of(std::string_view{"\r\n\0", 3}) == std::string_view::npos);
    }
    require(!(whole.framing.chunked && whole.framing.has_content_length));
    std::ignore = whole.request.origin();
    std::ignore = whole.request.request_id();
}

std::tuple<ChunkedDecoder::State, std::string, std::size_t> decode(std::string text, std::size_t cut)
{
    ChunkedDecoder decoder;
    std::string content;
    std::size_t consumed = 0;
    auto state = ChunkedDecoder::State::more;
    for (auto piece : {text.substr(0, cut), text.substr(cut)}) {
        if (state != ChunkedDecoder::State::more) break;
        const auto step = decoder.decode(std::as_writable_bytes(std::span{piece}));
        require(step.produced <= step.consumed && step.consumed <= piece.size());
        content.append(piece, 0, step.produced);
        consumed += step.consumed;
        state = step.state;
    }
    return {state, content, consumed};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 3) return 0;
    const std::string_view text{reinterpret_cast<const char*>(data) + 3, size - 3};
    const std::size_t cut = (data[0] * std::size_t{256} + data[1]) % (text.size() + 1);
    if (data[2] % 2 == 0) {
        feed_head(text, cut);
    } else {
        require(decode(std::string{text}, cut) == decode(std::string{text}, 0));
    }
    return 0;
}
