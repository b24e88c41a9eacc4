#pragma once

#include "tests/contract/metadata_store_contract_artifacts.hpp"
#include "tests/contract/metadata_store_contract_races.hpp"

#include <atomic>
#include <set>

namespace entrepot::contract {

class EventContract : public ArtifactContract {
protected:
    EventLog& log() { return store().events(); }

    EventRange settle()
    {
        const auto range = run(log().settle());
        EXPECT_TRUE(range) << range.error().detail();
        return range.value_or(EventRange{});
    }
    std::vector<Event> since(std::int64_t after, std::int64_t limit = 1000)
    {
        settle();
        auto events = run(log().read(after, limit));
        EXPECT_TRUE(events) << events.error().detail();
        return events.value_or(std::vector<Event>{});
    }
    std::vector<std::string> types_since(std::int64_t after)
    {
        std::vector<std::string> types;
        for (const auto& event : since(after)) types.push_back(event.type);
        return types;
    }
    static void expect_details(const Event& event, const std::string& part)
    {
        EXPECT_NE(event.details.find(part), std::string::npos) << event.details << " lacks " << part;
    }
    // What the change wrote to the log.
    template <class Change>
    std::vector<Event> recorded(Change change)
    {
        const auto before = settle().newest;
        change();
        return since(before);
    }
    void add(std::int64_t count, Micros at)
    {
        std::vector<Event> events(static_cast<std::size_t>(count));
        for (auto& event : events) {
            event.type = event_type::artifact_pulled;
            event.at = at;
        }
        EXPECT_SUCCEEDS(run(log().add(std::move(events))));
    }
};

TEST_P(EventContract, a_push_is_one_event_that_says_what_came_of_its_tags)
{
    const Image first{.blobs = {"c", "l"}};
    const Image second{.blobs = {"c"}, .annotation = "2"};
    const auto pushes = recorded([&] {
        push_image("p/app", first, {"v1", "latest"});
        push_image("p/app", second, {"latest"});
        push_image("p/app", second, {"latest"});
    });
    ASSERT_EQ(pushes.size(), 3U);
    const auto& event = pushes[0];
    EXPECT_EQ(event.type, event_type::artifact_pushed);
    EXPECT_EQ(event.project, "p");
    EXPECT_EQ(event.project_id, run(store().projects().find(project("p")))->id);
    EXPECT_EQ(event.tenant_id, default_tenant_id);
    EXPECT_EQ(event.repository, "p/app");
    EXPECT_EQ(event.digest, digest_of(first.bytes()).text());
    EXPECT_EQ(event.tag, "v1");
    EXPECT_EQ(event.media_type, media::oci_manifest);
    EXPECT_GT(event.size, 0);
    EXPECT_EQ(event.count, 1);
    expect_details(event, R"("change":"added","tags":[{"name":"v1"},{"name":"latest"}])");
    expect_details(event, R"("artifact_type":"application/vnd.oci.image.config.v1+json")");
    const auto moved = R"([{"name":"latest","previous":")" + event.digest + R"("}])";
    expect_details(pushes[1], R"("change":"added","tags":)" + moved);
    const auto kept = R"([{"name":"latest","previous":")" + pushes[1].digest + R"("}])";
    expect_details(pushes[2], R"("change":"repeated","tags":)" + kept);
}

TEST_P(EventContract, what_was_refused_is_no_event)
{
    const auto nothing = recorded([&] {
        EXPECT_FAILS(
            Errc::manifest_blob_unknown,
            run(store().manifests().commit(
                viewed(repository("p/app"), Image{.blobs = {"absent"}}.bytes(), media::oci_manifest, {})
            ))
        );
        EXPECT_FAILS(Errc::name_unknown, run(store().manifests().remove(repository("p/no"), reference("v1"), someone)));
    });
    EXPECT_EQ(nothing.size(), 0U);
}

TEST_P(EventContract, every_artifact_that_goes_has_its_event_and_what_goes_along_says_with_what)
{
    const auto child = push_image("p/app", {.blobs = {"c"}});
    const auto index = push_index("p/app", {child}, {"multi"});
    const auto gone =
        recorded([&] { EXPECT_SUCCEEDS(run(artifacts().remove(repository("p/app"), reference("multi"), someone))); });
    ASSERT_EQ(gone.size(), 2U);
    EXPECT_EQ(gone[0].type, event_type::artifact_deleted);
    EXPECT_EQ(gone[0].digest, index.text());
    EXPECT_EQ(gone[0].tag, "multi");
    EXPECT_EQ(gone[0].details, R"({"tags":["multi"]})");
    EXPECT_EQ(gone[1].digest, child.text());
    expect_details(gone[1], R"("with":")" + index.text() + R"(")");

    push_image("p/app", {.blobs = {"c"}, .annotation = "2"}, {"v2"});
    push_image("p/app", {.blobs = {"c"}, .annotation = "3"}, {"v3"});
    const auto by_client = recorded([&] {
        EXPECT_SUCCEEDS(run(store().manifests().remove(repository("p/app"), reference("v2"), someone)));
        EXPECT_SUCCEEDS(run(store().repositories().remove(repository("p/app"), someone)));
    });
    ASSERT_EQ(by_client.size(), 4U);
    EXPECT_EQ(by_client[0].type, event_type::tag_deleted);
    EXPECT_EQ(by_client[0].tag, "v2");
    EXPECT_EQ(by_client[0].digest, digest_of(Image{.blobs = {"c"}, .annotation = "2"}.bytes()).text());
    EXPECT_EQ(by_client[1].type, event_type::artifact_deleted);
    EXPECT_EQ(by_client[2].type, event_type::artifact_deleted);
    EXPECT_EQ(by_client[3].type, event_type::repository_deleted);
}

TEST_P(EventContract, tags_copies_and_labels_are_events)
{
    const auto digest = push_image("p/app", {.blobs = {"c"}}, {"v1"});
    const auto label = add_label("blue", "g", 0);
    const auto events = recorded([&] {
        EXPECT_SUCCEEDS(run(artifacts().add_tag(repository("p/app"), reference("v1"), tag("v2"), someone)));
        EXPECT_SUCCEEDS(run(artifacts().remove_tag(repository("p/app"), reference("v1"), tag("v1"), someone)));
        EXPECT_SUCCEEDS(run(artifacts().copy(repository("p/app"), reference("v2"), repository("p/copy"), someone)));
        EXPECT_SUCCEEDS(run(artifacts().add_label(repository("p/app"), reference("v2"), label, someone)));
        EXPECT_SUCCEEDS(run(artifacts().remove_label(repository("p/app"), reference("v2"), label, someone)));
    });
    ASSERT_EQ(events.size(), 5U);
    EXPECT_EQ(events[0].type, event_type::tag_created);
    EXPECT_EQ(events[0].tag, "v2");
    EXPECT_EQ(events[1].type, event_type::tag_deleted);
    EXPECT_EQ(events[1].tag, "v1");
    EXPECT_EQ(events[2].type, event_type::artifact_copied);
    EXPECT_EQ(events[2].repository, "p/copy");
    expect_details(events[2], R"("change":"added","tags":[{"name":"v2"}])");
    expect_details(events[2], R"("from":"p/app")");
    EXPECT_EQ(events[3].type, event_type::artifact_labelled);
    EXPECT_EQ(events[4].type, event_type::artifact_unlabelled);
    EXPECT_EQ(events[4].details, R"({"label":{"id":)" + std::to_string(label) + R"(,"name":"blue"}})");
    for (const auto& event : events) EXPECT_EQ(event.digest, digest.text());
}

TEST_P(EventContract, changes_of_projects_people_and_rights_are_events_with_who_made_them)
{
    Account account;
    account.name = "ann";
    account.created_at = 5;
    const auto start = settle().newest;
    const auto ann = run(store().accounts().create(account)).value();
    const auto made = run(store().projects().create({.name = project("shop")}, {ann.id, 10})).value();
    EXPECT_SUCCEEDS(
        run(store().projects().change(made.id, {.is_public = true, .metadata = {{"auto_scan", "true"}}}, {ann.id, 11}))
    );
    NewGrant wanted;
    wanted.subject_id = ann.id;
    wanted.object_kind = ObjectKind::project;
    wanted.object_id = made.id;
    wanted.role_id = role::guest;
    const auto grant = run(store().grants().create(wanted, {ann.id, 12}));
    ASSERT_TRUE(grant) << grant.error().message();
    EXPECT_SUCCEEDS(run(store().grants().set_role(grant->id, role::developer, {ann.id, 13})));
    EXPECT_SUCCEEDS(run(store().grants().remove(grant->id, {ann.id, 14})));
    EXPECT_SUCCEEDS(run(store().accounts().set_password(ann.id, "hash", {ann.id, 15})));
    EXPECT_SUCCEEDS(run(store().settings().change({{"read_only", "true"}}, {ann.id, 16})));
    EXPECT_SUCCEEDS(run(store().projects().remove(made.id, {ann.id, 17})));
    const auto events = since(start);
    ASSERT_EQ(events.size(), 9U);
    const std::vector<std::string_view> expected{
        event_type::user_created,
        event_type::project_created,
        event_type::project_updated,
        event_type::grant_created,
        event_type::grant_updated,
        event_type::grant_deleted,
        event_type::user_updated,
        event_type::configuration_updated,
        event_type::project_deleted,
    };
    for (std::size_t i = 0; i < events.size(); ++i) EXPECT_EQ(events[i].type, expected[i]) << i;
    EXPECT_EQ(events[1].user, "ann");
    EXPECT_EQ(events[1].user_id, ann.id);
    EXPECT_EQ(events[1].at, 10);
    EXPECT_EQ(events[1].project, "shop");
    EXPECT_EQ(events[2].details, R"({"changed":["public","auto_scan"]})");
    EXPECT_EQ(events[3].project_id, made.id);
    EXPECT_NE(events[4].details.find(R"("subject":"ann")"), std::string::npos) << events[4].details;
    EXPECT_NE(events[4].details.find(R"("role":"developer")"), std::string::npos) << events[4].details;
    EXPECT_EQ(events[6].details.find("hash"), std::string::npos) << "no secret gets here";
    EXPECT_EQ(events[8].project, "shop") << "the name that it had";
    EXPECT_EQ(events[8].tenant_id, default_tenant_id);
}

TEST_P(EventContract, numbers_have_no_gaps_and_outlive_the_program)
{
    push_image("p/app", {.blobs = {"c"}}, {"v1"});
    const auto before = settle();
    host().reopen();
    add(3, 1);
    const auto after = settle();
    EXPECT_EQ(after.newest, before.newest + 3);
    std::int64_t expected = 0;
    for (const auto& event : since(0)) EXPECT_EQ(event.sequence, ++expected);
    EXPECT_EQ(expected, after.newest);
    EXPECT_EQ(since(after.newest - 1).size(), 1U);
    EXPECT_EQ(since(after.newest).size(), 0U);
    EXPECT_EQ(since(0, 2).back().sequence, 2);
}

// Readers that follow while many write, and another instance numbers as well: each sees every event once, in order.
TEST_P(EventContract, nobody_who_follows_misses_an_event)
{
    constexpr int writers = 6;
    constexpr int pushes = 25;
    for (int i = 0; i < writers; ++i) {
        const auto name = "q" + std::to_string(i);
        ASSERT_TRUE(run(store().projects().create({.name = project(name)}, someone)));
        arrive(repository(name + "/app"), "c");
    }
    const auto start = settle().newest;
    std::atomic<int> writing = writers;
    std::atomic<int> failures = 0;
    Crowd crowd;
    for (int i = 0; i < writers; ++i) {
        crowd.add([&, i] {
            const auto name = repository("q" + std::to_string(i) + "/app");
            for (int n = 0; n < pushes; ++n) {
                const Image image{.blobs = {"c"}, .annotation = std::to_string(n)};
                failures += !run(store().manifests().commit(viewed(name, image.bytes(), media::oci_manifest, {"t"})));
            }
            --writing;
        });
    }
    std::array<std::vector<std::string>, 3> seen;
    for (auto& own : seen) {
        crowd.add([&] {
            auto at = start;
            while (true) {
                const bool last_round = writing == 0;
                const auto settled = run(log().settle());
                const auto events = run(log().read(at, 7));
                failures += !settled + !events;
                if (!events) return;
                for (const auto& event : *events) {
                    failures += event.sequence != ++at;
                    own.push_back(event.repository + "@" + event.digest);
                }
                if (last_round && events->empty()) return;
            }
        });
    }
    crowd.join();
    EXPECT_EQ(failures, 0);
    EXPECT_EQ(seen[0].size(), static_cast<std::size_t>(writers * pushes));
    EXPECT_EQ(std::set(seen[0].begin(), seen[0].end()).size(), seen[0].size());
    EXPECT_EQ(seen[1], seen[0]);
    EXPECT_EQ(seen[2], seen[0]);
}

TEST_P(EventContract, a_consumer_begins_at_the_newest_event_and_is_moved_on_by_one_of_several)
{
    add(5, 1);
    const auto newest = settle().newest;
    EXPECT_EQ(run(log().cursor("hooks")).value(), newest);
    add(5, 1);
    settle();
    EXPECT_EQ(run(log().cursor("hooks")).value(), newest) << "it stays where it was";
    std::atomic<int> moved = 0;
    {
        Crowd crowd;
        for (int i = 0; i < 8; ++i) {
            crowd.add([&] { moved += run(log().advance("hooks", newest, newest + 5, {})).has_value(); });
        }
    }
    EXPECT_EQ(moved, 1);
    EXPECT_EQ(run(log().cursor("hooks")).value(), newest + 5);
    EXPECT_FAILS(Errc::conflict, run(log().advance("hooks", newest, newest + 5, {})));
}

TEST_P(EventContract, old_events_go_but_not_those_that_a_consumer_has_yet_to_read)
{
    const auto gone = [&](Micros read_by_all, Micros in_any_case) {
        return run(log().remove(read_by_all, in_any_case)).value();
    };
    while (gone(1'000'000, 1'000'000) > 0) {
    }
    add(10, 100);
    const auto oldest = settle().newest - 10;
    EXPECT_EQ(run(log().cursor("slow")).value(), oldest + 10);
    EXPECT_EQ(run(log().cursor("webhooks")).value(), 0) << "there from the first event on";
    EXPECT_SUCCEEDS(run(log().advance("webhooks", 0, oldest + 30, {})));
    add(10, 200);
    settle();
    EXPECT_EQ(gone(150, 0), 11) << "with the one that kept the place";
    EXPECT_EQ(settle().oldest, oldest + 11);
    EXPECT_EQ(gone(300, 0), 0) << "the consumer has not read them";
    EXPECT_SUCCEEDS(run(log().advance("slow", oldest + 10, oldest + 15, {})));
    EXPECT_EQ(gone(300, 0), 5);
    EXPECT_EQ(gone(300, 300), 4) << "too old for any consumer; the newest stays";
    EXPECT_EQ(settle().oldest, settle().newest);
    add(1, 400);
    EXPECT_EQ(settle().newest, oldest + 21);
}

}  // namespace entrepot::contract
