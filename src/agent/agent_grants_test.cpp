#include "tests/support/agent_fixture.hpp"

#include "agent/pull_grants.hpp"
#include "tests/support/fake_clock.hpp"

namespace entrepot {
namespace {

constexpr Micros second = 1'000'000;

class AgentGrants : public AgentTest {
protected:
    // An image of the registry's that is all here, because alice pulled it.
    void pull_by_alice()
    {
        start();
        (void)manifest(alice);
        for (std::size_t blob = 0; blob < image.blobs.size(); ++blob)
            EXPECT_EQ(ask(blob_path(blob), alice).status, 200U);
    }
    void expect_nothing(const std::string& authorization, const std::string& repository)
    {
        const auto answer = ask(blob_path(2, repository), authorization);
        EXPECT_EQ(answer.status, 401U) << authorization << " from " << repository;
        EXPECT_EQ(answer.body, "{}");
        EXPECT_NE(answer.field("WWW-Authenticate"), "");
        EXPECT_EQ(ask(blob_path(2, repository), authorization, {}, "HEAD").status, 401U);
        const auto part = ask(blob_path(2, repository), authorization, {{.name = "Range", .value = "bytes=0-0"}});
        EXPECT_EQ(part.status, 401U);
    }
};

TEST_F(AgentGrants, nobody_gets_a_byte_because_somebody_else_may)
{
    pull_by_alice();
    registry.allow(mallory, "other/app");
    expect_nothing(mallory, "shop/web");
    expect_nothing("", "shop/web");
    expect_nothing("Basic YWxpY2U6eA==", "shop/web");
    expect_nothing("bearer alice", "shop/web");
    expect_nothing(alice, "other/app");
    expect_nothing(alice, "shop/web/sub");
    EXPECT_FALSE(metric_is("entrepot_agent_grants_refused_total 0"));
}

TEST_F(AgentGrants, another_who_may_is_asked_after_and_then_served_from_here)
{
    pull_by_alice();
    const auto gets = registry.blob_gets.load();
    registry.allow("Bearer bob", "shop/web");
    EXPECT_TRUE(ask(blob_path(2), "Bearer bob").body == image.blobs[2].bytes);
    EXPECT_EQ(registry.blob_gets, gets);
    EXPECT_EQ(registry.bundles, 2);
    EXPECT_EQ(registry.unchanged, 1) << "the image was known: only the right was asked for";
}

TEST_F(AgentGrants, the_same_blob_of_another_repository_is_asked_after_too)
{
    pull_by_alice();
    registry.allow(mallory, "other/app");
    const auto gets = registry.blob_gets.load();
    // No manifest of that repository went through here: the registry is asked for the blob.
    EXPECT_TRUE(ask(blob_path(2, "other/app"), mallory).body == image.blobs[2].bytes);
    EXPECT_EQ(registry.blob_heads, 1);
    EXPECT_EQ(registry.blob_gets, gets);
    expect_nothing(mallory, "shop/web");
}

TEST_F(AgentGrants, a_token_that_has_ended_gives_nothing_that_was_not_asked_after)
{
    const auto token = "Bearer " + to_base64url(as_bytes("{}")) + "." + to_base64url(as_bytes(R"({"exp":1})")) + ".sig";
    registry.allow(token, "shop/web");
    pull_by_alice();
    const auto bundles = registry.bundles.load();
    EXPECT_EQ(ask(blob_path(2), token).status, 200U) << "the registry allows it now";
    EXPECT_EQ(ask(blob_path(2), token).status, 200U);
    EXPECT_EQ(registry.bundles, bundles + 2) << "and is asked each time";
    registry.forbid(token, "shop/web");
    expect_nothing(token, "shop/web");
}

TEST_F(AgentGrants, while_the_registry_is_silent_only_those_are_served_who_have_a_grant)
{
    pull_by_alice();
    registry.down = true;
    EXPECT_TRUE(ask(blob_path(2), alice).body == image.blobs[2].bytes);
    EXPECT_EQ(ask(blob_path(2), mallory).status, 503U);
    EXPECT_EQ(ask(blob_path(2), "").status, 503U);
}

class Grants : public testing::Test {
protected:
    Grants()
    {
        EXPECT_TRUE(on.open());
        auto opened = AgentImage::open(*on.store, pool, *image.descriptor, image.hashes);
        EXPECT_TRUE(opened);
        served = std::make_shared<ServedImage>(*std::move(opened), true);
    }
    Puller ending(Micros at) const
    {
        const auto claims = R"({"exp":)" + std::to_string(at / second) + "}";
        return Puller::of("Bearer e30." + to_base64url(as_bytes(claims)) + ".x");
    }
    bool has(const Puller& puller, const RepositoryName& repository)
    {
        return grants.find(puller, repository, image.blobs[1].blob.digest) != nullptr;
    }

