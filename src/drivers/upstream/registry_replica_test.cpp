#include "drivers/upstream/registry_replica.hpp"

#include "client/test_peer.hpp"
#include "core/run_to_end.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

#include <unistd.h>

namespace entrepot {
namespace {

std::string answer(std::string_view status, std::string_view body, const std::string& fields = {})
{
    return "HTTP/1.1 " + std::string{status} + "\r\n" + fields + "Content-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + std::string{body};
}

// Wants a token for each blob, and has one blob.
struct Registry {
    std::string reply(const std::string& request)
    {
        const std::lock_guard lock{mutex};
        requests.push_back(request);
        if (request.starts_with("GET /token?")) return answer("200 OK", R"({"token":"t0"})");
        if (request.find("\r\nAuthorization: Bearer t0\r\n") == std::string::npos) {
            return answer(
                "401 Unauthorized",
                "",
                "WWW-Authenticate: Bearer realm=\"" + peer.url("/token") + "\",service=\"the registry\"\r\n"
            );
        }
        if (request.find("blobs/" + digest_of("blob").text() + " ") == std::string::npos) {
            return answer("404 Not Found", "{}");
        }
        return answer("200 OK", "blob");
    }
    std::vector<std::string> asked()
    {
        const std::lock_guard lock{mutex};
        return requests;
    }
    std::mutex mutex;
    std::vector<std::string> requests;
    TestPeer peer{[this](int, TestPeer::Link& link) {
        for (auto request = link.request(); !request.empty(); request = link.request()) link.say(reply(request));
    }};
};

struct PasswordFile {
    explicit PasswordFile(std::string_view text) { std::ofstream{path} << text; }
    ~PasswordFile() { std::filesystem::remove(path); }
    PasswordFile(const PasswordFile&) = delete;
    PasswordFile& operator=(const PasswordFile&) = delete;
    std::string path =
        (std::filesystem::temp_directory_path() / ("replica-password-" + std::to_string(::getpid()))).string();
};

Task<std::string> fetch(RegistryReplica& replica, const char* repository, std::string_view content)
{
    CO_TRY(auto name, RepositoryName::parse(repository));
    CO_TRY(const auto source, co_await replica.open(std::move(name), digest_of(content)));
    co_return co_await read_all(*source, 1000);
}

std::string host_of(const TestPeer& peer)
{
    auto url = peer.url();
    url.pop_back();
    return url;
}

TEST(RegistryReplica, fetches_a_blob_with_a_token_for_its_repository)
{
    Registry registry;
    const PasswordFile password{"secret\n"};
    RegistryReplicaOptions options{.url = host_of(registry.peer), .user = "repair", .password_file = password.path};
    const auto replica = RegistryReplica::create(std::move(options)).value();
    EXPECT_EQ(run_to_end(fetch(*replica, "shop/web", "blob")).value(), "blob");
    const auto asked = registry.asked();
    ASSERT_EQ(asked.size(), 3U);
    EXPECT_TRUE(asked[0].starts_with("GET /v2/shop/web/blobs/" + digest_of("blob").text() + " HTTP/1.1\r\n"));
    EXPECT_TRUE(asked[1].starts_with(
        "GET /token?service=the%20registry&scope=repository%3Ashop%2Fweb%3Apull&account=repair HTTP/1.1\r\n"
    )) << asked[1];
    EXPECT_NE(asked[1].find("Authorization: Basic cmVwYWlyOnNlY3JldA==\r\n"), std::string::npos) << asked[1];
}

TEST(RegistryReplica, says_what_it_does_not_have_and_what_it_is_refused)
{
    Registry registry;
    const auto replica = RegistryReplica::create({.url = host_of(registry.peer)}).value();
    EXPECT_EQ(run_to_end(fetch(*replica, "shop/web", "other")).error().code(), Errc::blob_unknown);
    TestPeer strict{[](int, TestPeer::Link& link) {
        for (auto request = link.request(); !request.empty(); request = link.request()) {
            link.say(answer("401 Unauthorized", "", "WWW-Authenticate: Basic realm=\"x\"\r\n"));
        }
    }};
    const auto refused = RegistryReplica::create({.url = host_of(strict)}).value();
    EXPECT_EQ(run_to_end(fetch(*refused, "shop/web", "blob")).error().code(), Errc::denied);
    EXPECT_FALSE(RegistryReplica::create({.url = host_of(strict) + "/with/path"}));
}

}  // namespace
}  // namespace entrepot
