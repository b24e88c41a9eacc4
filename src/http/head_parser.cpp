#include "http/head_parser.hpp"

#include "core/ascii.hpp"

#include <array>
#include <cstring>

namespace entrepot::http {
namespace {

constexpr std::size_t longest_target = 8 * 1024;
constexpr std::size_t longest_method = 32;
constexpr unsigned most_empty_lines = 4;

// Calls `each` with every element of a comma-separated list, trimmed, empty ones included.
template <class Each>
void for_each_element(std::string_view list, Each each)
{
    while (true) {
        const auto comma = list.find(',');
        each(trimmed(list.substr(0, comma)));
        if (comma == std::string_view::npos) return;
        list.remove_prefix(comma + 1);
    }
}

enum Class : std::uint8_t { token = 1, path = 2, query = 4, value = 8, host = 16 };

constexpr std::array<std::uint8_t, 256> make_classes()
{
    std::array<std::uint8_t, 256> table{};
    const auto mark = [&](std::string_view text, unsigned bits) {
        for (const char c : text) {
            auto& entry = table[static_cast<unsigned char>(c)];
            entry = static_cast<std::uint8_t>(entry | bits);
        }
    };
    for (unsigned c = 0x20; c < 0x100; ++c) table[c] = c == 0x7f ? 0 : value;
    mark("\t", value);
    mark("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", token | path | query | host);
    mark("!#$%&'*+-.^_`|~", token);
    mark("-._~!$&'()*+,;=%", path | query | host);
    mark(":@/", path | query);
    mark("?", query);
    mark("[]{}|", query);  // not legal, but commonly sent unescaped and harmless
    return table;
}

constexpr auto classes = make_classes();

constexpr bool is(char c, Class wanted) noexcept
{
    return (classes[static_cast<unsigned char>(c)] & wanted) != 0;
}

constexpr bool all(std::string_view text, Class wanted) noexcept
{
    return std::all_of(text.begin(), text.end(), [wanted](char c) { return is(c, wanted); });
}

Method method_of(std::string_view text) noexcept
{
    switch (text.size()) {
        case 3: return text == "GET" ? Method::get : text == "PUT" ? Method::put : Method::other;
        case 4: return text == "HEAD" ? Method::head : text == "POST" ? Method::post : Method::other;
        case 5: return text == "PATCH" ? Method::patch : Method::other;
        case 6: return text == "DELETE" ? Method::del : Method::other;
        case 7: return text == "OPTIONS" ? Method::options : Method::other;
        default: return Method::other;
    }
}

// Reads a complete head, line by line. The text ends in an empty line, so a scan always meets a CR.
// Whether eight bytes hold no control character. Most of a head is field values (a token has a thousand bytes), so they
// are looked at a word at a time; a tab makes this false and the caller looks at each byte.
bool all_plain(const char* bytes) noexcept
{
    constexpr std::uint64_t ones = 0x0101010101010101U;
    constexpr std::uint64_t highs = 0x80 * ones;
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof word);
    const std::uint64_t below_space = (word - 0x20 * ones) & ~word;
    const std::uint64_t not_delete = word ^ (0x7f * ones);
    const std::uint64_t deletes = (not_delete - ones) & ~not_delete;
    return ((below_space | deletes) & highs) == 0;
}

class HeadReader {
public:
    HeadReader(std::string_view text, Request& request, Framing& framing) noexcept
        : at_{text.data()}, end_{text.data() + text.size()}, request_{request}, framing_{framing}
    {
    }

    std::optional<Refusal> read(std::size_t header_count)
    {
        framing_ = {};
        request_.headers.clear();
        if (auto wrong = request_line()) return wrong;
        while (*at_ != '\r' || at_[1] != '\n') {
            if (request_.headers.size() == header_count) {
                return Refusal{431, "HEADERS_TOO_LARGE", "too many header fields"};
            }
            if (auto wrong = field()) return wrong;
        }
        return conclude();
    }

private:
    static Refusal bad(std::string_view message) noexcept { return {400, "BAD_REQUEST", message}; }

    std::optional<Refusal> request_line()
    {
        const char* start = at_;
        while (is(*at_, token)) ++at_;
        request_.method_text = {start, at_};
        if (at_ == start || *at_ != ' ') return bad("malformed request line");
        if (request_.method_text.size() > longest_method) return Refusal{501, "UNSUPPORTED", "unknown method"};
        request_.method = method_of(request_.method_text);
        start = ++at_;
        while (*at_ != ' ' && *at_ != '\r') ++at_;
        const std::string_view wanted{start, at_};
        if (wanted.size() > longest_target) return Refusal{414, "URI_TOO_LONG", "request target too long"};
        if (*at_ != ' ') return bad("malformed request line");
        ++at_;
        if (auto wrong = version()) return wrong;
        return target(wanted);
    }

