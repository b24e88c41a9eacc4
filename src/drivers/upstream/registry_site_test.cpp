#include "drivers/upstream/registry_site.hpp"

#include "drivers/upstream/scripted_registry.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ssl/context.hpp>
#include <gtest/gtest.h>

#include <unistd.h>

namespace entrepot {
namespace {

using std::chrono::steady_clock;

constexpr std::string_view manifest_text =
    R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]})";
constexpr std::string_view index_type = "Content-Type: application/vnd.oci.image.index.v1+json\r\n";

Task<std::string> read_blob(RegistrySite& site, Digest digest, std::uint64_t first, std::uint64_t& began)
{
    CO_TRY(const auto stream, co_await site.blob(repository_of(), std::move(digest), first));
    began = stream.first;
    co_return co_await read_all(*stream.body, 1'000'000);
}

Result<std::string> blob(RegistrySite& site, std::string_view content = "blob", std::uint64_t first = 0)
{
    std::uint64_t began = 0;
    return run_to_end(read_blob(site, digest_of(content), first, began));
}

ScriptedRegistry::Reply always(std::string answer)
{
    return [answer = std::move(answer)](const std::string&) { return answer; };
}

Errc manifest_failure(const std::string& answer, const Reference& reference)
{
    ScriptedRegistry registry{always(answer)};
    const auto read = run_to_end(open_site(endpoint_at(registry.url()))->manifest(repository_of(), reference));
    EXPECT_FALSE(read);
    return read ? Errc::internal : read.error().code();
}

class Bytes final : public ByteSource {
public:
    explicit Bytes(std::string bytes) : bytes_{std::move(bytes)} {}
    std::optional<std::uint64_t> size() const override { return bytes_.size(); }
    Task<std::size_t> read(std::span<std::byte> into) override
    {
        const auto count = bytes_.copy(reinterpret_cast<char*>(into.data()), into.size(), at_);
        at_ += count;
        co_return count;
    }

private:
    std::string bytes_;
    std::size_t at_ = 0;
};

TEST(RegistrySite, takes_no_manifest_that_is_not_what_it_says)
{
    const Reference wanted{digest_of(manifest_text)};
    EXPECT_EQ(
        manifest_failure(answer_of("200 OK", "<html>hello", "Content-Type: text/html\r\n"), tag_of()),
        Errc::manifest_invalid
    );
    EXPECT_EQ(manifest_failure(answer_of("200 OK", "<html>hello", index_type), tag_of()), Errc::manifest_invalid);
    EXPECT_EQ(manifest_failure(answer_of("200 OK", "", index_type), tag_of()), Errc::manifest_invalid);
    EXPECT_EQ(manifest_failure(answer_of("200 OK", "{}", index_type), wanted), Errc::digest_mismatch);
    const auto other = "Docker-Content-Digest: " + digest_of("other").text() + "\r\n" + std::string{index_type};
    EXPECT_EQ(manifest_failure(answer_of("200 OK", manifest_text, other), tag_of()), Errc::digest_mismatch);
    const std::string large = "{\"a\":\"" + std::string(std::size_t{5} << 20U, 'x') + "\"}";
    EXPECT_EQ(manifest_failure(answer_of("200 OK", large, index_type), tag_of()), Errc::manifest_invalid);
    EXPECT_EQ(manifest_failure(answer_of("404 Not Found", "<html>"), tag_of()), Errc::manifest_unknown);
    EXPECT_EQ(
        manifest_failure(answer_of("404 Not Found", R"({"errors":[{"code":"NAME_UNKNOWN"}]})"), tag_of()),
        Errc::name_unknown
    );
    EXPECT_EQ(manifest_failure(answer_of("500 Oh", "<html>"), tag_of()), Errc::unavailable);
}

TEST(RegistrySite, tells_what_a_registry_says_in_few_safe_characters)
{
    ScriptedRegistry registry{always(answer_of(
        "403 Forbidden",
        "{\"errors\":[{\"code\":\"denied\",\"message\":\"no\\u001b[31m" + std::string(500, 'x') + "\"}]}"
    ))};
    const auto error = run_to_end(open_site(endpoint_at(registry.url()))->manifest(repository_of(), tag_of())).error();
    EXPECT_EQ(error.code(), Errc::denied);
    EXPECT_TRUE(error.message().contains("403 DENIED: no [31mxxx")) << error.message();
    EXPECT_LT(error.message().size(), 300U);
}

