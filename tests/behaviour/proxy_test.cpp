// Proxy caches against a scripted upstream, a real SQLite catalog and blobs in files: what clients get, and how often
// the upstream is asked, HTTP aside.
#include "core/run_to_end.hpp"
#include "drivers/filesystem/filesystem_blobs.hpp"
#include "drivers/filesystem/scratch_directory.hpp"
#include "drivers/sqlite/sqlite_store.hpp"
#include "exchange/proxy/proxy_cache.hpp"
#include "tenancy/access_directory.hpp"
#include "tests/support/one_upstream.hpp"
#include "tests/support/pattern.hpp"
#include "tests/support/plain_sqlite.hpp"
#include "tests/support/scripted_site.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include <unistd.h>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

// The system's time, which a test may push on.
class PushedClock final : public Clock {
public:
    Micros now() const noexcept override { return system_.now() + pushed_.load(); }
    std::chrono::steady_clock::time_point steady() const noexcept override
    {
        return system_.steady() + std::chrono::microseconds{pushed_.load()};
    }
    void push(std::chrono::microseconds by) noexcept { pushed_ += by.count(); }

private:
    SystemClock system_;
    std::atomic<Micros> pushed_{0};
};

std::string image_of(const std::string& config, const std::vector<std::string>& layers)
{
    const auto descriptor = [](std::string_view type, const std::string& bytes) {
        return R"({"mediaType":")" + std::string{type} + R"(","digest":")" + digest_of(bytes).text() + R"(","size":)" +
               std::to_string(bytes.size()) + "}";
    };
    std::string text = R"({"schemaVersion":2,"mediaType":")" + std::string{media::oci_manifest} + R"(","config":)" +
                       descriptor("application/vnd.oci.image.config.v1+json", config) + R"(,"layers":[)";
    for (const auto& layer : layers) {
        if (text.back() != '[') text += ',';
        text += descriptor("application/vnd.oci.image.layer.v1.tar", layer);
    }
    return text + "]}";
}

class TheProxy : public testing::Test {
protected:
    TheProxy()
    {
        store = open_store();
        const auto project = ProjectName::parse("hub").value();
        if (!run(store->projects().create({.name = project}, {.user_id = 1, .at = clock.now()}))) std::abort();
        PlainSqlite plain{directory_ + "/db"};
        plain.run("INSERT INTO registries (name, description, type, url, credential_type, access_key, access_secret, "
                  "insecure, "
                  "ca_certificate, certificate_pin, token_host, bytes_per_second, requests_at_once, tenant_id, status, "
                  "status_detail, checked_at, created_at, updated_at, version) VALUES ('far', '', 'docker-registry', "
                  "'http://far', "
                  "'', '', '', 0, '', '', '', 0, 0, 0, 'unknown', '', 0, 0, 0, 1)");
        plain.run("UPDATE projects SET registry_id = 1 WHERE name = 'hub'");
        if (!run(directory.catch_up())) std::abort();
        start();
    }
    ~TheProxy() override
    {
        end();
        blobs.stop();
        store->stop();
        store.reset();
    }
    std::unique_ptr<MetadataStore> open_store()
    {
        SqliteOptions options;
        options.file = directory_ + "/db";
        return open_sqlite_store(options, clock);
    }
    std::unique_ptr<ProxyCache> make(ProxyBlobs::Options options)
    {
        // A loop is not run again once it was stopped.
        auto& loop = *loops.emplace_back(std::make_unique<asio::io_context>(1));
        return std::make_unique<ProxyCache>(
            ProxyCache::Needs{
                .loop = loop,
                .policy = policy,
                .catalog = store->proxies(),
                .upstreams = upstreams,
                .manifests = store->manifests(),
                .links = store->blobs(),
                .sessions = store->uploads(),
                .bytes = blobs,
                .store = blobs,
                .views = blobs,
                .random = random,
                .clock = clock,
            },
            options
        );
    }
    void start(ProxyBlobs::Options options = {}) { proxy = make(options); }
    void end() { proxy.reset(); }
    void settings(const std::string& json)
    {
        PlainSqlite plain{directory_ + "/db"};
        plain.run("UPDATE projects SET proxy_settings = '" + json + "'");
        clock.push(3s);
    }
    std::int64_t number(const std::string& query) { return PlainSqlite{directory_ + "/db"}.number(query); }

