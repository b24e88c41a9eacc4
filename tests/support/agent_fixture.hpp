#pragma once

#include "agent/agent.hpp"
#include "client/http_client.hpp"
#include "core/bytes.hpp"
#include "core/run_to_end.hpp"
#include "http/byte_range.hpp"
#include "http/server.hpp"
#include "oci/digest.hpp"
#include "swarm/descriptor/chunk_hashes.hpp"
#include "tests/support/chunk_files_fixture.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace entrepot {

// An image as a registry has it.
struct FakeImage {
    explicit FakeImage(const std::vector<std::size_t>& sizes, unsigned seed = 1)
    {
        ImageContent content;
        std::string layers;
        for (const auto size : sizes) {
            blobs.push_back(chunked(size, seed++));
            content.blobs.push_back(blobs.back().blob);
            hashes += encode_hash_list(blobs.back().hashes);
            const auto json = R"({"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":")" +
                              digest(blobs.size() - 1).text() + R"(","size":)" + std::to_string(size) + "}";
            if (blobs.size() == 1)
                manifest = R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)" +
                           json + R"(,"layers":[)";
            else
                layers += (layers.empty() ? "" : ",") + json;
        }
        manifest += layers + "]}";
        const auto hash = sha256_of(as_bytes(manifest));
        content.manifest = hash;
        descriptor = ImageDescriptor::of(content).value();
    }

    Digest digest(std::size_t blob) const { return digest_of(blobs[blob].bytes); }
    std::string bundle() const
    {
        const auto& bytes = descriptor->bytes();
        std::string text(4, '\0');
        for (std::size_t at = 0; at < 4; ++at) text[at] = static_cast<char>(bytes.size() >> (8 * at));
        return text + bytes + hashes;
    }

    std::vector<ChunkedBytes> blobs;  // the config, then layers
    std::string manifest;
    std::string hashes;
    std::optional<ImageDescriptor> descriptor;
};

// A body that breaks off: where, is its owner's to say, at any time.
class TestBody final : public ArrivingBody {
public:
    TestBody(std::shared_ptr<const std::string> bytes, ByteRange range, std::atomic<std::int64_t>& allowed)
        : bytes_{std::move(bytes)}, range_{range}, allowed_{allowed}
    {
    }
    std::uint64_t length() const noexcept override { return range_.length; }
    Task<Part> part(std::uint64_t offset) override
    {
        const auto wanted = static_cast<std::int64_t>(std::min<std::uint64_t>(range_.length - offset, 64 * 1024));
        if ((allowed_ -= wanted) < 0) co_return fail(Errc::unavailable, "broken off");
        co_return MemoryRange{
            .bytes = bytes_, .offset = range_.offset + offset, .length = static_cast<std::size_t>(wanted)
        };
    }
    void stop() noexcept override {}

private:
    const std::shared_ptr<const std::string> bytes_;
    const ByteRange range_;
    std::atomic<std::int64_t>& allowed_;
};

// A registry with one image in some repositories, which tokens may pull from.
class FakeRegistry final : public Handler {
public:
    explicit FakeRegistry(const FakeImage& image) : image_{image}
    {
        server_ = std::make_unique<HttpServer>(
            std::vector<ListenerOptions>{{.name = "test", .address = "127.0.0.1", .tls = {}, .handler = this}},
            HttpLimits{},
            clock_,
            1
        );
        server_->start();
    }
    ~FakeRegistry() override { server_->stop(); }
    FakeRegistry(const FakeRegistry&) = delete;
    FakeRegistry& operator=(const FakeRegistry&) = delete;

    std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port(0)); }
    // "" may pull without any Authorization.
    void allow(const std::string& authorization, const std::string& repository)
    {
        const std::lock_guard guard{mutex_};
        rights_.insert({authorization, repository});
    }
    void forbid(const std::string& authorization, const std::string& repository)
    {
        const std::lock_guard guard{mutex_};
        rights_.erase({authorization, repository});
    }

    std::optional<Response> peek(const Request&) noexcept override { return std::nullopt; }
    asio::awaitable<Response> handle(const Request& request, ByteSource&) override
    {
        auto response = answer(request);
        if (request.method == Method::head && !response.announced_length) {
            response.announced_length = response.body_length();
            response.body = std::monostate{};
        }
        co_return response;
    }

    std::atomic<bool> down{false};  // answers 503 to everything
    std::atomic<bool> takes_ranges{true};
    std::atomic<unsigned> bundle_status{200};
    std::atomic<std::int64_t> bytes_left{std::int64_t{1} << 40U};  // of blobs, before answers break off
    std::atomic<int> bundles{0};
    std::atomic<int> unchanged{0};
    std::atomic<int> blob_gets{0};
    std::atomic<int> blob_heads{0};
    std::atomic<int> all{0};

