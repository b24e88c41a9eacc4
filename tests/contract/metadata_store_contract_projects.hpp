#pragma once

#include "tests/contract/metadata_store_contract.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace entrepot::contract {

inline std::vector<std::string> names_of(const Result<ListPage<Project>>& page)
{
    std::vector<std::string> names;
    EXPECT_TRUE(page) << (page ? "" : page.error().message() + page.error().detail());
    if (page) {
        for (const auto& project : page->items) names.push_back(project.name);
    }
    return names;
}

using Names = std::vector<std::string>;

TEST_P(MetadataStoreContract, creates_finds_and_changes_projects)
{
    auto& projects = store().projects();
    const auto made = run(projects.create(
        {.name = project("zeta"), .is_public = true, .quota_bytes = 5, .metadata = {{"severity", "high"}}}, {9, 77}
    ));
    ASSERT_TRUE(made);
    EXPECT_EQ(made->name, "zeta");
    EXPECT_TRUE(made->is_public);
    EXPECT_EQ(made->owner_id, 9);
    EXPECT_EQ(made->created_at, 77);
    EXPECT_EQ(made->tenant_name, "default");
    EXPECT_EQ(made->quota_bytes, 5);
    EXPECT_EQ(made->quota_artifacts, no_quota);
    EXPECT_FAILS(Errc::conflict, run(projects.create({.name = project("zeta")}, someone)));
    EXPECT_FAILS(Errc::not_found, run(projects.create({.name = project("eta"), .tenant_id = 99}, someone)));
    const ProjectChange change{
        .is_public = false, .frozen = true, .metadata = {{"severity", std::nullopt}, {"auto_scan", "true"}}
    };
    const auto changed = run(projects.change(made->id, change, {9, 99}));
    ASSERT_TRUE(changed);
    EXPECT_FALSE(changed->is_public);
    EXPECT_TRUE(changed->frozen);
    EXPECT_FALSE(changed->shared);
    EXPECT_EQ(changed->updated_at, 99);
    const auto found = run(projects.find(project("zeta")));
    ASSERT_TRUE(found);
    EXPECT_FALSE(found->is_public);
    EXPECT_EQ(found->metadata, (ProjectMetadata{{"auto_scan", "true"}}));
    EXPECT_EQ(run(projects.find(made->id))->name, "zeta");
    EXPECT_FAILS(Errc::name_unknown, run(projects.find(project("none"))));
    EXPECT_FAILS(Errc::name_unknown, run(projects.find(made->id + 1)));
    EXPECT_FAILS(Errc::name_unknown, run(projects.change(made->id + 1, change, someone)));
    EXPECT_FAILS(Errc::name_unknown, run(projects.set_quota(made->id + 1, {.bytes = 1}, someone)));
    EXPECT_FAILS(Errc::name_unknown, run(projects.remove(made->id + 1, someone)));
}

TEST_P(MetadataStoreContract, keeps_the_sources_of_a_project_in_their_order)
{
    auto& projects = store().projects();
    const auto ours = run(projects.create({.name = project("ours")}, someone));
    const auto hub = run(projects.create({.name = project("hub")}, someone));
    ASSERT_TRUE(ours && hub);
    EXPECT_TRUE(ours->sources.empty());
    const std::vector<ProjectSource> both{
        {.project_id = hub->id, .repositories = {"library/**"}, .except = {"library/\"own\""}, .optional = true},
        {.project_id = ours->id},
    };
    const auto base = run(projects.create({.name = project("base"), .sources = both}, someone));
    ASSERT_TRUE(base);
    ASSERT_EQ(base->sources.size(), 2U);
    EXPECT_EQ(base->sources[0].project_id, hub->id);
    EXPECT_EQ(base->sources[0].repositories, both[0].repositories);
    EXPECT_EQ(base->sources[0].except, both[0].except);
    EXPECT_TRUE(base->sources[0].optional);
    EXPECT_EQ(base->sources[1].project_id, ours->id);

    const auto before = run(store().access().changes_since(0));
    ASSERT_TRUE(before);
    ASSERT_TRUE(run(projects.change(base->id, {.is_protected = false}, someone)));
    EXPECT_EQ(run(projects.find(base->id))->sources.size(), 2U);
    ASSERT_TRUE(run(projects.change(base->id, {.sources = {{both[1]}}}, someone)));
    const auto changes = run(store().access().changes_since(before->version));
    ASSERT_TRUE(changes);
    ASSERT_EQ(changes->projects.size(), 1U);
    ASSERT_EQ(changes->projects[0].sources.size(), 1U);
    EXPECT_EQ(changes->projects[0].sources[0].project_id, ours->id);
    ASSERT_TRUE(run(projects.change(base->id, {.sources = std::vector<ProjectSource>{}}, someone)));
    EXPECT_TRUE(run(projects.find(base->id))->sources.empty());
}