    template <class T>
    static Result<T> run(Task<T> task)
    {
        return run_to_end(std::move(task));
    }
    static RepositoryName name(std::string_view text) { return RepositoryName::parse(text).value(); }

    // What a client gets of a blob: all of it, or what came before it broke off.
    struct Got {
        std::string bytes;
        std::optional<Errc> error{};
        std::chrono::steady_clock::duration first_byte{};
    };
    static Task<> read_arriving(ProxyCache::Arriving arriving, std::uint64_t from, Got& got)
    {
        const auto began = std::chrono::steady_clock::now();
        while (from + got.bytes.size() < arriving.size) {
            const auto at = from + got.bytes.size();
            CO_TRY(const auto until, co_await arriving.fetch->beyond(at, arriving.attempt, 1s));
            if (until == at) continue;
            CO_TRY(const auto part, arriving.fetch->part(at, until - at));
            if (got.bytes.empty()) got.first_byte = std::chrono::steady_clock::now() - began;
            std::string bytes(until - at, '\0');
            if (part.bytes) bytes = *part.bytes;
            if (part.file && ::pread(part.file->descriptor(), bytes.data(), bytes.size(), static_cast<off_t>(at)) !=
                                 static_cast<ssize_t>(bytes.size())) {
                co_return fail(Errc::internal, "a short read");
            }
            got.bytes += bytes;
        }
        co_return Result<>{};
    }
    Got get(std::string_view repository, const Digest& digest, std::uint64_t from = 0, ProxyCache* by = nullptr)
    {
        Got got;
        const auto here = run(store->blobs().load(name(repository), digest));
        auto content = here ? run(blobs.load(digest)) : Result<BlobContent>{fail(Errc::blob_unknown, "")};
        if (!content) {
            const auto arriving = run((by != nullptr ? *by : *proxy).blob(name(repository), digest));
            if (!arriving) return {.bytes = {}, .error = arriving.error().code()};
            if (arriving->fetch) {
                const auto read = run(read_arriving(*arriving, from, got));
                if (!read) got.error = read.error().code();
                return got;
            }
            content = run(blobs.load(digest));
            if (!content) return {.bytes = {}, .error = content.error().code()};
        }
        got.bytes.assign(content->size, '\0');
        if (content->bytes) got.bytes = *content->bytes;
        if (content->file) (void)!::pread(content->file->descriptor(), got.bytes.data(), got.bytes.size(), 0);
        got.bytes.erase(0, from);
        return got;
    }
    // The manifest's digest as a client sees it.
    Result<std::string> pull(std::string_view repository, std::string_view reference)
    {
        const auto parsed = Reference::parse(reference).value();
        TRY(const auto passed, run(proxy->bring(name(repository), parsed)));
        if (passed) return passed->digest.text();
        TRY(const auto stored, run(store->manifests().load(name(repository), parsed)));
        return stored->digest.text();
    }
    void wait_until_stored(std::string_view repository, const Digest& digest)
    {
        for (int i = 0; i < 500 && !run(store->blobs().load(name(repository), digest)); ++i) {
            std::this_thread::sleep_for(10ms);
        }
        EXPECT_TRUE(run(store->blobs().load(name(repository), digest)));
    }
    // Readers have all of it a moment before its upload has ended.
    std::int64_t uploads_left()
    {
        const std::string count = "SELECT count(*) FROM uploads";
        for (int i = 0; i < 500 && number(count) > 0; ++i) std::this_thread::sleep_for(10ms);
        return number(count);
    }
    void publish(const std::string& tag, unsigned seed = 1)
    {
        config = R"({"architecture":"arm64","os":"linux","seed":)" + std::to_string(seed) + "}";
        layer = pattern(3'000'000, seed);
        site->add_blob(config);
        site->add_blob(layer);
        image = site->add_manifest("some/app", tag, image_of(config, {layer}), std::string{media::oci_manifest});
    }

