#pragma once

#include "response_reader.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace entrepot::load {

// A request's body as it goes over the wire: `first`, then `block` so many times, then `last`. So a body of any size
// costs no memory of its size. What the views show must live until the answer is there.
struct Body {
    std::string_view first;
    std::string_view block;
    std::size_t repeats = 0;
    std::string_view last;

    std::uint64_t wire_length() const { return first.size() + block.size() * repeats + last.size(); }
};

struct Request {
    std::string_view head;  // request line and fields, with the empty line
    Body body{};
    bool expects_body = true;  // false for HEAD
};

struct Verdict {
    bool unit_done = false;  // what is counted and timed: a request, a blob, an image
    std::string wrong{};     // empty: the answer is what it must be
};

// What one connection does: a sequence of requests, each made with the answers to the ones before. Used by one thread.
class Script {
public:
    virtual ~Script() = default;
    // The next request, good until the call after; nullptr: this connection has done its part. While `stopping`, only
    // a unit that was begun goes on.
    virtual const Request* next(bool stopping) = 0;
    virtual Verdict answered(const ResponseReader& response) = 0;
    // The answer was wrong or never came: the next request begins a new unit.
    virtual void give_up() {}
};

}  // namespace entrepot::load