TEST(RegistrySite, looks_with_a_get_where_head_says_too_little)
{
    ScriptedRegistry registry{[](const std::string& request) {
        if (request.starts_with("HEAD")) return answer_of("200 OK");
        return answer_of("200 OK", manifest_text, index_type);
    }};
    const auto head = run_to_end(open_site(endpoint_at(registry.url()))->look(repository_of(), tag_of())).value();
    EXPECT_EQ(head.digest, digest_of(manifest_text));
    EXPECT_EQ(head.size, manifest_text.size());
}

TEST(RegistrySite, takes_no_blob_that_is_not_what_was_asked_for)
{
    const auto failure = [](const std::string& answer, std::uint64_t first) {
        ScriptedRegistry registry{always(answer)};
        const auto read = blob(*open_site(endpoint_at(registry.url())), "blob", first);
        return read ? Errc::internal : read.error().code();
    };
    EXPECT_EQ(failure(answer_of("200 OK", "<html>", "Content-Type: text/html\r\n"), 0), Errc::unavailable);
    EXPECT_EQ(failure(answer_of("206 Partial", "lob", "Content-Range: bytes 0-2/4\r\n"), 1), Errc::unavailable);
    EXPECT_EQ(failure(answer_of("206 Partial", "lob", "Content-Range: bytes 1-1/4\r\n"), 1), Errc::unavailable);
    EXPECT_EQ(failure(answer_of("206 Partial", "lob"), 1), Errc::unavailable);
    EXPECT_EQ(failure(answer_of("206 Partial", "blob", "Content-Range: bytes 0-3/4\r\n"), 0), Errc::unavailable);
    EXPECT_EQ(failure(answer_of("416 No", "", "Content-Range: bytes */4\r\n"), 5), Errc::range_invalid);
    EXPECT_EQ(failure(answer_of("404 Not Found"), 0), Errc::blob_unknown);
    EXPECT_EQ(
        failure(answer_of("200 OK", "blob", "Docker-Content-Digest: " + digest_of("x").text() + "\r\n"), 0),
        Errc::digest_mismatch
    );
    // Less than it said, and then the end.
    EXPECT_EQ(
        failure("HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\nblob", 0), Errc::connection_lost
    );
    ScriptedRegistry breaker{[](const std::string&) { return std::string{}; }};
    EXPECT_EQ(blob(*open_site(endpoint_at(breaker.url()))).error().code(), Errc::connection_lost);
    EXPECT_EQ(breaker.asked().size(), 4U);  // tried again, with waits in between
}

TEST(RegistrySite, reads_a_blob_from_its_start_where_ranges_are_not_known)
{
    ScriptedRegistry registry{always(answer_of("200 OK", "blob"))};
    const auto site = open_site(endpoint_at(registry.url()));
    std::uint64_t began = 99;
    EXPECT_EQ(run_to_end(read_blob(*site, digest_of("blob"), 2, began)).value(), "blob");
    EXPECT_EQ(began, 0U);
    EXPECT_EQ(field_of(registry.asked().at(0), "Range"), "bytes=2-");
}

TEST(RegistrySite, asks_again_where_a_gateway_fails_and_not_when_it_writes)
{
    std::atomic<int> failures = 2;
    ScriptedRegistry registry{[&failures](const std::string&) {
        return failures-- > 0 ? answer_of("503 Busy") : answer_of("200 OK", "blob");
    }};
    const auto site = open_site(endpoint_at(registry.url()));
    EXPECT_EQ(blob(*site).value(), "blob");
    EXPECT_EQ(registry.asked().size(), 3U);
    failures = 1;
    EXPECT_EQ(run_to_end(site->begin(repository_of(), DigestAlgorithm::sha256, 1)).error().code(), Errc::unavailable);
    EXPECT_EQ(registry.asked().size(), 4U);
}