    ScratchDirectory scratch_;
    const std::string directory_ = scratch_.path().string();
    PushedClock clock;
    SystemRandom random;
    std::unique_ptr<MetadataStore> store;
    FilesystemBlobs blobs{{.root = directory_ + "/blobs"}};
    AccessPolicy policy{ProjectCreation::admins, clock};
    std::shared_ptr<ScriptedSite> site = std::make_shared<ScriptedSite>();
    OneUpstream upstreams{*site};
    std::vector<std::unique_ptr<asio::io_context>> loops;
    std::unique_ptr<ProxyCache> proxy;
    std::string config;
    std::string layer;
    Digest image = digest_of("");

    // Opened on first use: the store is made by the constructor.
    struct Directory {
        TheProxy& test;
        Task<> catch_up()
        {
            if (!made) made = std::make_unique<AccessDirectory>(test.store->access(), test.policy);
            co_return co_await made->catch_up();
        }
        std::unique_ptr<AccessDirectory> made{};
    } directory{*this};
};

TEST_F(TheProxy, brings_an_image_once_and_answers_from_here_then)
{
    publish("v1");
    EXPECT_EQ(pull("hub/some/app", "v1").value(), image.text());
    EXPECT_EQ(get("hub/some/app", digest_of(config)).bytes, config);
    const auto streams = site->streams.load();
    const auto got = get("hub/some/app", digest_of(layer));
    EXPECT_FALSE(got.error);
    EXPECT_EQ(got.bytes, layer);
    wait_until_stored("hub/some/app", digest_of(layer));
    EXPECT_EQ(site->streams.load(), streams + 1);

    const auto asked = site->streams.load() + site->manifests.load();
    EXPECT_EQ(pull("hub/some/app", image.text()).value(), image.text());
    EXPECT_EQ(get("hub/some/app", digest_of(layer)).bytes, layer);
    EXPECT_EQ(site->streams.load() + site->manifests.load(), asked) << "it is here";
    EXPECT_EQ(uploads_left(), 0);
    EXPECT_EQ(number("SELECT count(*) FROM blob_fetches"), 0);
}

TEST_F(TheProxy, fifty_clients_at_once_are_one_fetch_and_see_bytes_before_the_last_have_come)
{
    const auto bytes = pattern(8'000'000);
    site->add_blob(bytes);
    site->set({.between_reads = 5ms});
    std::vector<Got> got(50);
    {
        std::vector<std::jthread> clients;
        for (std::size_t i = 0; i < got.size(); ++i) {
            clients.emplace_back([&, i] {
                // Some come later, some want the end only.
                std::this_thread::sleep_for(std::chrono::milliseconds{i % 5 * 40});
                got[i] = get("hub/some/app", digest_of(bytes), i % 7 == 0 ? 5'000'000 : 0);
            });
        }
    }
    for (std::size_t i = 0; i < got.size(); ++i) {
        EXPECT_FALSE(got[i].error);
        EXPECT_EQ(got[i].bytes, i % 7 == 0 ? bytes.substr(5'000'000) : bytes) << i;
    }
    EXPECT_EQ(site->streams.load(), 1);
    EXPECT_EQ(site->bytes_sent.load(), bytes.size());
    EXPECT_LT(got[1].first_byte, 300ms) << "of about 650 that all of it takes";
}

