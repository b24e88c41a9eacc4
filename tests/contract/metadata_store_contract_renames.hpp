#pragma once

#include "tests/contract/metadata_store_contract_artifacts.hpp"
#include "tests/contract/metadata_store_contract_races.hpp"

namespace entrepot::contract {

class RenameContract : public ArtifactContract {
protected:
    RenameCatalog& renames() { return store().renames(); }
    std::int64_t id_of(std::string_view name) { return run(store().projects().find(project(name)))->id; }
    void add_project(std::string_view name)
    {
        EXPECT_SUCCEEDS(run(store().projects().create({.name = project(name)}, someone)));
    }
    Result<> rename(std::string_view from, std::string_view into)
    {
        return run(renames().rename_repository(repository(from), repository(into), someone));
    }
    bool has(std::string_view name, std::string_view text)
    {
        return run(store().manifests().load(repository(name), reference(text))).has_value();
    }
    // Where names lead, as decisions see it.
    std::optional<std::string> leads(std::string_view name)
    {
        AccessPolicy policy{ProjectCreation::everyone, clock_};
        policy.apply(run(store().access().changes_since(0)).value());
        const auto everything = policy.renamed(name);
        // What follows change by change says the same.
        followed_.apply(run(store().access().changes_since(followed_.version())).value());
        EXPECT_EQ(followed_.renamed(name), everything) << name;
        return everything;
    }
    std::vector<std::string> former_names(std::string_view name)
    {
        ListQuery query;
        query.limit = 100;
        std::vector<std::string> texts;
        const auto page = run(renames().former_names(id_of(name), query));
        EXPECT_TRUE(page) << page.error().message() << page.error().detail();
        for (const auto& each : page->items) texts.push_back(each.name + " > " + each.leads_to);
        return texts;
    }

private:
    SystemClock clock_;
    AccessPolicy followed_{ProjectCreation::everyone, clock_};
};

using Names = std::vector<std::string>;

TEST_P(RenameContract, a_repository_takes_all_it_holds_to_its_new_name)
{
    const Image image{.blobs = {"c", "layer"}};
    const auto digest = push_image("p/app", image, {"v1"});
    push_image("p/app", {.blobs = {"c"}, .artifact_type = "application/x-sig", .subject = digest});
    EXPECT_TRUE(has("p/app", "v1"));
    EXPECT_SUCCEEDS(rename("p/app", "p/team/web"));
    EXPECT_FALSE(has("p/app", "v1"));
    EXPECT_FALSE(has("p/app", digest.text()));
    EXPECT_FALSE(store().manifests().peek(repository("p/app"), reference("v1")));
    EXPECT_TRUE(has("p/team/web", "v1"));
    EXPECT_SUCCEEDS(run(store().blobs().load(repository("p/team/web"), digest_of("layer"))));
    EXPECT_EQ(run(store().manifests().referrers(repository("p/team/web"), digest, "", {9, ""}))->referrers.size(), 1U);
    EXPECT_EQ(list("p/team/web").total, 1);
    EXPECT_EQ(leads("p/app"), "p/team/web");
    EXPECT_EQ(leads("p/team/web"), std::nullopt);
    EXPECT_EQ(former_names("p"), Names{"p/app > p/team/web"});
    expect_exact();
}

TEST_P(RenameContract, a_chain_of_names_leads_to_the_last_one_and_never_in_a_circle)
{
    push_image("p/a", {.blobs = {"c"}}, {"v"});
    EXPECT_SUCCEEDS(rename("p/a", "p/b"));
    EXPECT_SUCCEEDS(rename("p/b", "p/c"));
    EXPECT_EQ(leads("p/a"), "p/c");
    EXPECT_EQ(leads("p/b"), "p/c");
    EXPECT_SUCCEEDS(rename("p/c", "p/a"));
    EXPECT_EQ(leads("p/a"), std::nullopt) << "it has its name back";
    EXPECT_EQ(leads("p/b"), "p/a");
    EXPECT_EQ(leads("p/c"), "p/a");
    EXPECT_TRUE(has("p/a", "v"));
}

TEST_P(RenameContract, nothing_takes_a_name_that_is_kept_until_it_is_given_up)
{
    push_image("p/a", {.blobs = {"c"}}, {"v"});
    push_image("p/other", {.blobs = {"c"}}, {"v"});
    EXPECT_SUCCEEDS(rename("p/a", "p/b"));
    EXPECT_FAILS(Errc::denied, run(store().blobs().arrive(arrival(repository("p/a"), "c"))));
    EXPECT_FAILS(
        Errc::denied, run(store().manifests().commit(pushed(repository("p/a"), Image{.blobs = {"c"}}, {"v"})))
    );
    EXPECT_FAILS(
        Errc::denied, run(store().blobs().mount(repository("p/a"), repository("p/b"), digest_of("c"), someone))
    );
    EXPECT_FAILS(Errc::name_unknown, run(store().repositories().find(repository("p/a"))));
    EXPECT_FAILS(Errc::conflict, rename("p/other", "p/a"));
    EXPECT_FAILS(Errc::conflict, rename("p/other", "p/b"));
    EXPECT_FAILS(Errc::name_unknown, rename("p/a", "p/c"));
    EXPECT_FAILS(Errc::name_unknown, rename("p/b", "nowhere/b"));
    const auto page = run(renames().former_names(id_of("p"), {}));
    ASSERT_EQ(page->items.size(), 1U);
    EXPECT_FAILS(Errc::not_found, run(renames().give_up(id_of("p"), page->items[0].id + 1, someone)));
    EXPECT_SUCCEEDS(run(renames().give_up(id_of("p"), page->items[0].id, someone)));
    EXPECT_EQ(leads("p/a"), std::nullopt);
    EXPECT_SUCCEEDS(rename("p/other", "p/a"));
    expect_exact();
}

TEST_P(RenameContract, what_moves_to_another_project_is_charged_there)
{
    add_project("q");
    push_image("p/app", {.blobs = {"c", "shared", "layer"}}, {"v"});
    push_image("p/other", {.blobs = {"c", "shared"}}, {"v"});
    push_image("q/here", {.blobs = {"c"}}, {"v"});
    const auto label = add_label("mine", "p", id_of("p"));
    EXPECT_SUCCEEDS(run(artifacts().add_label(repository("p/app"), reference("v"), label, someone)));
    const auto before = bytes_of("p") + bytes_of("q");
    EXPECT_SUCCEEDS(rename("p/app", "q/app"));
    EXPECT_SUCCEEDS(run(store().quotas().settle(1)));
    EXPECT_EQ(bytes_of("p") + bytes_of("q"), before + 6) << "\"shared\" counts in both now, \"c\" did before";
    EXPECT_EQ(host().number(wrongly_charged_projects), 0);
    EXPECT_EQ(find("q/app", "v").labels_json, "[]");
    EXPECT_EQ(find("q/app", "v").project_id, id_of("q"));
    EXPECT_EQ(run(store().projects().find(project("p")))->repository_count, 1);
    EXPECT_EQ(run(store().projects().find(project("q")))->artifact_count, 2);
    EXPECT_EQ(leads("p/app"), "q/app");
    expect_exact();
    EXPECT_SUCCEEDS(rename("q/app", "q/web"));
    EXPECT_EQ(leads("p/app"), "q/web");
    EXPECT_SUCCEEDS(run(store().repositories().remove(repository("q/web"), someone)));
    EXPECT_EQ(leads("p/app"), std::nullopt) << "it led to what is gone";
    expect_exact();
}

TEST_P(RenameContract, what_garbage_collection_saw_elsewhere_is_left_to_its_next_run)
{
    add_project("q");
    push_image("p/app", {.blobs = {"c"}}, {"v"});
    arrive(repository("p/app"), "loose");
    constexpr Micros end = Micros{1} << 60U;
    const auto seen = run(store().garbage().unused_links(end, 10));
    ASSERT_EQ(seen.value().size(), 1U);
    EXPECT_SUCCEEDS(rename("p/app", "q/app"));
    EXPECT_EQ(run(store().garbage().sweep_links(id_of("p"), *seen, someone)).value(), 0U);
    EXPECT_SUCCEEDS(run(store().blobs().load(repository("q/app"), digest_of("loose"))));
    const auto again = run(store().garbage().unused_links(end, 10));
    EXPECT_EQ(run(store().garbage().sweep_links(id_of("q"), *again, someone)).value(), 1U);
    EXPECT_FAILS(Errc::blob_unknown, run(store().blobs().load(repository("q/app"), digest_of("loose"))));
    EXPECT_SUCCEEDS(run(store().quotas().settle(1)));
    EXPECT_EQ(host().number(wrongly_charged_projects), 0);
    expect_exact();
}

TEST_P(RenameContract, a_project_without_room_takes_nothing)
{
    add_project("q");
    EXPECT_SUCCEEDS(run(store().projects().set_quota(id_of("q"), {.bytes = 20}, someone)));
    push_image("p/app", {.blobs = {"c", "layer"}}, {"v"});
    const auto before = bytes_of("p");
    EXPECT_FAILS(Errc::quota_exceeded, rename("p/app", "q/app"));
    EXPECT_TRUE(has("p/app", "v"));
    EXPECT_EQ(bytes_of("p"), before);
    EXPECT_EQ(bytes_of("q"), 0);
    EXPECT_EQ(leads("p/app"), std::nullopt);
    expect_exact();
}

TEST_P(RenameContract, immutable_tags_hold_their_repository_where_it_is)
{
    push_image("p/app", {.blobs = {"c"}}, {"v1"});
    const ImmutableRule rule{
        .project_id = id_of("p"),
        .repositories = Selectors::of_repositories({{false, "**"}}).value(),
        .tags = Selectors::of_tags({{false, "v*"}}).value(),
    };
    ASSERT_TRUE(run(store().immutable_rules().create(rule, someone)));
    EXPECT_FAILS(Errc::precondition_failed, rename("p/app", "p/web"));
    EXPECT_SUCCEEDS(run(renames().rename_project(id_of("p"), project("q"), someone)));
    EXPECT_TRUE(has("q/app", "v1")) << "rules are about what is below the project";
    EXPECT_FAILS(
        Errc::precondition_failed, run(store().manifests().remove(repository("q/app"), reference("v1"), someone))
    );
}

TEST_P(RenameContract, a_project_takes_its_repositories_along_and_keeps_its_old_name)
{
    push_image("p/app", {.blobs = {"c"}}, {"v"});
    push_image("p/team/web", {.blobs = {"c"}}, {"v"});
    EXPECT_SUCCEEDS(rename("p/team/web", "p/web"));
    const auto id = id_of("p");
    const auto bytes = bytes_of("p");
    EXPECT_TRUE(has("p/app", "v"));
    EXPECT_FAILS(Errc::conflict, run(renames().rename_project(id, project("p"), someone)));
    EXPECT_SUCCEEDS(run(renames().rename_project(id, project("new-name"), someone)));
    EXPECT_EQ(id_of("new-name"), id);
    EXPECT_EQ(bytes_of("new-name"), bytes);
    EXPECT_FALSE(has("p/app", "v"));
    EXPECT_FALSE(store().manifests().peek(repository("p/app"), reference("v")));
    EXPECT_TRUE(has("new-name/app", "v"));
    EXPECT_TRUE(has("new-name/web", "v"));
    EXPECT_EQ(leads("p"), "new-name");
    EXPECT_EQ(leads("p/app"), "new-name/app");
    EXPECT_EQ(leads("p/team/web"), "new-name/web");
    EXPECT_EQ(leads("new-name/team/web"), "new-name/web");
    EXPECT_EQ(leads("new-name/app"), std::nullopt);
    EXPECT_FAILS(Errc::conflict, run(store().projects().create({.name = project("p")}, someone)));
    add_project("r");
    EXPECT_FAILS(Errc::conflict, run(renames().rename_project(id_of("r"), project("p"), someone)));
    EXPECT_FAILS(Errc::conflict, run(renames().rename_project(id_of("r"), project("new-name"), someone)));
    EXPECT_FAILS(Errc::name_unknown, run(renames().rename_project(987654, project("x"), someone)));
    EXPECT_SUCCEEDS(run(renames().rename_project(id, project("p"), someone)));
    EXPECT_EQ(leads("p/app"), std::nullopt);
    EXPECT_EQ(leads("new-name/app"), "p/app");
    expect_exact();
}

TEST_P(RenameContract, a_project_name_that_makes_a_repository_too_long_is_refused)
{
    const auto path = std::string(251, 'a');
    push_image("p/" + path, {.blobs = {"c"}}, {"v"});
    EXPECT_FAILS(Errc::name_invalid, run(renames().rename_project(id_of("p"), project("longer"), someone)));
    EXPECT_TRUE(has("p/" + path, "v"));
}

TEST_P(RenameContract, a_project_that_goes_gives_its_names_up)
{
    add_project("q");
    EXPECT_SUCCEEDS(run(renames().rename_project(id_of("q"), project("r"), someone)));
    EXPECT_EQ(leads("q"), "r");
    EXPECT_SUCCEEDS(run(store().projects().remove(id_of("r"), someone)));
    EXPECT_EQ(leads("q"), std::nullopt);
    add_project("q");
}

// Whoever pushes while names change gets in under a name that counts, or is refused: nothing is in two places.
TEST_P(RenameContract, pushes_race_with_renames)
{
    add_project("q");
    push_image("p/app", {.blobs = {"c"}}, {"v"});
    // From here on both names lead somewhere, so no push makes a repository of its own.
    EXPECT_SUCCEEDS(rename("p/app", "q/app"));
    std::atomic<bool> over{false};
    std::atomic<int> pushes{0};
    {
        Crowd crowd;
        const SetAtEnd ends{over};
        for (int writer = 0; writer < 2; ++writer) {
            crowd.add([&, writer] {
                for (int i = 0; !over; ++i) {
                    const auto note = std::to_string(writer) + "-" + std::to_string(i);
                    const Image image{.blobs = {"c"}, .annotation = note};
                    for (const char* name : {"p/app", "q/app", "r/app"}) {
                        if (!run(store().blobs().arrive(arrival(repository(name), "c")))) continue;
                        if (run(store().manifests().commit(pushed(repository(name), image, {"t"})))) ++pushes;
                    }
                }
            });
        }
        for (int round = 0; round < 11; ++round) {
            while (pushes < round) std::this_thread::yield();
            const bool there = round % 2 == 1;
            EXPECT_SUCCEEDS(rename(there ? "p/app" : "q/app", there ? "q/app" : "p/app"));
        }
        EXPECT_SUCCEEDS(run(renames().rename_project(id_of("p"), project("r"), someone)));
    }
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM repositories"), 1);
    EXPECT_EQ(leads("p/app"), "r/app");
    EXPECT_EQ(leads("q/app"), "r/app");
    EXPECT_SUCCEEDS(run(store().quotas().settle(1)));
    EXPECT_EQ(host().number(wrongly_charged_projects), 0);
    expect_exact();
}

}  // namespace entrepot::contract
