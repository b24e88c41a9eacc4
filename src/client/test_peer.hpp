#pragma once

#include <atomic>
#include <cstdint>
#include <fstream>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace entrepot {

// For tests: a peer that does with each connection what its script says, on a thread of its own. The script gets the
// connection's number, from 0, and a function that reads the next request (its head and as much body as it announces).
class TestPeer {
public:
    class Link {
    public:
        virtual ~Link() = default;
        // The next request, empty when the other side has closed.
        virtual std::string request() = 0;
        virtual void say(std::string_view text) = 0;
        // Until the other side closes.
        void wait_for_the_end()
        {
            while (!request().empty()) {
            }
        }
    };
    using Script = std::function<void(int number, Link& link)>;

    explicit TestPeer(Script script, boost::asio::ssl::context* context = nullptr)
        : script_{std::move(script)}, context_{context}, thread_{[this] { serve(); }}
    {
    }
    ~TestPeer()
    {
        stopping_ = true;
        boost::system::error_code error;
        boost::asio::io_context loop;
        boost::asio::ip::tcp::socket waker{loop};
        waker.connect(acceptor_.local_endpoint(), error);
        thread_.join();
        for (auto& each : connections_) each.join();
    }
    TestPeer(const TestPeer&) = delete;
    TestPeer& operator=(const TestPeer&) = delete;

    std::string url(std::string_view path = "/", std::string_view host = "127.0.0.1") const
    {
        return std::string{context_ != nullptr ? "https://" : "http://"} + std::string{host} + ":" +
               std::to_string(acceptor_.local_endpoint().port()) + std::string{path};
    }
    int connections() const { return count_; }
    // Of those, how many the script has ended and closed.
    int ended() const { return ended_; }

private:
    using Socket = boost::asio::ip::tcp::socket;

    template <class Stream>
    class StreamLink final : public Link {
    public:
        explicit StreamLink(Stream& stream) : stream_{stream} {}
        std::string request() override
        {
            boost::system::error_code error;
            const auto head = boost::asio::read_until(stream_, boost::asio::dynamic_buffer(bytes_), "\r\n\r\n", error);
            if (error) return {};
            auto length = head;
            if (const auto at = bytes_.find("Content-Length: "); at < head)
                length += static_cast<std::size_t>(std::stoul(bytes_.substr(at + 16)));
            if (bytes_.find("Transfer-Encoding: chunked") < head) {
                length = boost::asio::read_until(stream_, boost::asio::dynamic_buffer(bytes_), "0\r\n\r\n", error);
            } else if (bytes_.size() < length) {
                boost::asio::read(
                    stream_,
                    boost::asio::dynamic_buffer(bytes_),
                    boost::asio::transfer_exactly(length - bytes_.size()),
                    error
                );
            }
            if (error) return {};
            auto request = bytes_.substr(0, length);
            bytes_.erase(0, length);
            return request;
        }
        void say(std::string_view text) override
        {
            boost::system::error_code error;
            boost::asio::write(stream_, boost::asio::buffer(text), error);
        }

    private:
        Stream& stream_;
        std::string bytes_;
    };

    void serve()
    {
        for (;;) {
            boost::system::error_code error;
            Socket socket{loop_};
            acceptor_.accept(socket, error);
            if (stopping_ || error) return;
            connections_.emplace_back([this, socket = std::move(socket), number = count_++]() mutable {
                talk(std::move(socket), number);
            });
        }
    }

    void talk(Socket socket, int number)
    {
        boost::system::error_code error;
        if (context_ == nullptr) {
            StreamLink<Socket> link{socket};
            script_(number, link);
            socket.shutdown(Socket::shutdown_both, error);
            ++ended_;
            return;
        }
        boost::asio::ssl::stream<Socket> stream{std::move(socket), *context_};
        stream.handshake(boost::asio::ssl::stream_base::server, error);
        if (error) return;
        StreamLink<boost::asio::ssl::stream<Socket>> link{stream};
        script_(number, link);
        stream.shutdown(error);
        ++ended_;
    }

    Script script_;
    boost::asio::ssl::context* context_;
    std::atomic<bool> stopping_ = false;
    std::atomic<int> count_ = 0;
    std::atomic<int> ended_ = 0;
    boost::asio::io_context loop_;
    boost::asio::ip::tcp::acceptor acceptor_{loop_, {boost::asio::ip::address_v4::loopback(), 0}};
    std::vector<std::thread> connections_;
    std::thread thread_;  // last: it uses all of the above
};

// Writes a key and a certificate for `name` (a DNS name) that is its own authority, as one PEM file.
inline void write_certificate(const std::string& path, const std::string& name)
{
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{EVP_EC_gen("P-256"), EVP_PKEY_free};
    const std::unique_ptr<X509, decltype(&X509_free)> certificate{X509_new(), X509_free};
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    auto* subject = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(
        subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0
    );
    X509_set_issuer_name(certificate.get(), subject);
    auto* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, ("DNS:" + name).c_str());
    X509_add_ext(certificate.get(), extension, -1);
    X509_EXTENSION_free(extension);
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    std::FILE* file = std::fopen(path.c_str(), "w");
    PEM_write_X509(file, certificate.get());
    PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
}

}  // namespace entrepot