private:
    static Response status(unsigned code)
    {
        Response response;
        response.status = code;
        response.body = std::string{"{}"};
        return response;
    }

    bool may(const Request& request, const std::string& repository)
    {
        const std::lock_guard guard{mutex_};
        return rights_.contains({std::string{request.header("authorization").value_or("")}, repository});
    }

    Response answer(const Request& request)
    {
        ++all;
        if (down) return status(503);
        const std::string path{request.path};
        if (path == "/v2/") return refusal();
        const auto marker = path.starts_with("/swarm/v1/images/") ? path.rfind('/')
                            : path.contains("/blobs/")            ? path.find("/blobs/")
                                                                  : path.find("/manifests/");
        const auto start = path.starts_with("/swarm") ? std::string{"/swarm/v1/images/"}.size() : 4;
        if (marker == std::string::npos) return status(404);
        if (!may(request, path.substr(start, marker - start))) return refusal();
        if (path.starts_with("/swarm")) return bundle(request);
        if (path.contains("/blobs/")) return blob(request, path.substr(marker + 7));
        Response response;
        response.add("Content-Type", "application/vnd.oci.image.manifest.v1+json");
        response.add("Docker-Content-Digest", digest_of(image_.manifest).text());
        response.add("X-Secret", "not for clients");
        response.body = image_.manifest;
        return response;
    }

    static Response refusal()
    {
        auto response = status(401);
        return response.add("WWW-Authenticate", R"(Bearer realm="https://registry.test/token",service="r")");
    }

    Response bundle(const Request& request)
    {
        ++bundles;
        if (bundle_status != 200) return status(bundle_status);
        const auto id = to_hex(std::as_bytes(std::span{image_.descriptor->id().bytes}));
        Response response;
        response.add("ETag", '"' + id + '"').add("Entrepot-Swarm", id);
        if (request.query.starts_with("node=")) response.add("Entrepot-Ticket", to_base64url(as_bytes("a ticket")));
        if (request.header("if-none-match") == '"' + id + '"') {
            ++unchanged;
            response.status = 304;
            return response;
        }
        response.body = image_.bundle();
        return response;
    }

    Response blob(const Request& request, const std::string& digest)
    {
        for (std::size_t at = 0; at < image_.blobs.size(); ++at) {
            if (image_.digest(at).text() == digest) return bytes(request, image_.blobs[at].bytes);
        }
        return status(404);
    }

    Response bytes(const Request& request, const std::string& all_of_it)
    {
        Response response;
        response.add("Content-Type", "application/octet-stream");
        ByteRange range{.offset = 0, .length = all_of_it.size()};
        if (const auto wanted = request.header("range"); wanted && takes_ranges) {
            const auto parsed = parse_range(*wanted, all_of_it.size());
            if (!parsed) return status(416);
            if (*parsed) {
                range = **parsed;
                response.status = 206;
                response.add(
                    "Content-Range",
                    "bytes " + std::to_string(range.offset) + "-" + std::to_string(range.offset + range.length - 1) +
                        "/" + std::to_string(all_of_it.size())
                );
            }
        }
        if (request.method == Method::head) {
            ++blob_heads;
            response.announced_length = range.length;
        } else {
            ++blob_gets;
            response.body =
                std::make_shared<TestBody>(std::make_shared<const std::string>(all_of_it), range, bytes_left);
        }
        return response;
    }

    const FakeImage& image_;
    std::mutex mutex_;
    std::set<std::pair<std::string, std::string>> rights_;
    SystemClock clock_;
    std::unique_ptr<HttpServer> server_;
};

// A swarm that the test plays: it stores chunks when it is told to.
class TestCarrier final : public ImageCarrier {
public:
    std::optional<std::string> node() const override { return std::string(64, 'a'); }
    void bring(AgentImagePtr image, std::string ticket, bool urgent) override
    {
        EXPECT_EQ(ticket, "a ticket");
        const std::lock_guard guard{mutex};
        EXPECT_EQ(urgent, expects_urgent);
        images.push_back(std::move(image));
        bell.ring();
    }
    void urge(const SwarmId&, ChunkSpan chunks) override
    {
        const std::lock_guard guard{mutex};
        urged.push_back(chunks);
    }
    void came(const SwarmId&, ChunkIndex chunk) override
    {
        const std::lock_guard guard{mutex};
        arrived.insert(chunk);
    }
    void ahead(const SwarmId&, std::uint64_t rate) override
    {
        const std::lock_guard guard{mutex};
        rates.push_back(rate);
    }
    void leave_ahead(const SwarmId& image) override
    {
        const std::lock_guard guard{mutex};
        left.push_back(image);
    }
    void tell(PreheatProgressFrame progress) override
    {
        const std::lock_guard guard{mutex};
        told.push_back(std::move(progress));
    }

