// Two registries, each with a real SQLite catalog and blobs in memory, and what the copier brings from one to the
// other.
#include "exchange/copy/artifact_copier.hpp"
#include "tests/behaviour/local_registry.hpp"
#include "tests/support/copy_words.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

class LocalSites : public testing::Test {
protected:
    // An image of one layer.
    std::string fill(LocalSite& site, const std::string& repository, const std::string& layer, const std::string& tag)
    {
        const std::string config = "{}";
        const auto entry = [](std::string_view type, const std::string& bytes) {
            return R"({"mediaType":"application/vnd.oci.image.)" + std::string{type} + R"(","digest":")" +
                   digest_of(bytes).text() + R"(","size":)" + std::to_string(bytes.size()) + "}";
        };
        const auto bytes = R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)" +
                           entry("config.v1+json", config) + R"(,"layers":[)" + entry("layer.v1.tar", layer) + "]}";
        EXPECT_TRUE(run(site.prepare(name(repository))));
        for (const auto& blob : {config, layer}) EXPECT_TRUE(run(site.put(name(repository), digest_of(blob), blob)));
        const CopiedManifest manifest{digest_of(bytes), std::string{media::oci_manifest}, bytes};
        EXPECT_TRUE(run(site.push(name(repository), tagged(tag), manifest)));
        return digest_of(bytes).text();
    }
    CopyRun copies(CopySite& from, CopySite& to)
    {
        CopyOptions options;
        options.first_chunk = options.longest_chunk = options.shortest_chunk = 100'000;
        const auto limit = std::make_shared<AdaptiveLimit>(AdaptiveLimit::Bounds{}, clock);
        return {
            {from, to, limit, clock, random},
            options,
            {[](std::string) {}, [] { return CopyHalt::no; }, []() -> Task<> { co_return Result<>{}; }},
            {}
        };
    }

    SystemClock clock;
    SystemRandom random;
    LocalRegistry here;
    LocalRegistry there;
    LocalSite source{here.parts(), {.user_id = here.admin_id}};
    LocalSite target{there.parts(), {.user_id = there.admin_id, .endpoint_id = 7}};
};

