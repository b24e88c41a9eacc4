#include "delivery/swarm_images.hpp"

#include "delivery/stored_bytes.hpp"
#include "delivery/swarm_painter.hpp"
#include "tests/support/access_entries_of.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/swarm_pictures.hpp"

#include "core/run_to_end.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t admin = 1;
constexpr std::int64_t puller = 2;  // may pull in shop
constexpr std::int64_t stranger = 3;

// The projects shop and other are private, open is public; repositories 10, 20 and 30 are in them.
class SwarmImagesTest : public testing::Test {
protected:
    SwarmImagesTest()
    {
        AccessChanges all;
        all.version = 1;
        all.complete = true;
        for (const auto id : {admin, puller, stranger}) all.principals.push_back(principal_entry(id));
        all.tenants = {tenant_entry(1, "acme")};
        all.projects = {
            project_entry(1, "shop", false, {grant_to(principal_key(puller), role::guest)}),
            project_entry(2, "other"),
            project_entry(3, "open", true),
        };
        all.platform_grants = {grant_to(principal_key(admin), role::platform_admin, ObjectKind::platform)};
        policy.apply(std::move(all));
    }

    void show(std::vector<SwarmImageView> pictures) { view.show(picture_of(std::move(pictures))); }
    std::vector<SeenSwarm> seen(std::int64_t id) const { return images.seen(caller_with_id(id), *images.picture()); }
    Result<SeenNodes> nodes(std::int64_t id, std::uint8_t number, SwarmNodeQuery query = {.limit = 10})
    {
        Sha256 manifest;
        manifest.bytes[0] = number;
        return run_to_end(images.nodes(caller_with_id(id), named_by(manifest), std::move(query)));
    }

    FakeClock clock;
    AccessPolicy policy{ProjectCreation::everyone, clock};
    std::vector<SwarmId> asked;
    SwarmRollPtr answer = roll_of({});
    SwarmView view{"one", [this](const SwarmId& swarm) {
                       asked.push_back(swarm);
                       view.show(swarm, answer);
                   }};
    SwarmImages images{&view, policy};
};

TEST_F(SwarmImagesTest, are_those_of_repositories_that_the_caller_may_pull)
{
    show({
        image_view(1, {{10, "shop/web"}}, {group_of(10, "a", 4, 50)}),
        image_view(2, {{20, "other/web"}}, {group_of(20, "a", 4, 50)}),
        image_view(3, {{30, "open/web"}}, {group_of(30, "a", 4, 50)}),
        image_view(4, {{40, ""}}, {group_of(40, "a", 4, 50)}),
        // Who creates projects may pull from one that isn't there yet.
        image_view(5, {{50, "gone/web"}}, {group_of(50, "a", 4, 50)}),
    });
    EXPECT_EQ(seen(admin).size(), 5U);
    ASSERT_EQ(seen(puller).size(), 2U);
    EXPECT_EQ(seen(puller)[0].repositories.at(0).name, "shop/web");
    EXPECT_EQ(seen(puller)[0].repositories.at(0).tenant, "acme");
    ASSERT_EQ(seen(stranger).size(), 1U);
    EXPECT_EQ(seen(stranger)[0].repositories.at(0).name, "open/web");
    Sha256 hidden;
    hidden.bytes[0] = 2;
    EXPECT_EQ(images.find(caller_with_id(puller), named_by(hidden)).error().code(), Errc::not_found);
}

TEST_F(SwarmImagesTest, do_not_show_what_others_do_with_the_same_image)
{
    show({image_view(
        1,
        {{10, "shop/web"}, {20, "other/web"}},
        {group_of(10, "a", 2, 100), group_of(10, "b", 1, 40), group_of(20, "a", 5, 0), group_of(20, "c", 7, 0)}
    )});
    const auto all = seen(admin).at(0);
    EXPECT_EQ(all.all.members, 15U);
    EXPECT_EQ(all.zones.size(), 3U);
    const auto own = seen(puller).at(0);
    EXPECT_EQ(own.repositories.size(), 1U);
    EXPECT_EQ(own.all.members, 3U);
    EXPECT_EQ(own.all.complete, 2U);
    EXPECT_EQ(own.all.tenths[4], 1U);
    EXPECT_EQ(own.all.received.zone, 3000U);
    ASSERT_EQ(own.zones.size(), 2U);
    EXPECT_EQ(own.zones[0].zone, "a");
    EXPECT_EQ(own.zones[0].members, 2U);
    answer = roll_of({member_of("n1", "a", 10, 500), member_of("n2", "a", 20, 400)});
    EXPECT_EQ(nodes(admin, 1)->total, 2U);
    const auto known = nodes(puller, 1);
    ASSERT_EQ(known->nodes.size(), 1U);
    EXPECT_EQ(known->nodes[0].name, "n1");
    EXPECT_EQ(nodes(stranger, 1).error().code(), Errc::not_found);
}

TEST_F(SwarmImagesTest, of_public_projects_have_nodes_without_names_for_strangers)
{
    show({image_view(1, {{30, "open/web"}}, {group_of(30, "a", 4, 50)})});
    EXPECT_EQ(seen(stranger).size(), 1U);
    EXPECT_EQ(nodes(stranger, 1).error().code(), Errc::denied);
    EXPECT_TRUE(asked.empty());
    const auto slowest = run_to_end(images.slowest(caller_with_id(stranger), view.picture()->images.at(0)));
    EXPECT_FALSE(slowest->has_value());
    EXPECT_TRUE(nodes(admin, 1));
}