TEST_F(TheProxy, goes_on_where_the_upstream_broke_off)
{
    const auto bytes = pattern(2'000'000);
    site->add_blob(bytes);
    site->set({.break_after = 700'000, .breaks = 2});
    const auto got = get("hub/some/app", digest_of(bytes));
    EXPECT_FALSE(got.error);
    EXPECT_EQ(got.bytes, bytes);
    EXPECT_EQ(site->streams.load(), 3);
    EXPECT_EQ(site->ranged.load(), 2);
    EXPECT_EQ(site->bytes_sent.load(), bytes.size()) << "no byte twice";
}

TEST_F(TheProxy, a_short_answer_is_a_break_also_where_the_source_knows_no_ranges)
{
    const auto bytes = pattern(2'000'000);
    site->add_blob(bytes);
    site->set({.end_after = 900'000, .breaks = 2, .ranges = false});
    const auto got = get("hub/some/app", digest_of(bytes));
    EXPECT_FALSE(got.error);
    EXPECT_EQ(got.bytes, bytes);
}

TEST_F(TheProxy, other_bytes_than_the_digest_says_are_never_a_whole_blob)
{
    const auto bytes = pattern(1'000'000);
    auto lie = bytes;
    lie[500'000] ^= 1;
    site->add_blob(digest_of(bytes), lie);
    site->set({.between_reads = 2ms});
    const auto got = get("hub/some/app", digest_of(bytes));
    EXPECT_TRUE(got.error);
    EXPECT_LT(got.bytes.size(), bytes.size());
    EXPECT_FALSE(run(store->blobs().load(name("hub/some/app"), digest_of(bytes))));
    EXPECT_FALSE(run(blobs.load(digest_of(bytes))));

    const auto streams = site->streams.load();
    EXPECT_TRUE(get("hub/some/app", digest_of(bytes)).error);
    EXPECT_EQ(site->streams.load(), streams) << "remembered for a while";
    EXPECT_EQ(uploads_left(), 0);
    EXPECT_TRUE(std::filesystem::is_empty(directory_ + "/blobs/uploads"));
    site->add_blob(bytes);
    clock.push(11s);
    EXPECT_EQ(get("hub/some/app", digest_of(bytes)).bytes, bytes);
}

TEST_F(TheProxy, a_page_in_the_place_of_a_blob_reaches_nobody)
{
    publish("v1");
    ASSERT_TRUE(pull("hub/some/app", "v1"));
    site->add_blob(digest_of(layer), "<html>Log in to the airport's network</html>");
    const auto got = get("hub/some/app", digest_of(layer));
    EXPECT_EQ(got.error, Errc::unavailable);
    EXPECT_TRUE(got.bytes.empty());
}

// The file of its upload is opened while the upstream is asked.
TEST_F(TheProxy, what_the_upstream_refuses_leaves_nothing_behind)
{
    publish("v1");
    ASSERT_TRUE(pull("hub/some/app", "v1"));
    for (const auto refused : {Errc::blob_unknown, Errc::denied, Errc::unavailable}) {
        site->set({.before_answer = 20ms, .refuses = refused});
        const auto got = get("hub/some/app", digest_of(layer));
        EXPECT_TRUE(got.error);
        EXPECT_TRUE(got.bytes.empty());
        EXPECT_EQ(uploads_left(), 0);
        EXPECT_TRUE(std::filesystem::is_empty(directory_ + "/blobs/uploads"));
        EXPECT_EQ(number("SELECT count(*) FROM blob_fetches"), 0);
        clock.push(11s);
    }
    site->set({});
    EXPECT_EQ(get("hub/some/app", digest_of(layer)).bytes, layer);
}

TEST_F(TheProxy, a_page_in_the_place_of_a_manifest_is_no_manifest)
{
    site->add_manifest("some/app", "v1", "<html>Log in</html>", "text/html");
    EXPECT_EQ(pull("hub/some/app", "v1").error().code(), Errc::unavailable);
    publish("v1");
    EXPECT_TRUE(pull("hub/some/app", "v1"));
    site->add_manifest("some/app", "v1", "<html>Log in</html>", "text/html");
    EXPECT_EQ(pull("hub/some/app", "v1").value(), image.text()) << "what is here is answered";
}

TEST_F(TheProxy, a_dead_upstream_takes_nothing_away)
{
    publish("v1");
    ASSERT_TRUE(pull("hub/some/app", "v1"));
    for (const auto code : {Errc::unavailable, Errc::too_many_requests, Errc::denied, Errc::connection_lost}) {
        site->set({.refuses = code});
        EXPECT_EQ(pull("hub/some/app", "v1").value(), image.text());
        EXPECT_FALSE(pull("hub/some/app", "v2"));
        clock.push(1h);
    }
    site->set({.before_answer = 20s});
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(pull("hub/some/app", "v1").value(), image.text());
    EXPECT_LT(std::chrono::steady_clock::now() - began, 3s);
}

TEST_F(TheProxy, failures_in_a_row_open_the_breaker_and_a_probe_closes_it)
{
    publish("v1");
    site->set({.refuses = Errc::unavailable});
    for (int i = 0; i < 20; ++i) EXPECT_FALSE(pull("hub/some/app", "none-" + std::to_string(i)));
    EXPECT_EQ(site->manifests.load(), Breaker::most_failures);
    clock.push(6s);
    site->set({});
    EXPECT_TRUE(pull("hub/some/app", "v1"));
    EXPECT_EQ(site->manifests.load(), Breaker::most_failures + 1);
}

TEST_F(TheProxy, who_asks_for_nonsense_closes_it_for_nobody)
{
    publish("v1");
    for (const auto code : {Errc::bad_request, Errc::name_invalid, Errc::manifest_invalid, Errc::digest_mismatch}) {
        site->set({.refuses = code});
        for (int i = 0; i < 10; ++i) EXPECT_FALSE(pull("hub/some/app", "none-" + std::to_string(i)));
    }
    site->set({});
    EXPECT_TRUE(pull("hub/some/app", "v1"));
}

TEST_F(TheProxy, a_moments_outage_is_not_remembered_of_a_blob)
{
    publish("v1");
    site->set({.refuses = Errc::unavailable});
    EXPECT_EQ(get("hub/some/app", digest_of(layer)).error, Errc::unavailable);
    site->set({});
    EXPECT_EQ(get("hub/some/app", digest_of(layer)).bytes, layer);
}

TEST_F(TheProxy, a_limit_is_kept_to_until_its_time_has_come)
{
    publish("v1");
    site->rest = clock.now() + 60'000'000;
    const auto refused = pull("hub/some/app", "v1");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::too_many_requests);
    EXPECT_GE(refused.error().retry_after(), 50s);
    EXPECT_EQ(site->manifests.load(), 0);
    clock.push(61s);
    EXPECT_TRUE(pull("hub/some/app", "v1"));
}

TEST_F(TheProxy, a_tag_is_as_fresh_as_the_project_wants)
{
    publish("v1", 1);
    const auto old_image = image;
    ASSERT_TRUE(pull("hub/some/app", "v1"));
    publish("v1", 2);
    EXPECT_EQ(pull("hub/some/app", "v1").value(), image.text()) << "always";

    settings(R"({"freshness":"ttl","ttl":60})");
    EXPECT_EQ(pull("hub/some/app", "v1").value(), image.text());
    const auto before = image;
    publish("v1", 3);
    const auto looks = site->looks.load();
    EXPECT_EQ(pull("hub/some/app", "v1").value(), before.text());
    EXPECT_EQ(site->looks.load(), looks);
    clock.push(61s);
    EXPECT_EQ(pull("hub/some/app", "v1").value(), image.text());

    settings(R"({"freshness":"stale_while_revalidate","ttl":60})");
    const auto third = image;
    publish("v1", 4);
    clock.push(61s);
    EXPECT_EQ(pull("hub/some/app", "v1").value(), third.text());
    for (int i = 0; i < 300 && pull("hub/some/app", "v1").value() == third.text(); ++i)
        std::this_thread::sleep_for(10ms);
    EXPECT_EQ(pull("hub/some/app", "v1").value(), image.text());

    settings(R"({"freshness":"local_first"})");
    const auto fourth = image;
    publish("v1", 5);
    clock.push(1h * 24 * 365);
    EXPECT_EQ(pull("hub/some/app", "v1").value(), fourth.text());
}

TEST_F(TheProxy, a_tag_that_the_upstream_has_no_more_is_gone_unless_the_project_keeps_it)
{
    publish("v1");
    ASSERT_TRUE(pull("hub/some/app", "v1"));
    site->remove_tag("some/app", "v1");
    EXPECT_EQ(pull("hub/some/app", "v1").error().code(), Errc::manifest_unknown);
    const auto looks = site->looks.load();
    EXPECT_EQ(pull("hub/some/app", "v1").error().code(), Errc::manifest_unknown);
    EXPECT_EQ(site->looks.load(), looks) << "remembered for a while";
    EXPECT_TRUE(pull("hub/some/app", image.text())) << "by its digest it is here";
    settings(R"({"local_on_not_found":true})");
    EXPECT_EQ(pull("hub/some/app", "v1").value(), image.text());
}

TEST_F(TheProxy, a_tag_that_is_gone_is_gone_where_nobody_waits_for_the_look_too)
{
    publish("v1");
    settings(R"({"freshness":"stale_while_revalidate","ttl":1})");
    ASSERT_TRUE(pull("hub/some/app", "v1"));
    site->remove_tag("some/app", "v1");
    clock.push(2s);
    bool gone = false;
    for (int i = 0; i < 300 && !gone; ++i) {
        gone = !pull("hub/some/app", "v1");
        if (!gone) std::this_thread::sleep_for(10ms);
    }
    EXPECT_TRUE(gone);
}

TEST_F(TheProxy, what_another_repository_says_of_a_blob_does_not_count)
{
    publish("v1");
    auto lie = image_of(config, {layer});
    const auto said = lie.find("3000000");
    ASSERT_NE(said, std::string::npos);
    lie.replace(said, 7, "3000001");
    site->add_manifest("evil/app", "v1", lie, std::string{media::oci_manifest});
    ASSERT_TRUE(pull("hub/evil/app", "v1"));
    ASSERT_TRUE(pull("hub/some/app", "v1"));
    EXPECT_EQ(run(proxy->blob_size(name("hub/some/app"), digest_of(layer))).value(), layer.size());
    EXPECT_EQ(get("hub/some/app", digest_of(layer)).bytes, layer);
}

TEST_F(TheProxy, an_index_keeps_its_bytes_and_its_children_come_when_they_are_asked_for)
{
    publish("");
    const auto child = image;
    const auto index = R"({"schemaVersion":2,"mediaType":")" + std::string{media::oci_index} +
                       R"(","manifests":[{"mediaType":")" + std::string{media::oci_manifest} + R"(","digest":")" +
                       child.text() + R"(","size":)" + std::to_string(image_of(config, {layer}).size()) +
                       R"(,"platform":{"architecture":"arm64","os":"linux"}},{"mediaType":")" +
                       std::string{media::oci_manifest} + R"(","digest":")" + digest_of("elsewhere").text() +
                       R"(","size":9,"platform":{"architecture":"s390x","os":"linux"}}]})";
    const auto digest = site->add_manifest("some/app", "multi", index, std::string{media::oci_index});
    EXPECT_EQ(pull("hub/some/app", "multi").value(), digest.text());
    EXPECT_EQ((*run(store->manifests().load(name("hub/some/app"), Reference{digest})))->bytes, index);
    EXPECT_EQ(site->manifests.load(), 1);
    EXPECT_TRUE(pull("hub/some/app", child.text()));
    EXPECT_EQ(pull("hub/some/app", digest_of("elsewhere").text()).error().code(), Errc::manifest_unknown);
}

