#include "http/transport.hpp"

#include <cerrno>

#include <sys/sendfile.h>
#include <sys/socket.h>

namespace entrepot::http {
namespace {

bool would_block() noexcept
{
    return errno == EAGAIN || errno == EWOULDBLOCK;
}

}  // namespace

Transfer PlainTransport::receive(std::span<std::byte> into)
{
    while (true) {
        const auto count = ::recv(descriptor_, into.data(), into.size(), 0);
        if (count > 0) return {static_cast<std::size_t>(count), Io::ready};
        if (count == 0) return {0, Io::ended};
        if (errno == EINTR) continue;
        return {0, would_block() ? Io::wants_read : Io::failed};
    }
}

Transfer PlainTransport::send(std::span<const iovec> parts, bool more_follows)
{
    std::size_t wanted = 0;
    for (const auto& part : parts) wanted += part.iov_len;
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(parts.data());
    message.msg_iovlen = parts.size();
    while (true) {
        const auto count = ::sendmsg(descriptor_, &message, MSG_NOSIGNAL | (more_follows ? MSG_MORE : 0));
        if (count >= 0) {
            const auto sent = static_cast<std::size_t>(count);
            return {sent, sent == wanted ? Io::ready : Io::wants_write};
        }
        if (errno == EINTR) continue;
        return {0, would_block() ? Io::wants_write : Io::failed};
    }
}

Transfer PlainTransport::send_file(const FileRange& range)
{
    auto offset = static_cast<off_t>(range.offset);
    while (true) {
        const auto count = ::sendfile(descriptor_, range.file->descriptor(), &offset, range.length);
        if (count > 0) {
            const auto sent = static_cast<std::size_t>(count);
            return {sent, sent == range.length ? Io::ready : Io::wants_write};
        }
        if (count < 0 && errno == EINTR) continue;
        // Zero: the file is shorter than it was said to be.
        return {0, count < 0 && would_block() ? Io::wants_write : Io::failed};
    }
}

void PlainTransport::finish()
{
    ::shutdown(descriptor_, SHUT_WR);
}

}  // namespace entrepot::http
