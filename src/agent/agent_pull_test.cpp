#include "tests/support/agent_fixture.hpp"

namespace entrepot {
namespace {

class AgentPull : public AgentTest {};

TEST_F(AgentPull, passes_on_what_the_registry_says_of_manifests)
{
    start();
    const auto refused = manifest(mallory);
    EXPECT_EQ(refused.status, 401U);
    EXPECT_EQ(refused.field("WWW-Authenticate"), R"(Bearer realm="https://registry.test/token",service="r")");
    EXPECT_EQ(ask("/v2/", "").status, 401U);

    const auto given = manifest(alice);
    EXPECT_EQ(given.status, 200U);
    EXPECT_EQ(given.body, image.manifest);
    EXPECT_EQ(given.field("Docker-Content-Digest"), digest_of(image.manifest).text());
    EXPECT_EQ(given.field("X-Secret"), "");
    const auto head = ask("/v2/shop/web/manifests/1", alice, {}, "HEAD");
    EXPECT_EQ(head.status, 200U);
    EXPECT_EQ(head.field("Content-Length"), std::to_string(image.manifest.size()));
    EXPECT_EQ(registry.bundles, 0) << "a manifest alone brings no image here";
}

TEST_F(AgentPull, takes_nothing_but_reads)
{
    start();
    const auto before = registry.all.load();
    for (const auto* method : {"POST", "PUT", "PATCH", "DELETE"})
        EXPECT_EQ(ask("/v2/shop/web/blobs/uploads/", alice, {}, method).status, 405U) << method;
    EXPECT_EQ(ask("/v2/_catalog", alice).status, 404U);
    EXPECT_EQ(ask("/v2/shop/web/blobs/sha256:12", alice).status, 400U);
    EXPECT_EQ(registry.all, before);
}

TEST_F(AgentPull, brings_an_image_here_once_and_has_it_then)
{
    start();
    (void)manifest(alice);
    for (std::size_t blob = 0; blob < image.blobs.size(); ++blob) {
        const auto answer = ask(blob_path(blob), alice);
        EXPECT_EQ(answer.status, 200U);
        EXPECT_TRUE(answer.body == image.blobs[blob].bytes) << "blob " << blob;
        EXPECT_EQ(answer.field("Docker-Content-Digest"), image.digest(blob).text());
    }
    EXPECT_EQ(registry.bundles, 1);
    const auto gets = registry.blob_gets.load();
    EXPECT_TRUE(ask(blob_path(2), alice).body == image.blobs[2].bytes);
    EXPECT_EQ(registry.blob_gets, gets);
    const auto all = image.blobs[0].bytes.size() + image.blobs[1].bytes.size() + image.blobs[2].bytes.size();
    const auto again = image.blobs[2].bytes.size();
    EXPECT_TRUE(metric_is("entrepot_agent_bytes_total{source=\"registry\"} " + std::to_string(all + again)));
    EXPECT_TRUE(metric_is("entrepot_agent_bytes_total{source=\"passed\"} 0"));
}

TEST_F(AgentPull, has_an_image_after_a_restart_once_the_registry_says_so)
{
    start();
    (void)manifest(alice);
    EXPECT_EQ(ask(blob_path(2), alice).status, 200U);
    const auto gets = registry.blob_gets.load();
    agent.reset();
    start();
    // Nothing is known of manifests now: the registry is asked for the blob alone.
    EXPECT_TRUE(ask(blob_path(2), alice).body == image.blobs[2].bytes);
    EXPECT_EQ(registry.blob_gets, gets);
    EXPECT_EQ(registry.blob_heads, 1);
    EXPECT_EQ(ask(blob_path(2), mallory).status, 401U);
    EXPECT_TRUE(metric_is("entrepot_agent_bytes_total{source=\"store\"} " + std::to_string(12 * chunk_bytes)));
}

TEST_F(AgentPull, answers_ranges_and_sizes)
{
    start();
    (void)manifest(alice);
    const auto& bytes = image.blobs[2].bytes;
    const auto size = std::to_string(bytes.size());
    // Before anything is here, and across chunks.
    const auto middle = ask(blob_path(2), alice, {{.name = "Range", .value = "bytes=1000000-2000000"}});
    EXPECT_EQ(middle.status, 206U);
    EXPECT_TRUE(middle.body == bytes.substr(1'000'000, 1'000'001));
    EXPECT_EQ(middle.field("Content-Range"), "bytes 1000000-2000000/" + size);
    EXPECT_TRUE(
        ask(blob_path(2), alice, {{.name = "Range", .value = "bytes=-5"}}).body == bytes.substr(bytes.size() - 5)
    );
    EXPECT_TRUE(
        ask(blob_path(2), alice, {{.name = "Range", .value = "bytes=2999999-"}}).body == bytes.substr(2'999'999)
    );
    const auto several = ask(blob_path(2), alice, {{.name = "Range", .value = "bytes=0-1,5-6"}});
    EXPECT_EQ(several.status, 200U);
    EXPECT_TRUE(several.body == bytes);
    const auto beyond = ask(blob_path(2), alice, {{.name = "Range", .value = "bytes=" + size + "-"}});
    EXPECT_EQ(beyond.status, 416U);
    EXPECT_EQ(beyond.field("Content-Range"), "bytes */" + size);
    const auto other =
        ask(blob_path(2), alice, {{.name = "Range", .value = "bytes=0-0"}, {.name = "If-Range", .value = "\"another\""}}
        );
    EXPECT_EQ(other.status, 200U);

    const auto heads = registry.blob_heads.load();
    const auto head = ask(blob_path(2), alice, {}, "HEAD");
    EXPECT_EQ(head.status, 200U);
    EXPECT_EQ(head.field("Content-Length"), size);
    EXPECT_EQ(registry.blob_heads, heads) << "from the descriptor";
    const auto known =
        ask(blob_path(2), alice, {{.name = "If-None-Match", .value = '"' + image.digest(2).text() + '"'}});
    EXPECT_EQ(known.status, 304U);
}

TEST_F(AgentPull, a_size_alone_brings_no_image_here)
{
    start();
    (void)manifest(alice);
    const auto head = ask(blob_path(2), alice, {}, "HEAD");
    EXPECT_EQ(head.field("Content-Length"), std::to_string(image.blobs[2].bytes.size()));
    EXPECT_EQ(registry.bundles, 0);
    EXPECT_EQ(registry.blob_heads, 1);
}

TEST_F(AgentPull, passes_blobs_on_where_there_is_no_bundle)
{
    for (const unsigned status : {404U, 405U, 500U}) {
        registry.bundle_status = status;
        agent.reset();
        start();
        (void)manifest(alice);
        EXPECT_TRUE(ask(blob_path(1), alice).body == image.blobs[1].bytes);
        const auto part = ask(blob_path(1), alice, {{.name = "Range", .value = "bytes=7-300006"}});
        EXPECT_EQ(part.status, 206U);
        EXPECT_TRUE(part.body == image.blobs[1].bytes.substr(7, 300'000));
        EXPECT_TRUE(metric_is("entrepot_agent_blobs_total{way=\"passed\"} 2"));
        EXPECT_TRUE(metric_is("entrepot_agent_store_blobs 0"));
    }
    EXPECT_EQ(registry.bundles, 3) << "what is no image isn't asked about again at once";
}

TEST_F(AgentPull, goes_on_where_the_registry_broke_off)
{
    start();
    (void)manifest(alice);
    registry.bytes_left = 3 * static_cast<std::int64_t>(chunk_bytes) + 100'000;
    std::jthread healer{[this] {
        while (registry.bytes_left >= 0) std::this_thread::yield();
        registry.bytes_left = std::int64_t{1} << 40U;
    }};
    EXPECT_TRUE(ask(blob_path(2), alice).body == image.blobs[2].bytes);
}

TEST_F(AgentPull, goes_on_with_what_is_only_passed_on_too)
{
    registry.bundle_status = 404;
    start();
    (void)manifest(alice);
    registry.bytes_left = 1'000'000;
    std::jthread healer{[this] {
        while (registry.bytes_left >= 0) std::this_thread::yield();
        registry.bytes_left = std::int64_t{1} << 40U;
    }};
    EXPECT_TRUE(ask(blob_path(2), alice).body == image.blobs[2].bytes);
}

TEST_F(AgentPull, a_registry_without_ranges_is_read_from_the_start)
{
    registry.takes_ranges = false;
    start();
    (void)manifest(alice);
    EXPECT_TRUE(ask(blob_path(2), alice).body == image.blobs[2].bytes);
    EXPECT_TRUE(
        ask(blob_path(1), alice, {{.name = "Range", .value = "bytes=300000-"}}).body ==
        image.blobs[1].bytes.substr(300'000)
    );
}

TEST_F(AgentPull, gives_up_a_body_that_nobody_has)
{
    times.give_up = std::chrono::milliseconds{300};
    start();
    (void)manifest(alice);
    registry.bytes_left = 2 * static_cast<std::int64_t>(chunk_bytes);
    const auto answer = ask(blob_path(2), alice);
    EXPECT_EQ(answer.status, 0U) << "cut, so that nobody takes it for whole";
    EXPECT_TRUE(ask("/healthz", "").body.contains("\"ready\":true"));
}

TEST_F(AgentPull, a_disk_without_room_only_slows_nobody_down)
{
    budget = 1U << 20U;
    start();
    (void)manifest(alice);
    EXPECT_TRUE(ask(blob_path(2), alice).body == image.blobs[2].bytes);
    EXPECT_TRUE(metric_is("entrepot_agent_bytes_total{source=\"passed\"} " + std::to_string(12 * chunk_bytes)));
    EXPECT_TRUE(metric_is("entrepot_agent_store_failures_total 1"));
}

TEST_F(AgentPull, a_disk_that_fills_up_while_an_image_comes_does_not_end_its_pull)
{
    const ChunkTestFolder small{"16m"};
    if (!small.mounted()) GTEST_SKIP() << "this user may not mount a file system";
    std::filesystem::create_directories(folder.path() / "agent");
    std::filesystem::create_directory_symlink(small.path(), folder.path() / "agent" / "chunks");
    start();
    (void)manifest(alice);
    registry.bytes_left = 2 * static_cast<std::int64_t>(chunk_bytes);
    {
        std::jthread others{[&] {
            while (registry.bytes_left >= 0) std::this_thread::yield();
            std::ofstream file{small.path() / "of others", std::ios::binary};
            const std::string block(1U << 20U, 'x');
            while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
            }
            registry.bytes_left = std::int64_t{1} << 40U;
        }};
        EXPECT_TRUE(ask(blob_path(2), alice).body == image.blobs[2].bytes);
    }
    EXPECT_FALSE(metric_is("entrepot_agent_store_failures_total 0"));
    EXPECT_FALSE(metric_is("entrepot_agent_bytes_total{source=\"passed\"} 0"));
    agent.reset();
}

TEST_F(AgentPull, knows_its_registrys_names_and_no_others)
{
    start();
    EXPECT_EQ(ask("/v2/shop/web/manifests/1?ns=registry.test", alice).status, 200U);
    EXPECT_EQ(ask("/v2/shop/web/manifests/1?ns=" + registry.url().substr(7), alice).status, 200U);
    const auto before = registry.all.load();
    EXPECT_EQ(ask("/v2/shop/web/manifests/1?ns=docker.io", alice).status, 404U);
    EXPECT_EQ(ask(blob_path(1) + "?ns=docker.io", alice).status, 404U);
    EXPECT_EQ(registry.all, before);
}

TEST_F(AgentPull, tells_how_it_is)
{
    start();
    EXPECT_TRUE(ask("/healthz", "").body.contains(R"("registry_reachable":null,"swarm_connected":false)"));
    (void)manifest(alice);
    EXPECT_TRUE(ask("/healthz", "").body.contains(R"("registry_reachable":true)"));
    EXPECT_EQ(ask("/metrics", "").status, 404U) << "not among what pods may reach";
    auto client = HttpClient::create({});
    const auto metrics =
        run_to_end(client->send({.url = "http://127.0.0.1:" + std::to_string(agent->metrics_port()) + "/metrics"}));
    ASSERT_TRUE(metrics);
    EXPECT_TRUE(metrics->body.contains("entrepot_agent_http_requests_total{class=\"2xx\"}"));
    EXPECT_TRUE(metrics->body.contains("entrepot_agent_store_budget_bytes " + std::to_string(budget)));
}

}  // namespace
}  // namespace entrepot