TEST_F(TheProxy, only_repositories_that_the_project_allows_are_fetched)
{
    publish("v1");
    settings(R"({"repositories":["library/**"]})");
    EXPECT_EQ(pull("hub/some/app", "v1").error().code(), Errc::denied);
    EXPECT_EQ(get("hub/some/app", digest_of(layer)).error, Errc::denied);
    EXPECT_EQ(site->manifests.load() + site->streams.load(), 0);
}

TEST_F(TheProxy, what_the_quota_has_no_room_for_is_passed_on)
{
    const auto bytes = pattern(2'000'000);
    site->add_blob(bytes);
    const auto id = run(store->projects().find(ProjectName::parse("hub").value()))->id;
    ASSERT_TRUE(run(store->projects().set_quota(id, {.bytes = 1'000'000}, {.user_id = 1, .at = clock.now()})));
    const auto got = get("hub/some/app", digest_of(bytes));
    EXPECT_FALSE(got.error);
    EXPECT_EQ(got.bytes, bytes);
    EXPECT_FALSE(run(store->blobs().load(name("hub/some/app"), digest_of(bytes))));
    EXPECT_EQ(get("hub/some/app", digest_of(bytes)).bytes, bytes);
    EXPECT_EQ(uploads_left(), 0);
    EXPECT_TRUE(std::filesystem::is_empty(directory_ + "/blobs/uploads"));
}

TEST_F(TheProxy, a_quota_that_is_full_on_the_way_ends_no_pull)
{
    const auto bytes = pattern(2'000'000);
    site->add_blob(bytes);
    end();
    start({.checkpoint = 300'000});
    const auto id = run(store->projects().find(ProjectName::parse("hub").value()))->id;
    ASSERT_TRUE(run(store->projects().set_quota(id, {.bytes = 1'000'000}, {.user_id = 1, .at = clock.now()})));
    for (const bool says_size : {true, false}) {
        site->set({.says_size = says_size});
        const auto got = get("hub/some/app", digest_of(bytes));
        EXPECT_FALSE(got.error) << says_size;
        EXPECT_TRUE(got.bytes == bytes) << says_size;
    }
    EXPECT_EQ(uploads_left(), 0);
}

TEST_F(TheProxy, another_instance_has_what_is_passed_on_as_well)
{
    const auto bytes = pattern(2'000'000);
    site->add_blob(bytes);
    site->set({.between_reads = 10ms});
    const auto id = run(store->projects().find(ProjectName::parse("hub").value()))->id;
    ASSERT_TRUE(run(store->projects().set_quota(id, {.bytes = 1'000'000}, {.user_id = 1, .at = clock.now()})));
    auto second = make({});
    Got first_got;
    Got second_got;
    {
        std::jthread one{[&] { first_got = get("hub/some/app", digest_of(bytes)); }};
        std::this_thread::sleep_for(100ms);
        std::jthread other{[&] { second_got = get("hub/some/app", digest_of(bytes), 0, second.get()); }};
    }
    EXPECT_EQ(first_got.bytes, bytes);
    EXPECT_EQ(second_got.bytes, bytes);
    EXPECT_EQ(site->streams.load(), 1);
}

TEST_F(TheProxy, a_size_that_nobody_told_is_waited_for)
{
    const auto bytes = pattern(500'000);
    site->add_blob(bytes);
    site->set({.says_size = false});
    EXPECT_EQ(get("hub/some/app", digest_of(bytes)).bytes, bytes);
}

TEST_F(TheProxy, a_lost_blob_is_fetched_again)
{
    publish("v1");
    ASSERT_TRUE(pull("hub/some/app", "v1"));
    ASSERT_EQ(get("hub/some/app", digest_of(layer)).bytes, layer);
    wait_until_stored("hub/some/app", digest_of(layer));
    auto remover = run(blobs.begin_removal()).value();
    ASSERT_EQ(run(remover->remove({digest_of(layer)}))->blobs, 1U);
    EXPECT_EQ(get("hub/some/app", digest_of(layer)).bytes, layer);
}

TEST_F(TheProxy, another_repositorys_blob_is_linked_once_the_upstream_has_shown_it)
{
    publish("v1");
    ASSERT_EQ(get("hub/some/app", digest_of(layer)).bytes, layer);
    wait_until_stored("hub/some/app", digest_of(layer));
    const auto sent = site->bytes_sent.load();
    EXPECT_EQ(get("hub/other/app", digest_of(layer)).bytes, layer);
    EXPECT_LE(site->bytes_sent.load(), sent + 1);
    EXPECT_EQ(site->ranged.load(), 1);
}

TEST_F(TheProxy, a_fetch_that_was_ended_with_its_process_is_gone_on_with)
{
    const auto bytes = pattern(14'000'000);
    site->add_blob(bytes);
    end();
    start({.alone = true, .checkpoint = 500'000});
    site->set({.between_reads = 20ms});
    {
        const auto arriving = run(proxy->blob(name("hub/some/app"), digest_of(bytes))).value();
        ASSERT_TRUE(arriving.fetch);
        while (run(arriving.fetch->beyond(0, 0, 1s)).value() < 3'000'000) std::this_thread::sleep_for(10ms);
        end();  // which has patience for two seconds
    }
    EXPECT_EQ(number("SELECT count(*) FROM uploads"), 1);
    start({.alone = true});
    site->set({});
    const auto rest = get("hub/some/app", digest_of(bytes));
    EXPECT_FALSE(rest.error) << name_of(rest.error.value_or(Errc::internal)) << " after " << rest.bytes.size();
    EXPECT_TRUE(rest.bytes == bytes);
    EXPECT_LT(site->bytes_sent.load(), bytes.size() + 1'500'000) << "only what was not written down came again";
    wait_until_stored("hub/some/app", digest_of(bytes));
    EXPECT_EQ(uploads_left(), 0);
}

TEST_F(TheProxy, another_instance_reads_along_and_takes_over_when_the_first_is_gone)
{
    const auto bytes = pattern(4'000'000);
    site->add_blob(bytes);
    site->set({.between_reads = 10ms});
    auto second = make({.lease = 400'000});
    {
        Got first_got;
        Got second_got;
        std::jthread one{[&] { first_got = get("hub/some/app", digest_of(bytes)); }};
        std::this_thread::sleep_for(100ms);
        std::jthread other{[&] { second_got = get("hub/some/app", digest_of(bytes), 0, second.get()); }};
        one.join();
        other.join();
        EXPECT_EQ(first_got.bytes, bytes);
        EXPECT_EQ(second_got.bytes, bytes);
        EXPECT_EQ(site->streams.load(), 1);
    }
    const auto more = pattern(4'000'000, 9);
    site->add_blob(more);
    end();
    start({.lease = 400'000});
    {
        const auto arriving = run(proxy->blob(name("hub/some/app"), digest_of(more))).value();
        ASSERT_TRUE(run(arriving.fetch->beyond(0, 0, 1s)));
        Got got;
        std::jthread other{[&] {
            got = get("hub/some/app", digest_of(more), 0, second.get());
            // What it had read along may have been another's: cut off, and asked for again.
            if (got.error) got = get("hub/some/app", digest_of(more), 0, second.get());
        }};
        std::this_thread::sleep_for(100ms);
        end();
        other.join();
        EXPECT_EQ(got.bytes, more);
    }
}

TEST(ProxySettings, are_read_at_the_door)
{
    EXPECT_TRUE(parse_proxy_settings(""));
    const auto harbors = proxy_settings_in(
        {{"proxy_speed_kb", "100"},
         {"max_upstream_conn", "-1"},
         {"proxy_cache_local_on_not_found", "true"},
         {"proxy_cache_filter_pattern", "library/**"}}
    );
    EXPECT_EQ(harbors.bytes_per_second, 102'400);
    EXPECT_EQ(harbors.fetches_at_once, 16);
    EXPECT_TRUE(harbors.local_on_not_found);
    EXPECT_FALSE(harbors.allows("other/app"));
    const auto both = parse_proxy_settings(R"({"bytes_per_second":7,"repositories":[]})", harbors);
    ASSERT_TRUE(both);
    EXPECT_EQ(both->bytes_per_second, 7);
    EXPECT_TRUE(both->local_on_not_found);
    EXPECT_TRUE(both->allows("other/app"));
    const auto settings = parse_proxy_settings(
        R"({"freshness":"ttl","ttl":5,"negative_ttl":1,"repositories":["library/*"],"bytes_per_second":9,"fetches_at_once":2})"
    );
    ASSERT_TRUE(settings);
    EXPECT_EQ(settings->ttl, 5'000'000);
    EXPECT_TRUE(settings->allows("library/alpine"));
    EXPECT_FALSE(settings->allows("other/alpine"));
    for (const auto* wrong :
         {"[]",
          "{",
          R"({"freshness":"never"})",
          R"({"ttl":-1})",
          R"({"ttl":"5"})",
          R"({"fetches_at_once":0})",
          R"({"repositories":["{"]})",
          R"({"unknown":1})",
          R"({"local_on_not_found":1})"}) {
        const auto refused = parse_proxy_settings(wrong);
        ASSERT_FALSE(refused) << wrong;
        EXPECT_EQ(refused.error().code(), Errc::bad_request);
    }
}

}  // namespace
}  // namespace entrepot
