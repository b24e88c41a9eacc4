#include "http/tls_transport.hpp"

#include <algorithm>
#include <cerrno>
#include <new>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace entrepot::http {
namespace {

constexpr std::size_t most_at_once = 128 * 1024;  // of clear text, for one send
constexpr std::size_t record = 16 * 1024;

// A BIO that appends what is written to a string, whose address is its data.
int append(BIO* bio, const char* data, std::size_t size, std::size_t* written)
{
    static_cast<std::string*>(BIO_get_data(bio))->append(data, size);
    *written = size;
    return 1;
}

long control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/)
{
    return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP ? 1 : 0;
}

const BIO_METHOD* appending_method()
{
    static BIO_METHOD* const method = [] {
        auto* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "appending");
        if (!made) throw std::bad_alloc{};
        BIO_meth_set_write_ex(made, append);
        BIO_meth_set_ctrl(made, control);
        return made;
    }();
    return method;
}

class TlsTransport final : public Transport {
public:
    TlsTransport(int descriptor, SslContext context, SharedBuffers& buffers)
        : descriptor_{descriptor},
          buffers_{buffers},
          context_{std::move(context)},
          ssl_{SSL_new(context_.get()), SSL_free}
    {
        BIO* input = BIO_new_socket(descriptor, BIO_NOCLOSE);
        output_ = BIO_new(appending_method());
        if (!ssl_ || !input || !output_) {
            BIO_free(input);
            BIO_free(output_);
            throw std::bad_alloc{};
        }
        BIO_set_data(output_, &buffers_.ciphertext);
        BIO_set_init(output_, 1);
        SSL_set0_rbio(ssl_.get(), input);
        SSL_set0_wbio(ssl_.get(), output_);
        SSL_set_accept_state(ssl_.get());
    }

    Io handshake() override
    {
        if (const auto next = begin(); next != Io::ready) return next;
        const int result = SSL_do_handshake(ssl_.get());
        const auto next = result == 1 ? Io::ready : after(result);
        const auto flushed = push();
        return next == Io::failed || flushed == Io::ready ? next : flushed;
    }

    Transfer receive(std::span<std::byte> into) override
    {
        // Output that waits (a key update's answer, at most) must not stop input: its turn comes with the next send.
        ERR_clear_error();
        buffers_.ciphertext.clear();
        std::size_t count = 0;
        const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &count);
        const auto next = result == 1 ? Io::ready : after(result);
        if (!buffers_.ciphertext.empty() && push() == Io::failed) return {0, Io::failed};
        return {count, next};
    }

    bool holds_input() const noexcept override { return SSL_has_pending(ssl_.get()) == 1; }

    Transfer send(std::span<const iovec> parts, bool /*more_follows*/) override
    {
        if (const auto next = begin(); next != Io::ready) return {0, next};
        std::size_t total = 0;
        for (const auto& part : parts) total += part.iov_len;
        const bool sealed = total <= record ? seal_joined(parts) : seal_each(parts, total);
        if (!sealed) return {0, Io::failed};
        return {total, push()};
    }

    Transfer send_file(const FileRange& range) override
    {
        if (const auto next = begin(); next != Io::ready) return {0, next};
        buffers_.discard.resize(most_at_once);
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(range.length, most_at_once));
        const auto count =
            ::pread(range.file->descriptor(), buffers_.discard.data(), wanted, static_cast<off_t>(range.offset));
        if (count <= 0 || !seal(buffers_.discard.data(), static_cast<std::size_t>(count))) return {0, Io::failed};
        return {static_cast<std::size_t>(count), push()};
    }

    Io flush() override { return begin(); }

    void finish() override
    {
        if (begin() == Io::ready && SSL_is_init_finished(ssl_.get())) {
            SSL_shutdown(ssl_.get());
            push();
        }
        ::shutdown(descriptor_, SHUT_WR);
    }

private:
    // Sends what waits from before; ready when the loop's buffer is free for new records.
    Io begin()
    {
        ERR_clear_error();
        buffers_.ciphertext.clear();
        return waiting_.empty() ? Io::ready : push();
    }

    bool seal(const char* data, std::size_t size)
    {
        std::size_t written = 0;
        while (size > 0) {
            if (SSL_write_ex(ssl_.get(), data, size, &written) != 1) return false;
            data += written;
            size -= written;
        }
        return true;
    }

    // Small answers become one record.
    bool seal_joined(std::span<const iovec> parts)
    {
        auto& joined = buffers_.discard;
        joined.clear();
        for (const auto& part : parts) joined.append(static_cast<const char*>(part.iov_base), part.iov_len);
        return seal(joined.data(), joined.size());
    }

    bool seal_each(std::span<const iovec> parts, std::size_t& total)
    {
        std::size_t left = std::min(total, most_at_once);
        total = left;
        for (const auto& part : parts) {
            const auto size = std::min(part.iov_len, left);
            if (!seal(static_cast<const char*>(part.iov_base), size)) return false;
            left -= size;
        }
        return true;
    }

    Io after(int result)
    {
        switch (SSL_get_error(ssl_.get(), result)) {
            case SSL_ERROR_WANT_READ: return Io::wants_read;
            case SSL_ERROR_WANT_WRITE: return Io::wants_write;
            case SSL_ERROR_ZERO_RETURN: return Io::ended;
            default: return Io::failed;
        }
    }

    // Sends the loop's buffer, behind what waited before.
    Io push()
    {
        if (!waiting_.empty()) {
            waiting_ += buffers_.ciphertext;
            buffers_.ciphertext.clear();
        }
        std::string& from = waiting_.empty() ? buffers_.ciphertext : waiting_;
        std::size_t sent = 0;
        while (sent < from.size()) {
            const auto count = ::send(descriptor_, from.data() + sent, from.size() - sent, MSG_NOSIGNAL);
            if (count < 0 && errno == EINTR) continue;
            if (count < 0 && errno != EAGAIN) return Io::failed;
            if (count < 0) break;
            sent += static_cast<std::size_t>(count);
        }
        if (sent == from.size()) {
            from.clear();
            waiting_.shrink_to_fit();
            return Io::ready;
        }
        if (&from == &waiting_) {
            waiting_.erase(0, sent);
        } else {
            waiting_.assign(from, sent);
        }
        return Io::wants_write;
    }

    int descriptor_;
    SharedBuffers& buffers_;
    SslContext context_;
    std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
    BIO* output_ = nullptr;  // owned by ssl_
    std::string waiting_;    // ciphertext that the socket has not taken yet
};

}  // namespace

std::unique_ptr<Transport> make_tls_transport(int descriptor, SslContext context, SharedBuffers& buffers)
{
    return std::make_unique<TlsTransport>(descriptor, std::move(context), buffers);
}

}  // namespace entrepot::http
