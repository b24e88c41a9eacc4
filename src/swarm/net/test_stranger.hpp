#pragma once

#include "core/bytes.hpp"
#include "core/file_descriptor.hpp"
#include "swarm/identity/x509_handles.hpp"
#include "swarm/net/peer_tls_context.hpp"
#include "swarm/net/test_network.hpp"
#include "swarm/wire/frame_splitter.hpp"

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

namespace entrepot {

// A client of a node's that does what it likes: blocking, on a thread of its own, with any TLS. Nothing in it takes
// longer than ten seconds.
class TestStranger {
public:
    struct Manners {
        int version = TLS1_3_VERSION;
        std::string protocol{swarm_protocol_name};
        std::shared_ptr<const PeerTlsContext> certificate;  // whose certificate it shows; none: none
    };

    TestStranger(std::uint16_t port, const Manners& manners) : context_{SSL_CTX_new(TLS_client_method())}
    {
        SSL_CTX_set_max_proto_version(context_.get(), manners.version);
        if (manners.certificate) {
            SSL_CTX_use_certificate(context_.get(), SSL_CTX_get0_certificate(manners.certificate->native()));
            SSL_CTX_use_PrivateKey(context_.get(), SSL_CTX_get0_privatekey(manners.certificate->native()));
        }
        if (!manners.protocol.empty()) {
            const auto list = static_cast<char>(manners.protocol.size()) + manners.protocol;
            SSL_CTX_set_alpn_protos(
                context_.get(), reinterpret_cast<const unsigned char*>(list.data()), static_cast<unsigned>(list.size())
            );
        }
        socket_ = FileDescriptor{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        const timeval patience{.tv_sec = 10, .tv_usec = 0};
        ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return;
        ssl_.reset(SSL_new(context_.get()));
        SSL_set_fd(ssl_.get(), socket_.get());
        agreed_ = SSL_connect(ssl_.get()) == 1;
    }

    // Whether TLS is up as far as this side can tell.
    bool agreed() const { return agreed_; }
    bool write(std::string_view bytes)
    {
        return agreed_ && SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
    }
    bool write_below_tls(std::string_view bytes)
    {
        return ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0;
    }
    template <class Frame>
    bool say(const Frame& frame)
    {
        std::string bytes;
        append_frame(bytes, frame);
        return write(bytes);
    }
    bool greet(const NodeId& node)
    {
        HelloFrame hello;
        hello.node = node;
        hello.capabilities = CapabilitySet{}.with(Capability::serves);
        hello.max_credit = 100'000'000;
        return say(hello);
    }
    // Reads until a frame of this kind; nullopt: the connection ended, or nothing came.
    template <class Frame>
    std::optional<Frame> hear()
    {
        while (agreed_) {
            while (!heard_.empty()) {
                auto frame = std::move(heard_.front());
                heard_.erase(heard_.begin());
                if (auto* const wanted = std::get_if<Frame>(&frame)) return *wanted;
            }
            std::string bytes(16 * 1024, '\0');
            const int count = SSL_read(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
            if (count <= 0) return std::nullopt;
            take(std::string_view{bytes}.substr(0, static_cast<std::size_t>(count)));
        }
        return std::nullopt;
    }
    bool hears_the_end() { return !hear<RateFrame>().has_value(); }
    // With RST instead of FIN.
    void reset()
    {
        const linger now{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
        socket_.reset();
    }

private:
    void take(std::string_view bytes)
    {
        splitter_.feed(as_bytes(bytes));
        while (true) {
            auto item = splitter_.next();
            if (!item || !*item) return;
            if (const auto* const data = std::get_if<DataFrame>(&**item)) heard_.emplace_back(*data);
            if (const auto* const whole = std::get_if<WholeFrame>(&**item)) {
                auto frame = decode_peer_frame(whole->head, whole->body);
                if (frame && *frame) heard_.push_back(**std::move(frame));
            }
        }
    }

    OpensslPtr<SSL_CTX, SSL_CTX_free> context_;
    FileDescriptor socket_;
    OpensslPtr<SSL, SSL_free> ssl_;
    bool agreed_ = false;
    FrameSplitter splitter_;
    std::vector<PeerFrame> heard_;
};

// What a stranger does on its own thread, while the loop runs until it is through.
template <class Deed>
auto while_running(TestNetworkWorld& world, Deed deed)
{
    auto done = std::async(std::launch::async, std::move(deed));
    EXPECT_TRUE(world.run([&] { return done.wait_for(std::chrono::seconds{0}) == std::future_status::ready; }));
    return done.get();
}

}  // namespace entrepot
