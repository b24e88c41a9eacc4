#pragma once

#include "core/bytes.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace entrepot {

enum class Method { get, head, post, put, patch, del, options, other };

constexpr bool is_read(Method method) noexcept
{
    return method == Method::get || method == Method::head;
}

struct HeaderView {
    std::string_view name;   // as received
    std::string_view value;  // without surrounding white space
};

// Where a request comes from and how it was reached, X-Forwarded-* of trusted proxies already applied.
struct Origin {
    std::string client;     // numeric address of the client
    bool secure = false;    // it speaks https with us or with the proxy
    std::string authority;  // host[:port] it asked for
};

// The head of one request (RFC 9112 section 3). All views point into the connection's buffer and are valid until the
// request has been answered. Its framing has been checked; nothing else has.
class Request {
public:
    virtual ~Request() = default;

    Method method = Method::other;
    std::string_view method_text;
    std::string_view path;   // as received, not decoded, starts with '/'; of an absolute-form target its path
    std::string_view query;  // as received, without '?'
    std::vector<HeaderView> headers;

    // The value of the first header of that name (ASCII case does not matter); nullopt when absent.
    std::optional<std::string_view> header(std::string_view name) const noexcept;
    // All values of that name, joined by ", ".
    std::string header_list(std::string_view name) const;

    // Worked out on first use: the hot path does not need them.
    virtual const Origin& origin() const = 0;
    // X-Request-Id where it is short and printable, else one made here.
    virtual const std::string& request_id() const = 0;
};

// Part of an open file, to be sent with sendfile.
struct FileRange {
    std::shared_ptr<const OpenFile> file;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
};
struct MemoryRange {
    std::shared_ptr<const std::string> bytes;
    std::size_t offset = 0;
    std::size_t length = 0;
};

// A body that is sent as it comes, in chunks (RFC 9112 section 7.1), one piece at a time: the next is asked for when
// the last one has left. The connection ends with it. An error cuts the body off, so that the peer sees it is not
// whole.
class StreamedBody : public ByteSource {
public:
    std::optional<std::uint64_t> size() const final { return std::nullopt; }
    // Called on the connection's loop when nobody is there any more or the server drains: a read() that waits answers 0
    // now, and so does every later one.
    virtual void stop() noexcept = 0;
};

// A body of known length whose bytes are still arriving somewhere: sent from there, as far as they have come. The
// connection ends with it. An error cuts the body off, so that the peer sees it is not whole.
class ArrivingBody {
public:
    using Part = std::variant<MemoryRange, FileRange>;

    virtual ~ArrivingBody() = default;
    virtual std::uint64_t length() const noexcept = 0;
    // Waits until there is something at `offset` of this body; at least a byte of it. Called on the connection's loop,
    // one call at a time.
    virtual Task<Part> part(std::uint64_t offset) = 0;
    // Nobody is there any more: a part() that waits answers something within a second.
    virtual void stop() noexcept = 0;
};

// An answer. The session adds the status line, Date, Content-Length, Connection and (as configured) Server.
struct Response {
    unsigned status = 200;
    std::string headers;  // complete "Name: value\r\n" lines
    std::variant<
        std::monostate,
        std::string,
        MemoryRange,
        FileRange,
        std::shared_ptr<StreamedBody>,
        std::shared_ptr<ArrivingBody>>
        body;
    // For HEAD (and 304): the length that the body would have. Unset: the length of `body`.
    std::optional<std::uint64_t> announced_length;
    bool close = false;  // no further request on this connection

    // Appends a header. Control characters in `value` are replaced by spaces: nothing can be injected.
    Response& add(std::string_view name, std::string_view value);
    // The value of one that add() was given by this very name.
    std::optional<std::string_view> header(std::string_view name) const noexcept;
    std::uint64_t body_length() const noexcept;  // 0 of what is streamed or arriving
    std::shared_ptr<StreamedBody> stream() const noexcept;
    std::shared_ptr<ArrivingBody> arriving() const noexcept;
};

// What answers requests. One object serves all loops; it may be called from any of them at once.
class Handler {
public:
    virtual ~Handler() = default;

    // Answers from memory without suspending, or nullopt: then handle() is asked. Only called for requests without a
    // body. Must not throw.
    virtual std::optional<Response> peek(const Request& request) noexcept = 0;
    // `request` and `body` outlive the coroutine. What of the body is left unread is discarded by the session, or the
    // connection closed when that would take long. An exception is answered by 500 and logged.
    virtual asio::awaitable<Response> handle(const Request& request, ByteSource& body) = 0;
};

// "a=b&c=d" (application/x-www-form-urlencoded, also of a query) as decoded pairs, in order; nullopt when it holds a
// malformed escape or more than 256 pairs.
struct FormField {
    std::string name;
    std::string value;
};
std::optional<std::vector<FormField>> parse_form(std::string_view text);

}  // namespace entrepot
