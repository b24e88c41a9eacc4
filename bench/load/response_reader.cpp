#include "response_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <strings.h>

namespace entrepot::load {
namespace {

constexpr std::size_t longest_head = 64 * 1024;

bool is(std::string_view name, std::string_view wanted)
{
    return name.size() == wanted.size() && ::strncasecmp(name.data(), wanted.data(), name.size()) == 0;
}

template <typename Number>
bool to_number(std::string_view text, Number& number, int base)
{
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number, base);
    return read.ec == std::errc{};
}

}  // namespace

void ResponseReader::start(bool expect_body)
{
    state_ = State::head;
    expect_body_ = expect_body;
    closes_ = false;
    chunked_ = false;
    status_ = 0;
    announced_.reset();
    left_ = 0;
    body_ = 0;
    location_.clear();
    kept_.clear();
}

std::optional<std::size_t> ResponseReader::feed(std::string_view bytes)
{
    std::size_t taken = 0;
    while (state_ != State::done && taken < bytes.size()) {
        const auto rest = bytes.substr(taken);
        std::optional<std::size_t> step;
        switch (state_) {
            case State::head: step = feed_head(rest); break;
            case State::body:
            case State::chunk: step = feed_body(rest); break;
            default: step = feed_line(rest); break;
        }
        if (!step) return std::nullopt;
        taken += *step;
    }
    return taken;
}

std::optional<std::size_t> ResponseReader::feed_head(std::string_view bytes)
{
    constexpr std::string_view end = "\r\n\r\n";
    if (kept_.empty()) {
        const auto at = bytes.find(end);
        if (at != std::string_view::npos) {
            if (!read_head(bytes.substr(0, at + 2))) return std::nullopt;
            return at + end.size();
        }
    }
    const auto before = kept_.size();
    kept_.append(bytes);
    const auto at = kept_.find(end);
    if (at == std::string::npos) {
        if (kept_.size() > longest_head) return std::nullopt;
        return bytes.size();
    }
    const auto head = std::move(kept_);
    kept_.clear();
    if (!read_head(std::string_view{head}.substr(0, at + 2))) return std::nullopt;
    return at + end.size() - before;
}

bool ResponseReader::read_head(std::string_view head)
{
    if (head.size() < 14 || !head.starts_with("HTTP/1.1 ") || !to_number(head.substr(9, 3), status_, 10)) return false;
    auto at = head.find("\r\n") + 2;
    while (at < head.size()) {
        const auto end = head.find("\r\n", at);
        const auto line = head.substr(at, end - at);
        const auto colon = line.find(':');
        if (colon == std::string_view::npos) return false;
        auto value = line.substr(colon + 1);
        while (value.starts_with(' ')) value.remove_prefix(1);
        read_field(line.substr(0, colon), value);
        at = end + 2;
    }
    if (!expect_body_ || status_ == 204 || status_ == 304) {
        state_ = State::done;
    } else if (chunked_) {
        announced_.reset();
        state_ = State::chunk_size;
    } else {
        if (!announced_) return false;
        left_ = *announced_;
        state_ = left_ == 0 ? State::done : State::body;
    }
    return true;
}

void ResponseReader::read_field(std::string_view name, std::string_view value)
{
    if (is(name, "content-length")) {
        std::uint64_t length = 0;
        if (to_number(value, length, 10)) announced_ = length;
    } else if (is(name, "transfer-encoding")) {
        chunked_ = is(value, "chunked");
    } else if (is(name, "connection")) {
        closes_ = is(value, "close");
    } else if (is(name, "location")) {
        location_ = value;
    }
}

std::size_t ResponseReader::feed_body(std::string_view bytes)
{
    const auto step = std::min<std::uint64_t>(left_, bytes.size());
    left_ -= step;
    body_ += step;
    if (left_ == 0) state_ = state_ == State::body ? State::done : State::chunk_end;
    return static_cast<std::size_t>(step);
}

std::optional<std::size_t> ResponseReader::feed_line(std::string_view bytes)
{
    const auto newline = bytes.find('\n');
    const auto step = newline == std::string_view::npos ? bytes.size() : newline + 1;
    kept_.append(bytes.substr(0, step));
    if (kept_.size() > longest_head) return std::nullopt;
    if (newline != std::string_view::npos && !finish_line()) return std::nullopt;
    return step;
}

bool ResponseReader::finish_line()
{
    if (!kept_.ends_with("\r\n")) return false;
    kept_.resize(kept_.size() - 2);
    const auto line = std::move(kept_);
    kept_.clear();
    if (state_ == State::chunk_end) {
        state_ = State::chunk_size;
        return line.empty();
    }
    if (state_ == State::trailer) {
        if (line.empty()) state_ = State::done;
        return true;
    }
    if (!to_number(line, left_, 16)) return false;
    state_ = left_ == 0 ? State::trailer : State::chunk;
    return true;
}

}  // namespace entrepot::load