TEST_P(MetadataStoreContract, adds_metadata_that_is_not_there_and_replaces_what_is)
{
    auto& projects = store().projects();
    const auto id = run(projects.find(project("p")))->id;
    const ProjectChange add{.metadata = {{"severity", "low"}}, .metadata_exists = false};
    const ProjectChange replace{.metadata = {{"severity", "high"}}, .metadata_exists = true};
    EXPECT_FAILS(Errc::not_found, run(projects.change(id, replace, someone)));
    EXPECT_SUCCEEDS(run(projects.change(id, add, someone)));
    EXPECT_FAILS(Errc::conflict, run(projects.change(id, add, someone)));
    EXPECT_SUCCEEDS(run(projects.change(id, replace, someone)));
    EXPECT_EQ(run(projects.find(id))->metadata.at("severity"), "high");
}

TEST_P(MetadataStoreContract, lists_projects_by_page_order_and_field)
{
    auto& projects = store().projects();
    for (const auto* name : {"alpha", "beta", "gamma_x"}) {
        EXPECT_SUCCEEDS(
            run(projects.create({.name = project(name), .is_public = std::string_view{name} == "beta"}, {4, 50}))
        );
    }
    EXPECT_EQ(names_of(run(projects.list({}, std::nullopt))), (Names{"alpha", "beta", "gamma_x", "p"}));
    ListQuery second{.conditions = {}, .order = {{"name", true}}, .offset = 2, .limit = 1};
    const auto page = run(projects.list(second, std::nullopt));
    EXPECT_EQ(names_of(page), Names{"beta"});
    EXPECT_EQ(page->total, 4);
    second.offset = 10;
    EXPECT_EQ(run(projects.list(second, std::nullopt))->total, 4) << "beyond the end";
    using Kind = ListCondition::Kind;
    const ListQuery public_ones{.conditions = {{"public", Kind::equal, {"true"}}}, .order = {}};
    EXPECT_EQ(names_of(run(projects.list(public_ones, std::nullopt))), Names{"beta"});
    const ListQuery part{.conditions = {{"name", Kind::fuzzy, {"A_"}}}, .order = {}};
    EXPECT_EQ(names_of(run(projects.list(part, std::nullopt))), Names{"gamma_x"}) << "a wildcard is a character";
    const ListQuery both{
        .conditions = {{"owner_id", Kind::equal, {"4"}}, {"tenant", Kind::equal, {"default"}}},
        .order = {{"creation_time", false}}
    };
    EXPECT_EQ(run(projects.list(both, std::nullopt))->total, 3);
    const ListQuery unknown{.conditions = {{"1=1;--", Kind::equal, {"x"}}}, .order = {}};
    EXPECT_FAILS(Errc::bad_request, run(projects.list(unknown, std::nullopt)));
    const ListQuery bad_order{.conditions = {}, .order = {{"name; DROP TABLE projects", false}}};
    EXPECT_FAILS(Errc::bad_request, run(projects.list(bad_order, std::nullopt)));
}