    std::optional<Refusal> version()
    {
        const std::string_view rest{at_, end_};
        const auto digit = [](char c) { return c >= '0' && c <= '9'; };
        if (rest.size() < 10 || !rest.starts_with("HTTP/") || !digit(rest[5]) || rest[6] != '.' || !digit(rest[7]) ||
            rest[8] != '\r' || rest[9] != '\n') {
            return bad("malformed HTTP version");
        }
        if (rest[5] != '1') return Refusal{505, "VERSION_NOT_SUPPORTED", "only HTTP/1.0 and HTTP/1.1 are spoken here"};
        framing_.http_1_0 = rest[7] == '0';
        at_ += 10;
        return std::nullopt;
    }

    std::optional<Refusal> target(std::string_view text)
    {
        if (text == "*") {
            if (request_.method != Method::options) return bad("malformed request target");
            request_.path = text;
            request_.query = {};
            return std::nullopt;
        }
        if (!text.starts_with('/')) {
            const auto scheme = text.find("://");
            if (scheme == std::string_view::npos) return bad("malformed request target");
            const auto name = text.substr(0, scheme);
            if (!same_word(name, "http") && !same_word(name, "https")) return bad("unknown scheme in request target");
            text.remove_prefix(scheme + 3);
            const auto stop = std::min(text.find_first_of("/?"), text.size());
            target_authority_ = text.substr(0, stop);
            if (!is_authority(target_authority_)) return bad("malformed authority in request target");
            text.remove_prefix(stop);
        }
        const auto mark = std::min(text.find('?'), text.size());
        request_.path = text.substr(0, mark);
        request_.query = mark < text.size() ? text.substr(mark + 1) : std::string_view{};
        if (request_.path.empty()) request_.path = "/";
        if (!all(request_.path, path) || !all(request_.query, query)) return bad("illegal character in request target");
        return std::nullopt;
    }

    std::optional<Refusal> field()
    {
        const char* start = at_;
        while (is(*at_, token)) ++at_;
        const std::string_view name{start, at_};
        if (name.empty() || *at_ != ':') return bad("malformed header field name");
        ++at_;
        while (is_blank(*at_)) ++at_;
        start = at_;
        while (end_ - at_ >= 8 && all_plain(at_)) at_ += 8;
        while (is(*at_, value)) ++at_;
        if (*at_ != '\r' || at_[1] != '\n') return bad("control character in a header field");
        const char* stop = at_;
        while (stop > start && is_blank(stop[-1])) --stop;
        at_ += 2;
        request_.headers.push_back({name, {start, stop}});
        return notable(name, {start, stop});
    }

    // The fields that the session itself heeds.
    std::optional<Refusal> notable(std::string_view name, std::string_view text)
    {
        switch (name.size()) {
            case 4: return same_word(name, "host") ? host_field(text) : std::nullopt;
            case 6: return same_word(name, "expect") ? expect(text) : std::nullopt;
            case 10:
                if (same_word(name, "connection")) connection(text);
                return std::nullopt;
            case 13: return same_word(name, "authorization") ? authorization() : std::nullopt;
            case 14: return same_word(name, "content-length") ? content_length(text) : std::nullopt;
            case 17: return same_word(name, "transfer-encoding") ? transfer_encoding(text) : std::nullopt;
            default: return std::nullopt;
        }
    }

    // Two of them could mean one caller to a proxy and another to us.
    std::optional<Refusal> authorization()
    {
        if (has_authorization_) return bad("more than one Authorization");
        has_authorization_ = true;
        return std::nullopt;
    }

    std::optional<Refusal> host_field(std::string_view text)
    {
        if (has_host_) return bad("more than one Host");
        has_host_ = true;
        if (!is_authority(text)) return bad("malformed Host");
        framing_.authority = text;
        return std::nullopt;
    }

    std::optional<Refusal> expect(std::string_view text)
    {
        if (framing_.http_1_0) return std::nullopt;
        if (!same_word(text, "100-continue")) return Refusal{417, "EXPECTATION_FAILED", "unknown expectation"};
        framing_.expects_continue = true;
        return std::nullopt;
    }

    void connection(std::string_view text)
    {
        for_each_element(text, [this](std::string_view option) {
            close_ = close_ || same_word(option, "close");
            stay_ = stay_ || same_word(option, "keep-alive");
        });
    }

    std::optional<Refusal> content_length(std::string_view text)
    {
        if (framing_.has_content_length) return bad("more than one Content-Length");
        const auto length = parse_decimal(text);
        if (!length) return bad("malformed Content-Length");
        framing_.has_content_length = true;
        framing_.content_length = *length;
        return std::nullopt;
    }