    Bell bell;
    std::mutex mutex;
    bool expects_urgent = true;
    std::vector<std::uint64_t> rates;
    std::vector<SwarmId> left;
    std::vector<PreheatProgressFrame> told;
    std::vector<AgentImagePtr> images;
    std::vector<ChunkSpan> urged;
    std::set<ChunkIndex> arrived;
};

// Lets go of the carrier that Agent owns while the test goes on looking at it.
class TestCarrierHandle final : public ImageCarrier {
public:
    explicit TestCarrierHandle(std::shared_ptr<TestCarrier> carrier) : carrier_{std::move(carrier)} {}
    std::optional<std::string> node() const override { return carrier_->node(); }
    void bring(AgentImagePtr image, std::string ticket, bool urgent) override
    {
        carrier_->bring(std::move(image), std::move(ticket), urgent);
    }
    void urge(const SwarmId& image, ChunkSpan chunks) override { carrier_->urge(image, chunks); }
    void came(const SwarmId& image, ChunkIndex chunk) override { carrier_->came(image, chunk); }
    void ahead(const SwarmId& image, std::uint64_t rate) override { carrier_->ahead(image, rate); }
    void leave_ahead(const SwarmId& image) override { carrier_->leave_ahead(image); }
    void tell(PreheatProgressFrame progress) override { carrier_->tell(std::move(progress)); }

private:
    const std::shared_ptr<TestCarrier> carrier_;
};

// An agent in front of that registry, and a client of it.
class AgentTest : public testing::Test {
protected:
    static constexpr const char* alice = "Bearer alice";
    static constexpr const char* mallory = "Bearer mallory";

    void SetUp() override { registry.allow(alice, "shop/web"); }
    void TearDown() override
    {
        agent.reset();
        if (carrier) carrier->images.clear();
    }

    void start(bool with_swarm = false)
    {
        AgentConfig config;
        config.registry = registry.url();
        config.serves = {"registry.test"};
        config.listen.port = 0;
        config.metrics_listen = AgentEndpoint{.address = "127.0.0.1", .port = 0};
        config.data = folder.path() / "agent";
        config.budget = budget;
        config.patience = patience;
        AgentSwarmFactory factory;
        if (with_swarm) {
            carrier = std::make_shared<TestCarrier>();
            factory = [this](const AgentSwarmNeeds& needs) -> Result<std::unique_ptr<ImageCarrier>> {
                preheat = needs.preheat;
                return std::make_unique<TestCarrierHandle>(carrier);
            };
        }
        auto made = Agent::create(std::move(config), clock, std::move(factory), times);
        ASSERT_TRUE(made) << made.error().message();
        agent = *std::move(made);
        agent->start();
    }

    ClientResponse
    ask(const std::string& path,
        const std::string& authorization,
        std::vector<HttpField> fields = {},
        const char* method = "GET")
    {
        auto client = HttpClient::create({.exchange_patience = std::chrono::seconds{60}, .longest_body = 1U << 28U});
        if (!authorization.empty()) fields.push_back({.name = "Authorization", .value = authorization});
        auto response = run_to_end(client->send({
            .method = method,
            .url = "http://127.0.0.1:" + std::to_string(agent->port()) + path,
            .fields = std::move(fields),
        }));
        if (response) return *std::move(response);
        ClientResponse none;
        none.body = response.error().message();
        return none;
    }
    std::string blob_path(std::size_t blob, const std::string& repository = "shop/web") const
    {
        return "/v2/" + repository + "/blobs/" + image.digest(blob).text();
    }
    ClientResponse manifest(const std::string& authorization, const std::string& repository = "shop/web")
    {
        return ask("/v2/" + repository + "/manifests/1", authorization);
    }
    bool metric_is(const std::string& line) const { return ("\n" + agent->metrics()).contains("\n" + line + "\n"); }
    // Waits for the image that the carrier is to bring.
    AgentImagePtr brought()
    {
        for (;;) {
            {
                const std::lock_guard guard{carrier->mutex};
                if (!carrier->images.empty()) return carrier->images.front();
            }
            std::this_thread::yield();
        }
    }
    // As the swarm would.
    void store(const AgentImagePtr& into, std::size_t blob, std::uint32_t chunk)
    {
        const auto index = image.descriptor->chunks_of(blob).first + chunk;
        const auto stored = run_to_end(into->store(index, image.blobs[blob].chunk(chunk)));
        EXPECT_TRUE(stored) << stored.error().message();
    }

    FakeImage image{{100, 2 * chunk_bytes + 77, 12 * chunk_bytes, 0}};
    FakeRegistry registry{image};
    ChunkTestFolder folder;
    SystemClock clock;
    std::uint64_t budget = 1U << 30U;
    std::chrono::milliseconds patience{60'000};
    Agent::Patience times;
    std::shared_ptr<TestCarrier> carrier;
    std::function<void(const PreheatFrame&)> preheat;  // what the swarm does with such a job
    std::unique_ptr<Agent> agent;
};

}  // namespace entrepot