TEST_P(MetadataStoreContract, lists_only_visible_projects_however_many_those_are)
{
    auto& projects = store().projects();
    std::vector<std::int64_t> ids;
    for (const auto* name : {"a", "b", "c"}) ids.push_back(run(projects.create({.name = project(name)}, someone))->id);
    EXPECT_EQ(names_of(run(projects.list({}, std::vector{ids[0], ids[2]}))), (Names{"a", "c"}));
    EXPECT_TRUE(names_of(run(projects.list({}, std::vector<std::int64_t>{}))).empty());
    // More ids than a statement takes parameters; of them only "b" and "c" exist.
    std::vector<std::int64_t> many(100'000);
    std::iota(many.begin(), many.end(), ids[1]);
    ListQuery query{.conditions = {}, .order = {{"name", true}}, .limit = 1};
    auto page = run(projects.list(query, many));
    EXPECT_EQ(names_of(page), Names{"c"});
    EXPECT_EQ(page->total, 2);
    query.offset = 1;
    page = run(projects.list(query, many));
    EXPECT_EQ(names_of(page), Names{"b"});
    EXPECT_EQ(run(store().overview().totals(many))->private_projects, 2);
    EXPECT_EQ(run(store().overview().totals(std::vector{ids[0]}))->private_projects, 1);
    EXPECT_EQ(run(store().overview().totals(std::nullopt))->private_projects, 4);
}

TEST_P(MetadataStoreContract, counts_repositories_and_finds_them_by_a_part_of_their_name)
{
    auto& overview = store().overview();
    push(repository("p/one"), Image{.blobs = {"c"}});
    push(repository("p/one"), Image{.blobs = {"c", "d"}});
    push(repository("p/two"), Image{.blobs = {"c"}});
    const auto p = run(store().projects().find(project("p")));
    EXPECT_EQ(p->repository_count, 2);
    EXPECT_EQ(run(overview.totals(std::nullopt))->private_repositories, 2);
    EXPECT_EQ(run(overview.totals(std::nullopt))->bytes, p->bytes);
    const auto found = run(overview.search("TW", std::nullopt, 10));
    ASSERT_EQ(found->size(), 1U);
    EXPECT_EQ(found->front().name, "p/two");
    EXPECT_EQ(found->front().project_name, "p");
    EXPECT_EQ(run(overview.search("", std::nullopt, 1))->size(), 1U);
    EXPECT_TRUE(run(overview.search("two", std::vector<std::int64_t>{}, 10))->empty());
    std::vector<std::int64_t> many(100'000);
    std::iota(many.begin(), many.end(), p->id);
    EXPECT_EQ(run(overview.search("o", many, 10))->size(), 2U);
    std::ranges::for_each(many, [](auto& id) { id += 1'000'000; });
    EXPECT_TRUE(run(overview.search("o", many, 10))->empty());
}

TEST_P(MetadataStoreContract, removes_a_project_only_when_it_is_empty_and_not_protected)
{
    auto& projects = store().projects();
    const auto id = run(projects.find(project("p")))->id;
    const Image image{.blobs = {"c"}};
    push(repository("p/a"), image);
    EXPECT_FALSE(run(projects.obstacle(id))->empty());
    EXPECT_FAILS(Errc::precondition_failed, run(projects.remove(id, someone)));
    EXPECT_SUCCEEDS(run(store().manifests().remove(repository("p/a"), Reference{digest_of(image.bytes())}, someone)));
    EXPECT_FAILS(Errc::precondition_failed, run(projects.remove(id, someone)));
    EXPECT_SUCCEEDS(run(store().blobs().remove(repository("p/a"), digest_of("c"), someone)));
    EXPECT_SUCCEEDS(run(store().uploads().begin(upload(1), 5)));
    EXPECT_FAILS(Errc::precondition_failed, run(projects.remove(id, someone)));
    EXPECT_SUCCEEDS(run(store().uploads().forget(upload_id(1))));
    EXPECT_SUCCEEDS(run(projects.change(id, {.is_protected = true}, someone)));
    EXPECT_FAILS(Errc::precondition_failed, run(projects.remove(id, someone)));
    EXPECT_SUCCEEDS(run(projects.change(id, {.is_protected = false}, someone)));
    EXPECT_TRUE(run(projects.obstacle(id))->empty());
    EXPECT_SUCCEEDS(run(store().labels().create({.name = "l", .project_id = id}, someone)));
    EXPECT_SUCCEEDS(run(projects.remove(id, someone)));
    EXPECT_EQ(run(store().labels().list(id, {}))->total, 0);
    EXPECT_FAILS(Errc::name_unknown, run(store().blobs().arrive(arrival(repository("p/a"), "c"))));
}

TEST_P(MetadataStoreContract, lets_no_project_have_more_than_its_tenant_was_allocated)
{
    auto& projects = store().projects();
    const auto id = run(projects.find(project("p")))->id;
    EXPECT_SUCCEEDS(run(store().tenants().allocate(default_tenant_id, 100, 10, someone)));
    EXPECT_SUCCEEDS(run(projects.set_quota(id, {.bytes = 60, .artifacts = 10}, someone)));
    EXPECT_FAILS(Errc::unprocessable, run(projects.create({.name = project("q"), .quota_bytes = 41}, someone)));
    EXPECT_FAILS(Errc::name_unknown, run(projects.find(project("q"))));
    const auto q = run(projects.create({.name = project("q"), .quota_bytes = 40}, someone));
    ASSERT_TRUE(q);
    EXPECT_FAILS(Errc::unprocessable, run(projects.set_quota(q->id, {.artifacts = 1}, someone)));
    EXPECT_FAILS(Errc::unprocessable, run(projects.set_quota(q->id, {.bytes = 41}, someone)));
    EXPECT_EQ(run(projects.find(q->id))->quota_bytes, 40);
    EXPECT_SUCCEEDS(run(projects.set_quota(id, {.bytes = no_quota}, someone)));
    EXPECT_SUCCEEDS(run(projects.set_quota(q->id, {.bytes = 100}, someone)));
}

}  // namespace entrepot::contract