TEST_F(LocalSites, an_artifact_is_copied_into_a_project_that_is_made_for_it)
{
    const std::string layer(1'000'000, 'x');
    const auto digest = fill(source, "shop/web", layer, "1");
    auto run_of_copies = copies(source, target);
    ArtifactCopier copier{run_of_copies, {name("shop/web"), tagged("1"), name("mirror/web"), Tag::parse("1").value()}};
    const auto done = run(copier());
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_EQ(run(target.look(name("mirror/web"), tagged("1")))->digest.text(), digest);
    const auto blob = run(target.blob(name("mirror/web"), digest_of(layer), 999'990));
    ASSERT_TRUE(blob);
    EXPECT_EQ(blob->first, 999'990U);
    EXPECT_EQ(run(read_all(*blob->body, 100)).value(), std::string(10, 'x'));

    const auto pushed = there.events(event_type::artifact_pushed);
    ASSERT_EQ(pushed.size(), 1U);
    EXPECT_TRUE(pushed[0].details.contains(R"("replicated_from":7)")) << pushed[0].details;
    EXPECT_EQ(pushed[0].user_id, there.admin_id);
    // Whoever copies from here pulls nothing.
    ASSERT_TRUE(run(here.ledger.flush()));
    const auto artifact = run(here.store->artifacts().find(name("shop/web"), tagged("1"), {}));
    EXPECT_EQ(artifact->pulled_at, 0);
    // Once more is no push, so that nothing goes round in circles.
    ASSERT_TRUE(run(
        ArtifactCopier{run_of_copies, {name("shop/web"), tagged("1"), name("mirror/web"), Tag::parse("1").value()}}()
    ));
    EXPECT_EQ(there.events(event_type::artifact_pushed).size(), 1U);
}

TEST_F(LocalSites, an_upload_is_gone_on_with_from_where_it_stands)
{
    ASSERT_TRUE(run(target.prepare(name("mirror/web"))));
    const std::string layer(300'000, 'y');
    fill(source, "shop/web", layer, "1");
    auto upload = run(target.begin(name("mirror/web"), DigestAlgorithm::sha256, layer.size())).value();
    const auto stream = run(source.blob(name("shop/web"), digest_of(layer), 0));
    ASSERT_TRUE(stream);
    const ByteRates rates;
    ChunkSource first{*stream->body, 120'000, rates, clock, [] { return false; }};
    upload = run(target.append(name("mirror/web"), upload, first, 120'000)).value();
    EXPECT_EQ(upload.offset, 120'000U);
    // Another process.
    LocalSite later{there.parts(), {.user_id = there.admin_id}};
    auto resumed = run(later.resume(name("mirror/web"), upload.place)).value();
    EXPECT_EQ(resumed.offset, 120'000U);
    const auto rest = run(source.blob(name("shop/web"), digest_of(layer), resumed.offset));
    resumed = run(later.append(name("mirror/web"), resumed, *rest->body, 180'000)).value();
    ASSERT_TRUE(run(later.finish(name("mirror/web"), resumed, digest_of(layer))));
    EXPECT_TRUE(run(target.holds(name("mirror/web"), digest_of(layer))).value());
    EXPECT_EQ(run(later.resume(name("mirror/web"), upload.place)).error().code(), Errc::upload_unknown);
    EXPECT_TRUE(run(later.cancel(name("mirror/web"), upload.place)));
    EXPECT_FALSE(run(target.holds(name("mirror/web"), digest_of("other"))).value());
    ASSERT_TRUE(run(target.mount(name("mirror/other"), name("mirror/web"), digest_of(layer))).value());
    EXPECT_FALSE(run(target.mount(name("mirror/other"), name("mirror/web"), digest_of("other"))).value());
}

TEST_F(LocalSites, projects_of_other_tenants_and_frozen_ones_are_out_of_reach)
{
    fill(target, "mirror/web", "layer", "1");
    LocalSite stranger{there.parts(), {.user_id = there.admin_id, .tenant_id = 4711}};
    EXPECT_EQ(run(stranger.look(name("mirror/web"), tagged("1"))).error().code(), Errc::denied);
    EXPECT_EQ(run(stranger.prepare(name("mirror/web"))).error().code(), Errc::denied);
    EXPECT_TRUE(run(stranger.repositories({.limit = 10, .last = {}}))->names.empty());
    EXPECT_EQ(run(target.repositories({.limit = 10, .last = {}}))->names, std::vector<std::string>{"mirror/web"});
    EXPECT_EQ(run(target.tags(name("mirror/web"), {.limit = 10, .last = {}}))->names, std::vector<std::string>{"1"});

    const auto project = there.policy.project("mirror");
    ProjectChange freeze;
    freeze.frozen = true;
    ASSERT_TRUE(run(there.store->projects().change(project->id, freeze, {there.admin_id, clock.now()})));
    ASSERT_TRUE(run(there.directory.catch_up()));
    EXPECT_EQ(run(target.prepare(name("mirror/web"))).error().code(), Errc::denied);
    EXPECT_EQ(run(target.put(name("mirror/web"), digest_of("x"), "x")).error().code(), Errc::denied);
    EXPECT_TRUE(run(target.look(name("mirror/web"), tagged("1"))));
    EXPECT_EQ(run(target.remove(name("mirror/web"), tagged("1"))).error().code(), Errc::denied);
}

TEST_F(LocalSites, a_project_that_nobody_knows_is_not_there_for_a_tenants_user)
{
    LocalSite confined{there.parts(), {.user_id = there.admin_id, .tenant_id = 4711}};
    // The policy hasn't heard of the project yet, the catalog has.
    const NewProject late{.name = ProjectName::parse("late").value()};
    ASSERT_TRUE(run(there.store->projects().create(late, {there.admin_id, clock.now()})));
    ASSERT_FALSE(there.policy.project("late"));
    EXPECT_EQ(run(confined.tags(name("late/web"), {.limit = 10, .last = {}})).error().code(), Errc::denied);
    EXPECT_EQ(run(confined.look(name("nowhere/web"), tagged("1"))).error().code(), Errc::name_unknown);
    EXPECT_EQ(run(confined.manifest(name("nowhere/web"), tagged("1"))).error().code(), Errc::name_unknown);
}

TEST_F(LocalSites, nothing_is_taken_while_the_registry_is_read_only)
{
    fill(target, "mirror/web", "layer", "1");
    there.read_only = true;
    EXPECT_EQ(run(target.prepare(name("new/web"))).error().code(), Errc::unavailable);
    EXPECT_FALSE(there.policy.project("new"));
    EXPECT_EQ(run(target.put(name("mirror/web"), digest_of("x"), "x")).error().code(), Errc::unavailable);
    EXPECT_EQ(run(target.begin(name("mirror/web"), DigestAlgorithm::sha256, 1)).error().code(), Errc::unavailable);
    EXPECT_EQ(run(target.remove(name("mirror/web"), tagged("1"))).error().code(), Errc::unavailable);
    EXPECT_TRUE(run(target.look(name("mirror/web"), tagged("1"))));
    there.read_only = false;
    EXPECT_TRUE(run(target.put(name("mirror/web"), digest_of("x"), "x")));
}

TEST_F(LocalSites, a_proxy_cache_takes_nothing)
{
    RegistryEndpoint hub;
    hub.name = "hub";
    hub.type = "docker-registry";
    hub.url = "https://hub.example";
    const Actor admin{there.admin_id, clock.now()};
    const auto endpoint = run(there.store->endpoints().create(hub, admin));
    ASSERT_TRUE(endpoint) << endpoint.error().message();
    NewProject cache{.name = ProjectName::parse("cache").value()};
    cache.registry_id = endpoint->id;
    ASSERT_TRUE(run(there.store->projects().create(cache, admin)));
    const auto refused = run(target.prepare(name("cache/web")));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::denied);
    EXPECT_EQ(refused.error().message(), "the project cache is a proxy cache: nothing can be pushed to it");
    EXPECT_EQ(run(target.put(name("cache/web"), digest_of("x"), "x")).error().code(), Errc::denied);
}

}  // namespace
}  // namespace entrepot