TEST(RegistrySite, waits_out_short_limits_and_remembers_long_ones)
{
    std::atomic<int> refusals = 1;
    std::string wait = "1";
    ScriptedRegistry registry{[&](const std::string&) {
        if (refusals-- > 0) return answer_of("429 Too Many", "{}", "Retry-After: " + wait + "\r\n");
        return answer_of("200 OK", "blob");
    }};
    const auto site = open_site(endpoint_at(registry.url()));
    const auto start = steady_clock::now();
    EXPECT_EQ(blob(*site).value(), "blob");
    EXPECT_GE(steady_clock::now() - start, std::chrono::milliseconds{900});
    EXPECT_EQ(site->rests_until(), 0);
    refusals = 1;
    wait = "3600";
    const auto before = SystemClock{}.now();
    const auto refused = blob(*site);
    EXPECT_EQ(refused.error().code(), Errc::too_many_requests);
    EXPECT_GT(refused.error().retry_after(), std::chrono::minutes{59});
    EXPECT_GE(site->rests_until(), before + 3'600'000'000);
    const auto asked = registry.asked().size();
    EXPECT_EQ(blob(*site).error().code(), Errc::too_many_requests);
    EXPECT_EQ(registry.asked().size(), asked);
}

TEST(RegistrySite, rests_when_the_registry_says_that_its_limit_is_used_up)
{
    ScriptedRegistry registry{
        always(answer_of("200 OK", "blob", "RateLimit-Remaining: 0;w=21600\r\nRateLimit-Reset: 100\r\n"))
    };
    const auto site = open_site(endpoint_at(registry.url()));
    EXPECT_EQ(blob(*site).value(), "blob");
    EXPECT_GT(site->rests_until(), SystemClock{}.now() + 90'000'000);
    // Docker Hub doesn't say when; it is asked until it refuses.
    ScriptedRegistry hub{always(answer_of("200 OK", "blob", "RateLimit-Remaining: 0;w=21600\r\n"))};
    const auto other = open_site(endpoint_at(hub.url()));
    EXPECT_EQ(blob(*other).value(), "blob");
    EXPECT_EQ(other->rests_until(), 0);
}

TEST(RegistrySite, follows_redirects_without_its_credentials)
{
    ScriptedRegistry storage{always(answer_of("200 OK", "blob"))};
    ScriptedRegistry registry{[&storage](const std::string& request) {
        if (field_of(request, "Authorization").empty())
            return answer_of("401 Unauthorized", {}, "WWW-Authenticate: Basic realm=\"x\"\r\n");
        return answer_of("307 Elsewhere", {}, "Location: " + storage.url("/bucket?signature=1") + "\r\n");
    }};
    const auto site = open_site(with_account(endpoint_at(registry.url())));
    EXPECT_EQ(blob(*site).value(), "blob");
    EXPECT_TRUE(storage.asked().at(0).starts_with("GET /bucket?signature=1 "));
    EXPECT_EQ(field_of(storage.asked().at(0), "Authorization"), "");
    // That it is somewhere is enough.
    EXPECT_TRUE(run_to_end(site->holds(repository_of(), digest_of("blob"))).value());
    EXPECT_EQ(storage.asked().size(), 1U);
}

TEST(RegistrySite, goes_nowhere_that_the_rules_do_not_allow)
{
    const auto only = std::make_shared<const OutboundRules>(OutboundRules::parse({"127.0.0.1"}).value());
    for (const auto* target : {"http://169.254.169.254/latest/meta-data", "http://127.0.0.2:1/", "http://[::1]:1/"}) {
        ScriptedRegistry registry{always(answer_of("307 Elsewhere", {}, "Location: " + std::string{target} + "\r\n"))};
        EXPECT_EQ(blob(*open_site(endpoint_at(registry.url()), only)).error().code(), Errc::denied) << target;
    }
    // A name that leads to this machine, and a log-in there.
    const auto none = std::make_shared<const OutboundRules>(OutboundRules::parse({}).value());
    ScriptedRegistry registry{always(answer_of("200 OK", "blob"))};
    EXPECT_EQ(blob(*open_site(endpoint_at(registry.url({}, "localhost")), none)).error().code(), Errc::denied);
    EXPECT_EQ(registry.connections(), 0);
    ScriptedRegistry tokens{
        always(answer_of("401 Unauthorized", {}, "WWW-Authenticate: Bearer realm=\"http://169.254.169.254/token\"\r\n"))
    };
    EXPECT_EQ(blob(*open_site(endpoint_at(tokens.url()), only)).error().code(), Errc::denied);
}

TEST(RegistrySite, keeps_tenants_out_of_private_networks)
{
    const auto rules = std::make_shared<const OutboundRules>(OutboundRules::parse({}).value());
    auto endpoint = endpoint_at("http://10.255.255.1:1");
    endpoint.tenant_id = 7;
    EXPECT_EQ(blob(*open_site(endpoint, rules)).error().code(), Errc::denied);
}

TEST(RegistrySite, follows_an_upload_wherever_it_is_sent)
{
    std::vector<std::string> locations;
    ScriptedRegistry storage{always(answer_of("202 Accepted", {}, "Range: 0-3\r\n"))};
    ScriptedRegistry registry{[&](const std::string& request) {
        if (request.starts_with("POST")) {
            if (field_of(request, "Authorization").empty())
                return answer_of("401 Unauthorized", {}, "WWW-Authenticate: Basic realm=\"x\"\r\n");
            const auto location = locations.back();
            locations.pop_back();
            return answer_of("202 Accepted", {}, "Location: " + location + "\r\nOCI-Chunk-Min-Length: 1024\r\n");
        }
        if (request.starts_with("PUT")) return answer_of("201 Created");
        return answer_of("202 Accepted", {}, "Range: 0-3\r\nLocation: /up/2?_state=y\r\n");
    }};
    locations = {storage.url("/up?signed=1"), registry.url("/up/1?_state=x"), "/up/1?_state=x", "1?_state=x"};
    const auto site = open_site(with_account(endpoint_at(registry.url())));
    const auto digest = digest_of("blob");
    for (const auto* place : {"/v2/shop/web/blobs/uploads/1?_state=x", "/up/1?_state=x", "/up/1?_state=x"}) {
        auto upload = run_to_end(site->begin(repository_of(), digest.algorithm(), 4)).value();
        EXPECT_EQ(upload.place, place);
        EXPECT_EQ(upload.shortest_chunk, 1024U);
        Bytes bytes{"blob"};
        upload = run_to_end(site->append(repository_of(), upload, bytes, 4)).value();
        EXPECT_EQ(upload.place, "/up/2?_state=y");
        EXPECT_EQ(upload.shortest_chunk, 1024U);
        const auto sent = registry.asked().back();
        EXPECT_EQ(field_of(sent, "Content-Range"), "0-3");
        EXPECT_EQ(field_of(sent, "Content-Length"), "4");
        ASSERT_TRUE(run_to_end(site->finish(repository_of(), upload, digest)));
        EXPECT_TRUE(registry.asked().back().starts_with("PUT /up/2?_state=y&digest=sha256%3A"));
    }
    // Elsewhere: signed, so without our credentials.
    auto upload = run_to_end(site->begin(repository_of(), digest.algorithm(), 4)).value();
    Bytes bytes{"blob"};
    ASSERT_TRUE(run_to_end(site->append(repository_of(), upload, bytes, 4)));
    EXPECT_EQ(field_of(storage.asked().at(0), "Authorization"), "");
}

TEST(RegistrySite, notices_when_an_upload_is_not_as_long_as_what_was_sent)
{
    ScriptedRegistry registry{always(answer_of("202 Accepted", {}, "Range: 0-1\r\n"))};
    const auto site = open_site(endpoint_at(registry.url()));
    Bytes bytes{"blob"};
    EXPECT_EQ(
        run_to_end(site->append(repository_of(), {.place = "/up"}, bytes, 4)).error().code(), Errc::upload_offset
    );
    ScriptedRegistry gone{always(answer_of("404 Not Found", R"({"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]})"))};
    const auto other = open_site(endpoint_at(gone.url()));
    EXPECT_EQ(run_to_end(other->resume(repository_of(), "/up")).error().code(), Errc::upload_unknown);
}

TEST(RegistrySite, finds_that_a_lost_answer_was_a_success)
{
    ScriptedRegistry registry{[](const std::string& request) {
        return request.starts_with("HEAD") ? answer_of("200 OK") : answer_of("404 Not Found");
    }};
    const auto site = open_site(endpoint_at(registry.url()));
    EXPECT_TRUE(run_to_end(site->finish(repository_of(), {.place = "/up"}, digest_of("blob"))));
}

TEST(RegistrySite, goes_on_with_a_list_by_the_link_alone)
{
    ScriptedRegistry registry{[](const std::string& request) {
        if (request.starts_with("GET /v2/shop/web/tags/list?n=2 "))
            return answer_of(
                "200 OK", R"({"tags":["a","b"]})", "Link: </v2/shop/web/tags/list?n=2&last=b&more=x>; rel=\"next\"\r\n"
            );
        if (request.starts_with("GET /v2/shop/web/tags/list?n=2&last=b&more=x "))
            return answer_of("200 OK", R"({"tags":["c"]})");
        return answer_of(
            "200 OK", R"({"repositories":["x"]})", "Link: <http://elsewhere.example/v2/_other?n=1>; rel=next\r\n"
        );
    }};
    const auto url = registry.url();
    auto page = run_to_end(open_site(endpoint_at(url))->tags(repository_of(), {.limit = 2, .last = {}})).value();
    EXPECT_EQ(page.names, (std::vector<std::string>{"a", "b"}));
    // Kept over a restart.
    page = run_to_end(open_site(endpoint_at(url))->tags(repository_of(), {.limit = 2, .last = page.next})).value();
    EXPECT_EQ(page.names, (std::vector<std::string>{"c"}));
    EXPECT_EQ(page.next, "");
    const auto site = open_site(endpoint_at(url));
    EXPECT_EQ(run_to_end(site->repositories({.limit = 1, .last = {}})).error().code(), Errc::unavailable);
    const PageRequest forged{.limit = 1, .last = "/v2/other/secrets?x"};
    EXPECT_EQ(run_to_end(site->tags(repository_of(), forged)).error().code(), Errc::page_invalid);
}

Task<> read_two(RegistrySite& site)
{
    using namespace asio::experimental::awaitable_operators;
    std::uint64_t began = 0;
    auto both = read_blob(site, digest_of("blob"), 0, began) && read_blob(site, digest_of("blob"), 0, began);
    const auto [left, right] = co_await std::move(both);
    EXPECT_TRUE(left && right);
    co_return Result<>{};
}

TEST(RegistrySite, keeps_within_the_limits_of_its_endpoint)
{
    std::atomic<int> running = 0;
    std::atomic<int> most = 0;
    ScriptedRegistry registry{[&](const std::string&) {
        most = std::max<int>(most, ++running);
        std::this_thread::sleep_for(std::chrono::milliseconds{50});
        --running;
        return answer_of("200 OK", std::string(200'000, 'x'));
    }};
    auto endpoint = endpoint_at(registry.url());
    endpoint.limits = {.bytes_per_second = 400'000, .requests_at_once = 1};
    const auto site = open_site(endpoint);
    const auto start = steady_clock::now();
    ASSERT_TRUE(run_to_end(read_two(*site)));
    EXPECT_EQ(most, 1);
    EXPECT_GE(steady_clock::now() - start, std::chrono::milliseconds{800});
}

// A certificate for "localhost" in a file of its own.
struct Certificate {
    Certificate()
    {
        write_certificate(path, "localhost");
        context.use_certificate_chain_file(path);
        context.use_private_key_file(path, boost::asio::ssl::context::pem);
        std::ifstream file{path};
        const std::string both{std::istreambuf_iterator<char>{file}, {}};
        text = both.substr(0, both.find("-----BEGIN", 20));
        std::filesystem::remove(path);
        BIO* bio = BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
        X509* parsed = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
        unsigned char hash[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        X509_digest(parsed, EVP_sha256(), hash, &size);
        pin = "sha256:" + to_hex(std::as_bytes(std::span{hash, size}));
        X509_free(parsed);
        BIO_free(bio);
    }
    std::string path = (std::filesystem::temp_directory_path() / ("site-tls-" + std::to_string(::getpid()))).string();
    boost::asio::ssl::context context{boost::asio::ssl::context::tls_server};
    std::string text;
    std::string pin;
};

TEST(RegistrySite, trusts_an_authority_a_pin_or_anything_as_its_endpoint_says)
{
    Certificate certificate;
    ScriptedRegistry registry{always(answer_of("200 OK", "blob")), &certificate.context};
    const auto url = registry.url({}, "localhost");
    EXPECT_EQ(blob(*open_site(endpoint_at(url))).error().code(), Errc::unavailable);
    auto trusting = endpoint_at(url);
    trusting.ca_certificate = certificate.text;
    EXPECT_EQ(blob(*open_site(trusting)).value(), "blob");
    auto pinned = endpoint_at(url);
    pinned.certificate_pin = certificate.pin;
    EXPECT_EQ(blob(*open_site(pinned)).value(), "blob");
    // A pin counts whoever else is trusted.
    for (auto endpoint : {trusting, pinned}) {
        endpoint.insecure = true;
        endpoint.certificate_pin = "sha256:" + std::string(64, '0');
        EXPECT_EQ(blob(*open_site(endpoint)).error().code(), Errc::unavailable);
    }
    auto insecure = endpoint_at(url);
    insecure.insecure = true;
    EXPECT_EQ(blob(*open_site(insecure)).value(), "blob");
}

TEST(RegistrySite, is_not_made_of_what_can_not_be)
{
    const SystemClock clock;
    const auto failure = [&clock](RegistryEndpoint endpoint) {
        const auto made = RegistrySite::create({.endpoint = std::move(endpoint)}, clock);
        return made ? Errc::internal : made.error().code();
    };
    EXPECT_EQ(failure(endpoint_at("ftp://x")), Errc::bad_request);
    EXPECT_EQ(failure(endpoint_at("http://x?y")), Errc::bad_request);
    EXPECT_EQ(failure(endpoint_at("http://x", "nothing-known")), Errc::bad_request);
    auto endpoint = endpoint_at("https://x");
    endpoint.certificate_pin = "sha256:123";
    EXPECT_EQ(failure(endpoint), Errc::bad_request);
    endpoint = endpoint_at("https://x");
    endpoint.ca_certificate = "no PEM";
    EXPECT_EQ(failure(endpoint), Errc::bad_request);
}

}  // namespace
}  // namespace entrepot
