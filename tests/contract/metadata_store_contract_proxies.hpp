#pragma once

#include "tests/contract/metadata_store_contract_artifacts.hpp"
#include "tests/contract/metadata_store_contract_races.hpp"

namespace entrepot::contract {

class ProxyContract : public ArtifactContract {
protected:
    static constexpr Micros now = 5'000'000;

    ProxyCatalog& proxies() { return store().proxies(); }
    void SetUp() override
    {
        ArtifactContract::SetUp();
        RegistryEndpoint endpoint;
        endpoint.name = "far";
        endpoint.type = "docker-hub";
        endpoint.url = "https://far.example";
        const auto made = run(store().endpoints().create(endpoint, someone));
        ASSERT_TRUE(made) << made.error().message() << made.error().detail();
        registry = made->id;
        NewProject cache{.name = project("hub")};
        cache.registry_id = registry;
        cache.proxy_settings = R"({"ttl":5})";
        const auto hub = run(store().projects().create(cache, someone));
        ASSERT_TRUE(hub) << hub.error().message();
        id = hub->id;
    }
    FetchClaim wish(std::string owner, Micros until, std::string repository = "hub/a") const
    {
        return {
            .project_id = id,
            .digest = digest_of("blob"),
            .repository = std::move(repository),
            .owner = std::move(owner),
            .expires_at = until
        };
    }

    std::int64_t registry = 0;
    std::int64_t id = 0;
};

TEST_P(ProxyContract, a_project_says_what_it_caches)
{
    const auto found = run(proxies().proxy(id));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->registry_id, registry);
    EXPECT_EQ(found->registry_name, "far");
    EXPECT_EQ(found->registry_type, "docker-hub");
    EXPECT_EQ(found->settings, R"({"ttl":5})");
    EXPECT_SUCCEEDS(run(store().projects().change(id, {.metadata = {{"proxy_speed_kb", "9"}}}, someone)));
    EXPECT_EQ(run(proxies().proxy(id))->metadata, (ProjectMetadata{{"proxy_speed_kb", "9"}}));
    EXPECT_FAILS(Errc::not_found, run(proxies().proxy(run(store().projects().find(project("p")))->id)));
    EXPECT_FAILS(Errc::not_found, run(proxies().proxy(999'999)));
    const auto access = run(store().access().changes_since(0)).value();
    int cached = 0;
    for (const auto& entry : access.projects) cached += entry.registry_id == registry && entry.name == "hub" ? 1 : 0;
    EXPECT_EQ(cached, 1) << "decisions know it";
}

TEST_P(ProxyContract, the_latest_look_at_a_tag_counts)
{
    const Tag tag = Tag::parse("v1").value();
    EXPECT_SUCCEEDS(run(proxies().note_tag(repository("hub/none"), tag, {"sha256:1", now})));
    EXPECT_FALSE(run(proxies().cached_tag(repository("hub/none"), tag)).value());
    push_image("p/app", {.blobs = {"c"}}, {"v1"});
    EXPECT_FALSE(run(proxies().cached_tag(repository("p/app"), tag)).value());
    EXPECT_SUCCEEDS(run(proxies().note_tag(repository("p/app"), tag, {"sha256:1", now})));
    EXPECT_SUCCEEDS(run(proxies().note_tag(repository("p/app"), tag, {"sha256:2", now + 1})));
    EXPECT_SUCCEEDS(run(proxies().note_tag(repository("p/app"), tag, {"sha256:3", now})));
    const auto seen = run(proxies().cached_tag(repository("p/app"), tag)).value();
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->digest, "sha256:2");
    EXPECT_EQ(seen->checked_at, now + 1);
}

TEST_P(ProxyContract, a_manifest_describes_blobs_that_are_not_here)
{
    const Image image{.blobs = {"config", "layer"}};
    auto sparse = pushed(repository("hub/app"), image, {"v1"});
    sparse.may_lack_blobs = true;
    EXPECT_SUCCEEDS(run(store().manifests().commit(sparse)));
    EXPECT_EQ(run(proxies().described(repository("hub/app"), digest_of("layer"))).value(), 5U);
    EXPECT_FALSE(run(proxies().described(repository("hub/app"), digest_of("other"))).value());
    EXPECT_FALSE(run(proxies().described(repository("hub/other"), digest_of("layer"))).value());
}

TEST_P(ProxyContract, a_claim_stands_until_it_expires_and_then_changes_hands_with_what_was_begun)
{
    auto first = run(proxies().claim(wish("one", now + 10), now)).value();
    EXPECT_EQ(first.owner, "one");
    EXPECT_EQ(first.place, "");
    first.place = "upload";
    first.size = 77;
    EXPECT_SUCCEEDS(run(proxies().keep(first)));

    const auto refused = run(proxies().claim(wish("two", now + 20), now + 10)).value();
    EXPECT_EQ(refused.owner, "one");
    EXPECT_EQ(refused.place, "upload");
    EXPECT_EQ(refused.expires_at, now + 10);
    EXPECT_EQ(run(proxies().standing(id, digest_of("blob"))).value()->fence, first.fence);

    const auto second = run(proxies().claim(wish("two", now + 20), now + 11)).value();
    EXPECT_EQ(second.owner, "two");
    EXPECT_GT(second.fence, first.fence);
    EXPECT_EQ(second.place, "upload");
    EXPECT_EQ(second.size, 77U);
    EXPECT_FAILS(Errc::conflict, run(proxies().keep(first)));
    EXPECT_SUCCEEDS(run(proxies().release(first)));
    EXPECT_TRUE(run(proxies().standing(id, digest_of("blob"))).value()) << "it isn't the first one's any more";

    const auto elsewhere = run(proxies().claim(wish("three", now + 40, "hub/b"), now + 30)).value();
    EXPECT_EQ(elsewhere.place, "") << "an upload belongs to its repository";
    EXPECT_SUCCEEDS(run(proxies().release(elsewhere)));
    EXPECT_FALSE(run(proxies().standing(id, digest_of("blob"))).value());
    EXPECT_SUCCEEDS(run(proxies().release(elsewhere)));
}

TEST_P(ProxyContract, of_many_who_claim_at_once_one_is_the_owner)
{
    std::atomic<int> owners{0};
    {
        Crowd crowd;
        for (int i = 0; i < 8; ++i) {
            crowd.add([&, i] {
                const auto name = "owner " + std::to_string(i);
                const auto claimed = run(proxies().claim(wish(name, now + 1'000), now));
                if (claimed && claimed->owner == name) ++owners;
            });
        }
    }
    EXPECT_EQ(owners.load(), 1);
}

}  // namespace entrepot::contract