    FakeImage image{{100, 1000}};
    ChunkFilesFixture on;
    asio::thread_pool pool{1};
    FakeClock clock;
    PullGrants grants{3, clock};
    ServedImagePtr served;
    const RepositoryName web = *RepositoryName::parse("shop/web");
    const RepositoryName app = *RepositoryName::parse("shop/app");
    const Puller alice = Puller::of("Bearer alice");
    const Puller nobody = Puller::of(std::nullopt);
};

TEST_F(Grants, are_of_one_puller_one_repository_and_one_images_blobs)
{
    grants.grant(alice, web, served);
    EXPECT_TRUE(has(alice, web));
    EXPECT_FALSE(has(alice, app));
    EXPECT_FALSE(has(nobody, web));
    EXPECT_FALSE(has(Puller::of(""), web));
    EXPECT_EQ(grants.find(alice, web, chunked(7).blob.digest), nullptr);
}

TEST_F(Grants, end_after_five_minutes)
{
    grants.grant(alice, web, served);
    clock.advance(std::chrono::seconds{299});
    EXPECT_TRUE(has(alice, web));
    clock.advance(std::chrono::seconds{1});
    EXPECT_FALSE(has(alice, web));
    EXPECT_EQ(grants.size(), 1U);
    grants.sweep();
    EXPECT_EQ(grants.size(), 0U);
}

TEST_F(Grants, end_with_their_token_and_never_later_than_without)
{
    const auto soon = ending(clock.now() + 10 * second);
    const auto late = ending(clock.now() + 10'000 * second);
    const auto over = ending(clock.now() - second);
    for (const auto* puller : {&soon, &late, &over}) grants.grant(*puller, web, served);
    EXPECT_TRUE(has(soon, web));
    EXPECT_TRUE(has(late, web));
    EXPECT_FALSE(has(over, web));
    clock.advance(std::chrono::seconds{10});
    EXPECT_FALSE(has(soon, web));
    clock.advance(std::chrono::seconds{290});
    EXPECT_FALSE(has(late, web));
}

TEST_F(Grants, are_no_more_than_so_many)
{
    grants.grant(nobody, web, served);
    grants.grant(alice, web, served);
    grants.grant(alice, web, served);
    grants.grant(alice, app, served);
    EXPECT_EQ(grants.size(), 3U);
    EXPECT_TRUE(has(nobody, web));
    grants.grant(nobody, app, served);
    EXPECT_EQ(grants.size(), 3U);
    EXPECT_FALSE(has(alice, web)) << "the one that was used longest ago";
    EXPECT_TRUE(has(nobody, web));
}

TEST(Pullers, say_when_their_token_ends_only_where_it_does)
{
    const auto with = [](std::string_view claims) {
        return Puller::of("Bearer e30." + to_base64url(as_bytes(claims)) + ".x").ends();
    };
    EXPECT_EQ(with(R"({"exp":1700000000})"), 1'700'000'000 * second);
    EXPECT_EQ(with(R"({"exp":"soon"})"), 0) << "rather too early than too late";
    EXPECT_EQ(with(R"({"exp":-5})"), 0);
    EXPECT_EQ(with("{}"), std::nullopt);
    EXPECT_EQ(with("no JSON"), std::nullopt);
    EXPECT_EQ(Puller::of("Bearer opaque").ends(), std::nullopt);
    EXPECT_EQ(Puller::of("Basic a.b.c").ends(), std::nullopt);
    EXPECT_EQ(Puller::of(std::nullopt).ends(), std::nullopt);
}

}  // namespace
}  // namespace entrepot
