#include "http/server_fixture.hpp"

#include <cstdio>
#include <filesystem>
#include <future>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <unistd.h>

namespace entrepot::http {
namespace {

constexpr std::string_view get_hot = "GET /hot HTTP/1.1\r\nHost: a\r\n\r\n";

// Writes a new key and a certificate signed by it.
void make_certificate(const TlsFiles& files, const char* name)
{
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{EVP_EC_gen("P-256"), EVP_PKEY_free};
    const std::unique_ptr<X509, decltype(&X509_free)> certificate{X509_new(), X509_free};
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    auto* subject = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    X509_set_issuer_name(certificate.get(), subject);
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    std::FILE* file = std::fopen(files.certificate_file.c_str(), "w");
    PEM_write_X509(file, certificate.get());
    std::fclose(file);
    file = std::fopen(files.key_file.c_str(), "w");
    PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
}

class TlsClient {
public:
    explicit TlsClient(std::uint16_t port, int highest = TLS1_3_VERSION, const char* protocol = "http/1.1")
        : socket_{port}, context_{SSL_CTX_new(TLS_client_method()), SSL_CTX_free}, ssl_{nullptr, SSL_free}
    {
        SSL_CTX_set_max_proto_version(context_.get(), highest);
        SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
        ssl_.reset(SSL_new(context_.get()));
        const std::string name{protocol};
        const auto offered = static_cast<char>(name.size()) + name;
        SSL_set_alpn_protos(
            ssl_.get(), reinterpret_cast<const unsigned char*>(offered.data()), static_cast<unsigned>(offered.size())
        );
        SSL_set_fd(ssl_.get(), socket_.descriptor());
        connected_ = SSL_connect(ssl_.get()) == 1;
        ERR_clear_error();
    }

    bool connected() const noexcept { return connected_; }
    void send(std::string_view text)
    {
        if (!text.empty()) SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
    }
    std::string read_answer()
    {
        std::string head;
        while (!head.ends_with("\r\n\r\n")) {
            char byte = 0;
            if (SSL_read(ssl_.get(), &byte, 1) != 1) return head;
            head += byte;
        }
        std::string body(std::strtoull(head.c_str() + head.find("Content-Length: ") + 16, nullptr, 10), '\0');
        std::size_t got = 0;
        while (got < body.size()) {
            const auto count = SSL_read(ssl_.get(), body.data() + got, static_cast<int>(body.size() - got));
            if (count <= 0) break;
            got += static_cast<std::size_t>(count);
        }
        body.resize(got);
        return body;
    }
    bool ended()
    {
        char byte = 0;
        const int result = SSL_read(ssl_.get(), &byte, 1);
        return SSL_get_error(ssl_.get(), result) == SSL_ERROR_ZERO_RETURN;
    }
    std::string peer_name() const
    {
        const std::unique_ptr<X509, decltype(&X509_free)> peer{SSL_get1_peer_certificate(ssl_.get()), X509_free};
        char name[64] = {};
        X509_NAME_get_text_by_NID(X509_get_subject_name(peer.get()), NID_commonName, name, sizeof name);
        return name;
    }
    std::string protocol() const
    {
        const unsigned char* name = nullptr;
        unsigned size = 0;
        SSL_get0_alpn_selected(ssl_.get(), &name, &size);
        return {reinterpret_cast<const char*>(name), size};
    }

private:
    RawClient socket_;
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
    std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
    bool connected_ = false;
};

class TlsServerTest : public ServerTest {
protected:
    void SetUp() override
    {
        const auto pid = std::to_string(::getpid());
        folder_ = std::filesystem::temp_directory_path() / ("entrepot-tls-" + pid);
        std::filesystem::create_directories(folder_);
        files = {(folder_ / "certificate.pem").string(), (folder_ / "key.pem").string()};
        make_certificate(files, "first");
    }
    void TearDown() override
    {
        ServerTest::TearDown();
        std::filesystem::remove_all(folder_);
    }

    TlsFiles files;

private:
    std::filesystem::path folder_;
};

TEST_F(TlsServerTest, answers_from_memory_and_files_in_both_versions)
{
    serve({}, files);
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        TlsClient client{port(), version};
        ASSERT_TRUE(client.connected());
        EXPECT_EQ(client.protocol(), "http/1.1");
        client.send(std::string{get_hot} + std::string{get_hot});
        EXPECT_EQ(client.read_answer(), "hot");
        EXPECT_EQ(client.read_answer(), "hot");
        client.send("GET /file HTTP/1.1\r\nHost: a\r\n\r\nGET /memory?5000000 HTTP/1.1\r\nHost: a\r\n\r\n");
        EXPECT_TRUE(client.read_answer() == handler.file_content().substr(1));
        EXPECT_EQ(client.read_answer(), std::string(5'000'000, 'm'));
    }
}

TEST_F(TlsServerTest, receives_large_bodies)
{
    serve({}, files);
    TlsClient client{port()};
    const auto body = handler.file_content().substr(0, 3'000'000);
    client.send("PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n" + body);
    EXPECT_TRUE(client.read_answer() == body);
    client.send(
        "PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2dc6c0\r\n" + body + "\r\n0\r\n\r\n"
    );
    client.send(get_hot);
    EXPECT_TRUE(client.read_answer() == body);
    EXPECT_EQ(client.read_answer(), "hot");
}

TEST_F(TlsServerTest, says_goodbye_when_it_closes)
{
    serve({}, files);
    TlsClient client{port()};
    client.send("GET /hot HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(client.read_answer(), "hot");
    EXPECT_TRUE(client.ended());
}

TEST_F(TlsServerTest, refuses_old_versions_other_protocols_and_plain_text)
{
    serve({}, files);
    EXPECT_FALSE((TlsClient{port(), TLS1_1_VERSION}.connected()));
    EXPECT_FALSE((TlsClient{port(), TLS1_3_VERSION, "h2"}.connected()));
    RawClient plain{port()};
    plain.send(get_hot);
    EXPECT_EQ(plain.read_answer().status, 0U);
    EXPECT_TRUE((TlsClient{port()}.connected()));
}

TEST_F(TlsServerTest, gives_new_connections_the_reloaded_certificate)
{
    serve({}, files);
    TlsClient before{port()};
    EXPECT_EQ(before.peer_name(), "first");
    make_certificate(files, "second");
    ASSERT_TRUE(server->reload_tls());
    EXPECT_EQ((TlsClient{port()}.peer_name()), "second");
    before.send(get_hot);
    EXPECT_EQ(before.read_answer(), "hot");
    std::filesystem::resize_file(files.key_file, 10);
    EXPECT_FALSE(server->reload_tls());
    EXPECT_EQ((TlsClient{port()}.peer_name()), "second");
}

TEST_F(TlsServerTest, cuts_handshakes_that_do_not_end)
{
    HttpLimits limits;
    limits.header_timeout = std::chrono::seconds{1};
    serve(limits, files);
    RawClient silent{port()};
    EXPECT_TRUE(silent.ended());
}

TEST_F(TlsServerTest, does_not_begin_with_a_foreign_key)
{
    const auto key = files.key_file;
    files.key_file = files.certificate_file;
    EXPECT_THROW(serve({}, files), std::runtime_error);
    files.key_file = key;
}

}  // namespace
}  // namespace entrepot::http