    std::optional<Refusal> transfer_encoding(std::string_view text)
    {
        std::optional<Refusal> wrong;
        has_transfer_encoding_ = true;
        for_each_element(text, [&](std::string_view coding) {
            if (wrong) return;
            if (framing_.chunked) {
                wrong = bad("chunked is not the last transfer coding");
            } else if (same_word(coding, "chunked")) {
                framing_.chunked = true;
            } else if (coding.empty() || !all(coding, token)) {
                wrong = bad("malformed Transfer-Encoding");
            } else {
                wrong = Refusal{501, "UNSUPPORTED", "unknown transfer coding"};
            }
        });
        return wrong;
    }

    std::optional<Refusal> conclude()
    {
        if (!has_host_ && !framing_.http_1_0) return bad("Host is missing");
        if (has_transfer_encoding_ && framing_.http_1_0) return bad("Transfer-Encoding in HTTP/1.0");
        if (has_transfer_encoding_ && framing_.has_content_length) {
            return bad("both Transfer-Encoding and Content-Length");
        }
        if (!target_authority_.empty()) framing_.authority = target_authority_;
        framing_.keep_alive = !close_ && (!framing_.http_1_0 || stay_);
        return std::nullopt;
    }

    const char* at_;
    const char* end_;
    Request& request_;
    Framing& framing_;
    std::string_view target_authority_;
    bool has_host_ = false;
    bool has_authorization_ = false;
    bool has_transfer_encoding_ = false;
    bool close_ = false;
    bool stay_ = false;
};

}  // namespace

bool is_authority(std::string_view text) noexcept
{
    std::string_view port;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos || close < 3) return false;
        for (const char c : text.substr(1, close - 1)) {
            if (hex_value(c) < 0 && c != ':' && c != '.') return false;
        }
        port = text.substr(close + 1);
        if (!port.empty() && port.front() != ':') return false;
    } else {
        const auto colon = std::min(text.find(':'), text.size());
        if (colon == 0 || !all(text.substr(0, colon), host)) return false;
        port = text.substr(colon);
    }
    if (port.size() <= 1) return true;
    const auto number = parse_decimal(port.substr(1));
    return number && *number <= 65'535;
}

void HeadParser::reset() noexcept
{
    start_ = line_start_ = scanned_ = end_ = 0;
    empty_lines_ = 0;
}

HeadParser::State HeadParser::refuse(unsigned status, std::string_view code, std::string_view message) noexcept
{
    refusal_ = {status, code, message};
    return State::refused;
}

HeadParser::State HeadParser::parse(std::string_view bytes, Request& request, Framing& framing)
{
    const auto state = find_end(bytes);
    if (state != State::complete) return state;
    HeadReader reader{bytes.substr(start_, end_ - start_), request, framing};
    if (const auto wrong = reader.read(header_count_)) {
        refusal_ = *wrong;
        return State::refused;
    }
    return State::complete;
}

// Goes on where the last call stopped, so that a head that arrives byte by byte is scanned once.
HeadParser::State HeadParser::find_end(std::string_view bytes) noexcept
{
    while (scanned_ < bytes.size()) {
        const void* found = std::memchr(bytes.data() + scanned_, '\n', bytes.size() - scanned_);
        if (!found) break;
        const auto feed = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
        if (feed - start_ >= header_bytes_) return incomplete(bytes.substr(0, feed + 1));
        if (feed == line_start_ || bytes[feed - 1] != '\r') {
            return refuse(400, "BAD_REQUEST", "a line that does not end in CR LF");
        }
        scanned_ = feed + 1;
        const bool empty = feed - 1 == line_start_;
        if (empty && line_start_ != start_) {
            end_ = feed + 1;
            return State::complete;
        }
        line_start_ = feed + 1;
        if (!empty) continue;
        if (++empty_lines_ > most_empty_lines) return refuse(400, "BAD_REQUEST", "empty lines before a request");
        start_ = line_start_;
    }
    scanned_ = bytes.size();
    return incomplete(bytes);
}

HeadParser::State HeadParser::incomplete(std::string_view bytes) noexcept
{
    const auto head = bytes.substr(start_);
    if (line_start_ == start_ && head.size() > longest_target + longest_method + 16) {
        return refuse(414, "URI_TOO_LONG", "request target too long");
    }
    if (head.size() > header_bytes_) return refuse(431, "HEADERS_TOO_LARGE", "request head too large");
    // Something that is no HTTP at all (a TLS hello, say) is told so at once.
    if (!head.empty() && head.front() != '\r' && !is(head.front(), token)) {
        return refuse(400, "BAD_REQUEST", "malformed request line");
    }
    return State::incomplete;
}

}  // namespace entrepot::http