TEST_F(SwarmImagesTest, sum_up_how_far_they_are)
{
    auto rest = group_of(10, "a", 3, 20);
    rest.rate = 100;
    show({image_view(1, {{10, "shop/web"}}, {group_of(10, "b", 2, 100), rest})});
    auto swarm = seen(admin).at(0);
    EXPECT_EQ(swarm.state(), SwarmImageState::active);
    EXPECT_EQ(swarm.half_way(), 20U);
    EXPECT_EQ(swarm.seconds_left(), 20U) << "three times 800 bytes at 120 a second";
    EXPECT_EQ(swarm.efficiency(), std::nullopt);
    auto done = group_of(10, "b", 2, 100);
    done.tally.pace = {.bound_seconds = 3, .seconds = 4};
    show({image_view(1, {{10, "shop/web"}}, {done}), image_view(2, {{10, "shop/web"}}, {})});
    swarm = seen(admin).at(0);
    EXPECT_EQ(swarm.state(), SwarmImageState::complete);
    EXPECT_EQ(swarm.half_way(), 100U);
    EXPECT_EQ(swarm.seconds_left(), std::nullopt);
    EXPECT_DOUBLE_EQ(swarm.efficiency().value(), 0.75);
    EXPECT_EQ(seen(admin).at(1).state(), SwarmImageState::idle);
    EXPECT_EQ(seen(admin).at(1).half_way(), 0U);
}

TEST_F(SwarmImagesTest, list_the_slowest_node_first)
{
    show({image_view(1, {{10, "shop/web"}}, {group_of(10, "a", 4, 50)})});
    auto silent = member_of("n4", "b", 10, 100);
    silent.heard -= 60 * swarm_second;
    answer =
        roll_of({member_of("n1", "a", 10, 1000), member_of("n2", "a", 10, 700), member_of("n3", "b", 10, 300), silent});
    const auto all = nodes(admin, 1);
    ASSERT_EQ(all->nodes.size(), 4U);
    EXPECT_EQ(all->nodes[0].name, "n4");
    EXPECT_EQ(all->nodes[0].state, SwarmNodeState::silent);
    EXPECT_EQ(all->nodes[1].name, "n3");
    EXPECT_EQ(all->nodes[3].state, SwarmNodeState::complete);
    EXPECT_EQ(all->nodes[0].since, answer->at - 10'000'000);
    EXPECT_EQ(nodes(admin, 1, {.zone = "b", .limit = 10})->total, 2U);
    EXPECT_EQ(nodes(admin, 1, {.name = "n2", .limit = 10})->nodes.at(0).progress, 700U);
    EXPECT_EQ(nodes(admin, 1, {.state = SwarmNodeState::active, .limit = 10})->total, 2U);
    const auto page = nodes(admin, 1, {.offset = 3, .limit = 10});
    EXPECT_EQ(page->total, 4U);
    ASSERT_EQ(page->nodes.size(), 1U);
    EXPECT_EQ(page->nodes[0].name, "n1");
    EXPECT_TRUE(nodes(admin, 1, {.offset = 9, .limit = 10})->nodes.empty());
    EXPECT_EQ(asked.size(), 1U) << "one list for all who ask within a second";
    const auto slowest = run_to_end(images.slowest(caller_with_id(admin), view.picture()->images.at(0)));
    EXPECT_EQ(slowest.value().value().name, "n4");
}

TEST_F(SwarmImagesTest, are_none_without_a_swarm)
{
    const SwarmImages none{nullptr, policy};
    EXPECT_TRUE(none.seen(caller_with_id(admin), *none.picture()).empty());
    EXPECT_EQ(none.find(caller_with_id(admin), named_by(Sha256{})).error().code(), Errc::not_found);
    EXPECT_EQ(none.instance(), "");
}

ImageBundlePtr bundle_of(std::uint8_t number)
{
    ImageContent content;
    content.manifest.bytes[0] = number;
    DescribedBlob blob;
    blob.digest.bytes[0] = number;
    blob.size = 10 * chunk_bytes;
    content.blobs = {blob};
    return std::make_shared<const ImageBundle>(
        ImageBundle{.descriptor = ImageDescriptor::of(content).value(), .hashes = {}}
    );
}

TEST(SwarmPainter, knows_rates_and_what_has_changed)
{
    SwarmPainter painter;
    const auto bundle = bundle_of(1);
    const std::vector<SwarmRepository> web{{10, "shop/web"}};
    std::chrono::steady_clock::time_point time{1h};
    const auto paint = [&](std::uint64_t bytes, Micros now) {
        auto tally = group_of(10, "a", 2, 50).tally;
        tally.received = {.origin = bytes, .zone = 0, .across = 0};
        return painter.paint({{.image = bundle, .repositories = web, .tallies = {tally}}}, time, now);
    };
    const auto first = paint(5'000, 77);
    ASSERT_EQ(first->images.size(), 1U);
    EXPECT_EQ(first->images[0]->begun, 77);
    EXPECT_EQ(first->images[0]->size, 10 * chunk_bytes);
    EXPECT_EQ(first->images[0]->groups.at(0).rate, 0U) << "nobody knows how long that took";
    time += 2s;
    const auto second = paint(9'000, 99);
    EXPECT_EQ(second->images[0]->begun, 77);
    EXPECT_EQ(second->images[0]->groups.at(0).rate, 1'000U);
    EXPECT_EQ(second->images[0]->version, second->version);
    SwarmPicturePtr still = second;
    for (int i = 0; i < 20; ++i) {
        time += 1s;
        still = paint(9'000, 99);
    }
    EXPECT_EQ(still->images[0]->groups.at(0).rate, 0U);
    EXPECT_LT(still->images[0]->version, still->version);
    EXPECT_TRUE(painter.paint({}, time, 99)->images.empty());
    time += 1s;
    EXPECT_EQ(paint(0, 500)->images[0]->begun, 500) << "it has begun anew";
}

}  // namespace
}  // namespace entrepot
