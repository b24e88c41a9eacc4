#include "http/chunked_decoder.hpp"

#include <gtest/gtest.h>

#include <string>

namespace entrepot::http {
namespace {

using State = ChunkedDecoder::State;

struct Decoded {
    State state = State::more;
    std::string content;
    std::size_t consumed = 0;
};

// Feeds `text` in two pieces.
Decoded decode(const std::string& text, std::size_t cut)
{
    ChunkedDecoder decoder;
    Decoded result;
    for (auto piece : {text.substr(0, cut), text.substr(cut)}) {
        const auto step = decoder.decode(std::as_writable_bytes(std::span{piece}));
        result.content += piece.substr(0, step.produced);
        result.consumed += step.consumed;
        result.state = step.state;
        if (step.state != State::more) break;
    }
    return result;
}

TEST(ChunkedDecoder, takes_the_framing_off_however_the_input_is_cut)
{
    const std::string text =
        "5\r\nhello\r\n1;a=\"b\"\r\n \r\n00006 ; x\r\nworld!\r\n0\r\nTrailer: x\r\nOther: y\r\n\r\n";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        const auto result = decode(text + "GET /", cut);
        EXPECT_EQ(result.state, State::done) << cut;
        EXPECT_EQ(result.content, "hello world!") << cut;
        EXPECT_EQ(result.consumed, text.size()) << cut;
    }
}

TEST(ChunkedDecoder, waits_for_the_end)
{
    const std::string text = "3\r\nabc\r\n0\r\n\r\n";
    for (std::size_t size = 0; size < text.size(); ++size) {
        EXPECT_EQ(decode(text.substr(0, size), 0).state, State::more) << size;
    }
}

TEST(ChunkedDecoder, refuses_broken_framing)
{
    const std::string broken[] = {
        "\r\n",
        "g\r\n",
        "-1\r\n",
        "0x5\r\nhello\r\n",
        " 5\r\nhello\r\n",
        "5\nhello\r\n",
        "5\rhello",
        "5\r\nhelloX",
        "5\r\nhello\rX",
        "5\r\nhello\n",
        "8000000000000000\r\n",
        "ffffffffffffffffff\r\n",
        std::string(100, '0'),
        "5;a\x01\r\nhello\r\n",
        "5;a\nhello\r\n",
        "0\r\n\n",
        "0\r\n\rX",
        "0\r\n folded: x\r\n\r\n",
        "0\r\n: x\r\n\r\n",
        "0\r\nA: b\nC",
        "0\r\nA: b\rC",
        "5;" + std::string(9000, 'a'),
        "0\r\nA: " + std::string(9000, 'a'),
    };
    for (const auto& text : broken) {
        for (std::size_t cut = 0; cut < std::min<std::size_t>(text.size(), 40); ++cut) {
            EXPECT_EQ(decode(text, cut).state, State::malformed) << text.substr(0, 40) << " at " << cut;
        }
    }
}

TEST(ChunkedDecoder, bounds_the_trailers_together)
{
    std::string text = "0\r\n";
    for (int i = 0; i < 1000; ++i) text += "Name: value\r\n";
    EXPECT_EQ(decode(text, 0).state, State::malformed);
}

}  // namespace
}  // namespace entrepot::http
