#pragma once

#include "tests/contract/metadata_store_contract_exchange.hpp"

#include <algorithm>

namespace entrepot::contract {

class SynchronousContract : public EndpointContract {
protected:
    static constexpr const char* home = "https://home.example";

    SynchronousCatalog& synchronous() { return store().synchronous(); }
    std::int64_t project_id() { return run(store().projects().find(project("p")))->id; }
    Synchronisation wanted(std::vector<std::int64_t> sites, std::int64_t required = 1)
    {
        Synchronisation one{.project_id = project_id(), .home = home, .required = required};
        for (const auto id : sites) one.sites.push_back({.registry_id = id, .project = "there"});
        return one;
    }
    Synchronisation led(const std::vector<std::int64_t>& sites, bool takes_over = false)
    {
        const auto made = run(synchronous().lead(wanted(sites), takes_over, someone));
        EXPECT_TRUE(made) << made.error().message() << made.error().detail();
        return made.value_or(Synchronisation{});
    }
    std::vector<LackingReference> lacking(std::int64_t site)
    {
        return run(synchronous().lacking(project_id(), site, "", "", 100)).value();
    }
    // "p/a:v1", and "-" before what is gone.
    std::vector<std::string> lacking_names(std::int64_t site)
    {
        std::vector<std::string> names;
        for (const auto& one : lacking(site)) {
            names.push_back((one.digest.empty() ? "-" : "") + one.repository + ":" + one.reference);
        }
        return names;
    }
    Result<> commit(const std::string& note, const std::vector<std::string>& tags, std::int64_t epoch = 0)
    {
        const RepositoryName name = repository("p/a");
        const Image image{.blobs = {"c"}, .annotation = note};
        arrive(name, "c");
        auto manifest = pushed(name, image, tags);
        manifest.actor.home_epoch = epoch;
        return run(store().manifests().commit(std::move(manifest)));
    }
    static LackingReference failed(const std::string& reference)
    {
        LackingReference one{.repository = "p/a", .reference = reference};
        one.last_error = "no";
        return one;
    }
    static std::string digest(const std::string& note)
    {
        return digest_of(Image{.blobs = {"c"}, .annotation = note}.bytes()).text();
    }
    std::int64_t events(const std::string& type)
    {
        return host().number("SELECT COUNT(*) FROM events WHERE type = '" + type + "'");
    }
};

TEST_P(SynchronousContract, what_is_set_is_kept_and_projects_without_it_know_nothing)
{
    const auto one = made("one").id;
    EXPECT_FAILS(Errc::not_found, run(synchronous().find(project_id())));
    EXPECT_FAILS(Errc::name_unknown, run(synchronous().find(project_id() + 99)));
    EXPECT_FAILS(Errc::not_found, run(synchronous().lead(wanted({one + 99}), false, someone)));
    EXPECT_FAILS(Errc::not_found, run(synchronous().find(project_id())));
    EXPECT_SUCCEEDS(commit("a", {"v1"}));
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM synchronised_pending"), 0);
    auto settings = wanted({one});
    settings.degrades = true;
    settings.patience = 7;
    EXPECT_SUCCEEDS(run(synchronous().lead(settings, false, someone)));
    host().reopen();
    const auto found = run(synchronous().find(project_id())).value();
    EXPECT_EQ(found.role, SiteRole::home);
    EXPECT_EQ(found.epoch, 1);
    EXPECT_EQ(found.home, home);
    EXPECT_TRUE(found.degrades);
    EXPECT_EQ(found.patience, 7);
    EXPECT_EQ(found.creator_id, someone.user_id);
    ASSERT_EQ(found.sites.size(), 1U);
    EXPECT_EQ(found.sites[0].registry, "one");
    EXPECT_EQ(found.sites[0].project, "there");
    EXPECT_EQ(found.sites[0].lacking, 1) << "what was there before";
    EXPECT_FALSE(found.sites[0].took_part);
    const auto members = run(synchronous().members(project_id())).value();
    EXPECT_EQ(members.patience, 7);
    ASSERT_EQ(members.sites.size(), 1U);
    EXPECT_EQ(members.sites[0].registry_id, one);
    EXPECT_EQ(members.sites[0].project, "there");
    EXPECT_EQ(members.sites[0].lacking, 0) << "not counted";
    EXPECT_FAILS(Errc::name_unknown, run(synchronous().members(project_id() + 99)));
    const auto access = run(store().access().changes_since(0)).value();
    const auto here = std::ranges::find(access.projects, project_id(), &ProjectAccess::id);
    ASSERT_NE(here, access.projects.end());
    ASSERT_TRUE(here->site);
    EXPECT_EQ(here->site->role, SiteRole::home);
    EXPECT_EQ(run(synchronous().all())->size(), 1U);
    EXPECT_FAILS(Errc::precondition_failed, run(endpoints().remove(one, someone)));
    EXPECT_FAILS(Errc::precondition_failed, run(store().renames().rename_project(project_id(), project("q"), someone)));
    EXPECT_SUCCEEDS(run(synchronous().stop(project_id(), someone)));
    EXPECT_FAILS(Errc::not_found, run(synchronous().stop(project_id(), someone)));
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM synchronised_pending"), 0);
    EXPECT_EQ(led({one}).epoch, 2) << "an epoch never comes again";
}

TEST_P(SynchronousContract, another_address_of_the_home_is_another_epoch_and_the_sites_keep_what_they_lack)
{
    const auto one = made("one").id;
    led({one});
    EXPECT_SUCCEEDS(commit("a", {"v1", "v2"}));
    EXPECT_SUCCEEDS(run(store().manifests().remove(repository("p/a"), reference("v2"), someone)));
    EXPECT_SUCCEEDS(run(synchronous().settle(project_id(), one, {"p/a", "v1", digest("a")})));
    EXPECT_SUCCEEDS(run(synchronous().note_followed(project_id(), one, 1)));
    auto settings = wanted({one});
    settings.home = "https://elsewhere.example";
    const auto moved = run(synchronous().lead(settings, false, someone)).value();
    EXPECT_EQ(moved.epoch, 2);
    EXPECT_EQ(moved.home, settings.home);
    EXPECT_EQ(moved.sites[0].followed_epoch, 1) << "it has to be told";
    EXPECT_EQ(lacking_names(one), (std::vector<std::string>{"-p/a:v2"}));
    EXPECT_EQ(run(synchronous().lead(settings, false, someone))->epoch, 2);
    EXPECT_SUCCEEDS(commit("b", {"v1"}));
}

TEST_P(SynchronousContract, a_site_that_comes_later_lacks_what_was_pushed_without_a_tag_to_something_else)
{
    const RepositoryName name = repository("p/a");
    EXPECT_SUCCEEDS(commit("a", {"v1"}));
    arrive(name, "c");
    const Image signature{.blobs = {"c"}, .annotation = "signature"};
    auto manifest = pushed(name, signature, {});
    manifest.manifest.subject = Descriptor{
        .media_type = std::string{media::oci_manifest}, .digest = Digest::parse(digest("a")).value(), .size = 1
    };
    EXPECT_SUCCEEDS(run(store().manifests().commit(std::move(manifest))));
    const auto one = made("one").id;
    led({one});
    auto expected = std::vector<std::string>{"p/a:" + digest("signature"), "p/a:v1"};
    EXPECT_EQ(lacking_names(one), expected);
}

TEST_P(SynchronousContract, a_push_that_knew_of_no_sites_is_not_taken_where_there_are_some)
{
    const RepositoryName name = repository("p/a");
    arrive(name, "c");
    auto manifest = pushed(name, Image{.blobs = {"c"}}, {"v1"});
    manifest.waits_for_sites = true;
    EXPECT_SUCCEEDS(run(store().manifests().commit(manifest)));
    const auto one = made("one").id;
    led({one});
    EXPECT_SUCCEEDS(run(synchronous().settle(project_id(), one, lacking(one).front())));
    EXPECT_FAILS(Errc::unavailable, run(store().manifests().commit(manifest)));
    EXPECT_TRUE(lacking(one).empty());
    manifest.waits_for_sites = false;
    EXPECT_SUCCEEDS(run(store().manifests().commit(manifest)));
    EXPECT_SUCCEEDS(run(synchronous().follow(project_id(), 2, "https://other.example", someone)));
    manifest.waits_for_sites = true;
    EXPECT_FAILS(Errc::denied, run(store().manifests().commit(manifest)));
}

TEST_P(SynchronousContract, every_change_at_the_home_is_what_each_site_lacks)
{
    const auto one = made("one").id;
    const auto two = made("two").id;
    led({one, two});
    EXPECT_SUCCEEDS(commit("a", {"v1", "latest"}));
    EXPECT_SUCCEEDS(commit("by digest", {}));
    EXPECT_EQ(lacking_names(one).size(), 3U);
    EXPECT_EQ(lacking_names(one), lacking_names(two));
    EXPECT_SUCCEEDS(run(synchronous().settle(project_id(), one, {"p/a", "v1", digest("other")})));
    EXPECT_EQ(lacking(one).size(), 3U) << "it holds something else";
    EXPECT_SUCCEEDS(run(synchronous().settle(project_id(), one, {"p/a", "v1", digest("a")})));
    EXPECT_EQ(lacking(one).size(), 2U);
    EXPECT_EQ(lacking(two).size(), 3U);
    EXPECT_SUCCEEDS(run(synchronous().note_failure(project_id(), two, failed("v1"))));
    EXPECT_SUCCEEDS(commit("b", {"v1"}));
    const auto moved = lacking(two);
    const auto v1 = std::ranges::find(moved, "v1", &LackingReference::reference);
    ASSERT_NE(v1, moved.end());
    EXPECT_EQ(v1->digest, digest("b"));
    EXPECT_EQ(v1->failures, 1);
    EXPECT_EQ(v1->last_error, "no");
    EXPECT_SUCCEEDS(run(store().manifests().remove(repository("p/a"), reference("latest"), someone)));
    auto names = lacking_names(one);
    EXPECT_NE(std::ranges::find(names, "-p/a:latest"), names.end());
    EXPECT_SUCCEEDS(run(store().manifests().remove(repository("p/a"), reference(digest("b")), someone)));
    names = lacking_names(one);
    EXPECT_NE(std::ranges::find(names, "-p/a:v1"), names.end());
    EXPECT_NE(std::ranges::find(names, "-p/a:" + digest("b")), names.end());
    EXPECT_EQ(led({two}).sites.size(), 1U);
    EXPECT_TRUE(lacking(one).empty());
    EXPECT_EQ(lacking(two).size(), 4U) << "a site that stays keeps what it lacks";
}

TEST_P(SynchronousContract, what_a_site_holds_is_settled_by_what_the_reference_leads_to_now)
{
    const auto one = made("one").id;
    led({one});
    EXPECT_SUCCEEDS(commit("a", {"v1"}));
    EXPECT_SUCCEEDS(commit("b", {"v1"}));
    EXPECT_SUCCEEDS(run(synchronous().settle(project_id(), one, {"p/a", "v1", digest("b")})));
    EXPECT_TRUE(lacking(one).empty());
    EXPECT_SUCCEEDS(run(synchronous().settle(project_id(), one, {"p/a", "v1", digest("b")})));
    EXPECT_TRUE(lacking(one).empty()) << "two have sent the same";
    EXPECT_SUCCEEDS(run(synchronous().settle(project_id(), one, {"p/a", "v1", digest("a")})));
    ASSERT_EQ(lacking(one).size(), 1U) << "a slower one has sent what was before";
    EXPECT_EQ(lacking(one)[0].digest, digest("b"));
    EXPECT_SUCCEEDS(run(synchronous().settle(project_id(), one, {"p/a", "v1", digest("b")})));
    EXPECT_SUCCEEDS(run(synchronous().note_failure(project_id(), one, failed("v1"))));
    ASSERT_EQ(lacking(one).size(), 1U) << "nobody knows what has come of it";
    EXPECT_EQ(lacking(one)[0].digest, digest("b"));
    EXPECT_EQ(lacking(one)[0].last_error, "no");
    EXPECT_SUCCEEDS(run(synchronous().fence(project_id(), 1, "another home", 5)));
    EXPECT_SUCCEEDS(run(synchronous().settle(project_id(), one, {"p/a", "v1", digest("b")})));
    EXPECT_SUCCEEDS(run(synchronous().note_failure(project_id(), one, failed("v1"))));
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM synchronised_pending"), 0) << "it is the home's business";
}

TEST_P(SynchronousContract, what_was_removed_at_a_site_and_has_come_back_here_is_lacking_there_with_its_tags)
{
    const auto one = made("one").id;
    led({one});
    EXPECT_SUCCEEDS(commit("a", {"v1"}));
    EXPECT_SUCCEEDS(run(store().manifests().remove(repository("p/a"), reference(digest("a")), someone)));
    EXPECT_SUCCEEDS(run(synchronous().settle(project_id(), one, {"p/a", "v1", ""})));
    EXPECT_SUCCEEDS(commit("a", {"v2"}));
    EXPECT_SUCCEEDS(run(synchronous().settle(project_id(), one, {"p/a", "v2", digest("a")})));
    EXPECT_SUCCEEDS(run(synchronous().settle(project_id(), one, {"p/a", digest("a"), ""})));
    EXPECT_EQ(lacking(one).size(), 2U);
    // Who was bringing it before the removal doesn't settle it; who looks again does.
    EXPECT_SUCCEEDS(run(synchronous().settle(project_id(), one, {"p/a", "v2", digest("a")})));
    EXPECT_EQ(lacking_names(one), (std::vector<std::string>{"p/a:" + digest("a"), "p/a:v2"}));
    EXPECT_SUCCEEDS(run(synchronous().settle(project_id(), one, {"p/a", "v2", digest("a")})));
    EXPECT_SUCCEEDS(run(synchronous().settle(project_id(), one, {"p/a", digest("a"), digest("a")})));
    EXPECT_TRUE(lacking(one).empty());
}

TEST_P(SynchronousContract, a_follower_takes_what_its_home_sends_by_its_epoch_and_nothing_else)
{
    EXPECT_SUCCEEDS(run(synchronous().follow(project_id(), 3, home, someone)));
    EXPECT_FAILS(Errc::denied, commit("a", {"v1"}));
    EXPECT_FAILS(Errc::precondition_failed, commit("a", {"v1"}, 2));
    EXPECT_FAILS(Errc::precondition_failed, commit("a", {"v1"}, 4));
    EXPECT_FAILS(Errc::precondition_failed, commit("by digest", {}, 2));
    EXPECT_SUCCEEDS(commit("a", {"v1"}, 3));
    EXPECT_FAILS(Errc::denied, run(store().manifests().remove(repository("p/a"), reference("v1"), someone)));
    EXPECT_FAILS(
        Errc::denied, run(store().artifacts().add_tag(repository("p/a"), reference("v1"), tag("v2"), someone))
    );
    Actor sent = someone;
    sent.home_epoch = 3;
    EXPECT_SUCCEEDS(run(store().manifests().remove(repository("p/a"), reference("v1"), sent)));
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM synchronised_pending"), 0);

    EXPECT_SUCCEEDS(run(synchronous().follow(project_id(), 3, home, someone)));
    EXPECT_FAILS(Errc::conflict, run(synchronous().follow(project_id(), 3, "https://other.example", someone)));
    EXPECT_FAILS(Errc::conflict, run(synchronous().follow(project_id(), 2, home, someone)));
    EXPECT_SUCCEEDS(run(synchronous().follow(project_id(), 5, "https://other.example", someone)));
    EXPECT_FAILS(Errc::precondition_failed, commit("a", {"v1"}, 3));
    EXPECT_EQ(run(synchronous().find(project_id()))->epoch, 5);
    EXPECT_FAILS(Errc::bad_request, run(synchronous().follow(project_id(), 1'006, home, someone)));
    const auto changes = events("synchronisation.changed");
    Actor other = someone;
    other.user_id = someone.user_id + 1;
    EXPECT_SUCCEEDS(run(synchronous().follow(project_id(), 5, "https://other.example", other)));
    EXPECT_EQ(events("synchronisation.changed"), changes + 1) << "another account writes from now on";
    EXPECT_FAILS(Errc::conflict, run(synchronous().lead(wanted({made("one").id}), false, someone)));
    EXPECT_SUCCEEDS(run(synchronous().stop(project_id(), someone)));
    EXPECT_FAILS(Errc::precondition_failed, commit("a", {"v1"}, 5));  // it is nobody's copy any more
    EXPECT_SUCCEEDS(commit("a", {"v1"}));
}

TEST_P(SynchronousContract, who_takes_over_has_the_next_epoch_and_the_old_home_is_overruled)
{
    const auto one = made("one").id;
    EXPECT_EQ(led({one}).epoch, 1);
    EXPECT_FAILS(Errc::conflict, run(synchronous().lead(wanted({one}), true, someone)));
    EXPECT_SUCCEEDS(commit("alone", {"v1", "same", "gone"}));
    EXPECT_SUCCEEDS(run(synchronous().fence(project_id(), 9, "not this one", 5)));
    EXPECT_SUCCEEDS(commit("alone", {"v1"}));
    EXPECT_SUCCEEDS(run(synchronous().fence(project_id(), 1, "another home", 5)));
    EXPECT_EQ(run(synchronous().find(project_id()))->role, SiteRole::fenced);
    EXPECT_EQ(events("synchronisation.fenced"), 1);
    EXPECT_FAILS(Errc::denied, commit("more", {"v1"}));
    EXPECT_FAILS(Errc::conflict, run(synchronous().follow(project_id(), 1, "https://new.example", someone)));
    EXPECT_SUCCEEDS(run(synchronous().follow(project_id(), 2, "https://new.example", someone)));

    EXPECT_SUCCEEDS(commit("theirs", {"v1"}, 2));
    EXPECT_SUCCEEDS(commit("alone", {"same"}, 2));
    Actor sent = someone;
    sent.home_epoch = 2;
    EXPECT_SUCCEEDS(run(store().manifests().remove(repository("p/a"), reference("gone"), sent)));
    EXPECT_EQ(events("synchronisation.overruled"), 2);
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM events WHERE type = 'synchronisation.overruled' AND tag = 'v1'"), 1);
    EXPECT_SUCCEEDS(commit("later", {"v1"}, 2));
    EXPECT_EQ(events("synchronisation.overruled"), 2) << "once a tag";
    EXPECT_TRUE(run(store().manifests().load(repository("p/a"), reference(digest("alone")))))
        << "what was overruled stays by its digest";

    const auto taken = led({one}, true);
    EXPECT_EQ(taken.epoch, 3);
    ASSERT_EQ(taken.sites.size(), 1U);
    EXPECT_TRUE(taken.sites[0].took_part);
    EXPECT_EQ(lacking_names(one), (std::vector<std::string>{"p/a:same", "p/a:v1"}));
    EXPECT_SUCCEEDS(commit("ours again", {"v1"}));
}

}  // namespace entrepot::contract
