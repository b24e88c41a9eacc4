#pragma once

#include "oci/artifact_view.hpp"
#include "tests/contract/metadata_store_contract.hpp"
#include "tests/contract/metadata_store_recounts.hpp"

#include <algorithm>

namespace entrepot::contract {

// A manifest with the view that PushManifest would give it.
inline NewManifest viewed(
    const RepositoryName& name, const std::string& bytes, std::string_view type, const std::vector<std::string>& tags
)
{
    auto manifest = pushed(name, bytes, type, tags);
    manifest.view = view_of(manifest.manifest, bytes, std::nullopt);
    return manifest;
}

inline std::string index_of(const std::vector<Digest>& children, std::string_view note = {})
{
    std::string entries;
    for (const auto& child : children) {
        entries += (entries.empty() ? "" : ",") + descriptor(media::oci_manifest, child);
    }
    return R"({"schemaVersion":2,"mediaType":")" + std::string{media::oci_index} + R"(","manifests":[)" + entries +
           R"(],"annotations":{"note":")" + std::string{note} + R"("}})";
}

class ArtifactContract : public MetadataStoreContract {
protected:
    ArtifactCatalog& artifacts() { return store().artifacts(); }

    void expect_exact()
    {
        for (const auto& query : recounts()) EXPECT_EQ(host().number(query), 0) << query;
    }

    Digest push_image(std::string_view name, const Image& image, const std::vector<std::string>& tags = {})
    {
        for (const auto& blob : image.blobs) arrive(repository(name), blob);
        commit(viewed(repository(name), image.bytes(), media::oci_manifest, tags));
        return digest_of(image.bytes());
    }
    Digest
    push_index(std::string_view name, const std::vector<Digest>& children, const std::vector<std::string>& tags = {})
    {
        const auto bytes = index_of(children);
        commit(viewed(repository(name), bytes, media::oci_index, tags));
        return digest_of(bytes);
    }
    void commit(NewManifest manifest)
    {
        const auto done = run(store().manifests().commit(std::move(manifest)));
        ASSERT_TRUE(done) << done.error().message() << done.error().detail();
    }
    ListPage<ListedArtifact> list(std::string_view name, ListQuery query = {}, ArtifactParts parts = {})
    {
        auto page = run(artifacts().of_repository(repository(name), std::move(query), parts));
        EXPECT_TRUE(page) << page.error().message() << page.error().detail();
        return page.value_or(ListPage<ListedArtifact>{});
    }
    std::vector<std::string> digests(const ListPage<ListedArtifact>& page)
    {
        std::vector<std::string> texts;
        for (const auto& item : page.items) texts.push_back(item.digest);
        return texts;
    }
    ListedArtifact find(std::string_view name, std::string_view text, ArtifactParts parts = {true, true, true})
    {
        auto found = run(artifacts().find(repository(name), reference(text), parts));
        EXPECT_TRUE(found) << found.error().message() << found.error().detail();
        return found.value_or(ListedArtifact{});
    }
    // The next manifest gets this id.
    void jump_to(std::int64_t id)
    {
        const auto text = std::to_string(id - 1);
        if (GetParam().name == "sqlite") {
            host().number("UPDATE sqlite_sequence SET seq = " + text + " WHERE name = 'manifests' RETURNING seq");
        } else {
            host().number("SELECT setval(pg_get_serial_sequence('manifests', 'id'), " + text + ")");
        }
    }
    std::int64_t add_label(const std::string& name, const std::string& scope, std::int64_t project_id)
    {
        return host().number(
            "INSERT INTO labels (name, description, color, scope, project_id, created_at, updated_at) VALUES ('" +
            name + "', 'a \"quoted\" text', '#ffffff', '" + scope + "', " + std::to_string(project_id) +
            ", 5, 6) RETURNING id"
        );
    }
};

TEST_P(ArtifactContract, lists_the_newest_first_and_neither_accessories_nor_children)
{
    const Image first{.blobs = {"c"}, .annotation = "1"};
    const Image second{.blobs = {"c"}, .annotation = "2"};
    const auto one = push_image("p/app", first, {"a"});
    const auto two = push_image("p/app", second);
    const auto both = push_index("p/app", {one, two}, {"multi"});
    push_image("p/app", {.blobs = {"c"}, .artifact_type = "application/x-sig", .subject = both});
    const auto page = list("p/app");
    EXPECT_EQ(digests(page), (std::vector<std::string>{both.text(), one.text()})) << "two is only a child";
    EXPECT_EQ(page.total, 2);
    EXPECT_EQ(
        page.items[0].size,
        static_cast<std::int64_t>(index_of({one, two}).size() + first.bytes().size() + second.bytes().size() + 2)
    );
    EXPECT_EQ(page.items[1].type, "IMAGE");
    EXPECT_NE(page.items[1].tags_json.find(R"("name":"a")"), std::string::npos);
    EXPECT_TRUE(page.items[1].labels_json.empty());
    expect_exact();
}

TEST_P(ArtifactContract, a_child_is_listed_again_when_it_is_tagged_or_its_index_goes)
{
    const auto child = push_image("p/app", {.blobs = {"c"}});
    const auto index = push_index("p/app", {child}, {"multi"});
    EXPECT_EQ(list("p/app").total, 1);
    EXPECT_SUCCEEDS(run(artifacts().add_tag(repository("p/app"), Reference{child}, tag("own"), someone)));
    EXPECT_EQ(list("p/app").total, 2);
    EXPECT_SUCCEEDS(run(artifacts().remove_tag(repository("p/app"), Reference{child}, tag("own"), someone)));
    EXPECT_EQ(list("p/app").total, 1);
    EXPECT_SUCCEEDS(run(store().manifests().remove(repository("p/app"), Reference{index}, someone)));
    EXPECT_EQ(digests(list("p/app")), std::vector<std::string>{child.text()});
    expect_exact();
}

TEST_P(ArtifactContract, an_index_knows_its_children_whichever_came_first)
{
    const Image image{.blobs = {"c"}};
    const auto child = digest_of(image.bytes());
    const auto index = push_index("p/app", {child, digest_of("never")}, {"multi"});
    EXPECT_NE(find("p/app", "multi").references_json.find(R"("child_id":0,)"), std::string::npos);
    push_image("p/app", image);
    const auto id = find("p/app", child.text()).id;
    const auto found = find("p/app", "multi");
    EXPECT_NE(found.references_json.find(R"("child_id":)" + std::to_string(id) + ","), std::string::npos);
    EXPECT_EQ(
        found.size, static_cast<std::int64_t>(index_of({child, digest_of("never")}).size() + image.bytes().size() + 1)
    );
    EXPECT_SUCCEEDS(run(store().manifests().remove(repository("p/app"), Reference{child}, someone)));
    expect_exact();
    EXPECT_EQ(
        find("p/app", index.text()).size, static_cast<std::int64_t>(index_of({child, digest_of("never")}).size())
    );
}

TEST_P(ArtifactContract, pages_of_a_long_list_are_exact_at_any_depth)
{
    arrive(repository("p/app"), "c");
    std::vector<std::string> pushed_order;
    const auto push_some = [&](int count, std::string_view note) {
        for (int i = 0; i < count; ++i) {
            const Image image{.blobs = {"c"}, .annotation = std::string{note} + std::to_string(i)};
            commit(viewed(repository("p/app"), image.bytes(), media::oci_manifest, {}));
            pushed_order.push_back(digest_of(image.bytes()).text());
        }
    };
    push_some(600, "old");
    jump_to(3 * 4096 - 100);
    push_some(1300, "new");
    // Holes before, at and behind the places where pages begin.
    for (const std::size_t hole : {1800U, 700U, 699U, 601U, 100U, 3U}) {
        const auto digest = Digest::parse(pushed_order[hole]).value();
        EXPECT_SUCCEEDS(run(store().manifests().remove(repository("p/app"), Reference{digest}, someone)));
        pushed_order.erase(pushed_order.begin() + static_cast<std::ptrdiff_t>(hole));
    }
    auto expected = pushed_order;
    std::ranges::reverse(expected);
    for (const bool by_project : {false, true}) {
        std::vector<std::string> seen;
        for (std::int64_t offset = 0; offset < static_cast<std::int64_t>(expected.size()) + 100; offset += 100) {
            ListQuery query;
            query.offset = offset;
            query.limit = 100;
            const auto id = run(store().projects().find(project("p")))->id;
            const auto page = by_project ? run(artifacts().of_project(id, query, {}, false)).value()
                                         : run(artifacts().of_repository(repository("p/app"), query, {})).value();
            EXPECT_EQ(page.total, static_cast<std::int64_t>(expected.size()));
            std::ranges::move(digests(page), std::back_inserter(seen));
        }
        EXPECT_EQ(seen, expected);
    }
    ListQuery upwards;
    upwards.order = {{"push_time", false}};
    upwards.offset = 1100;
    EXPECT_EQ(list("p/app", upwards).items.front().digest, pushed_order[1100]);
    expect_exact();
}

TEST_P(ArtifactContract, finds_what_q_asks_for)
{
    const auto tagged = push_image("p/app", {.blobs = {"c"}, .annotation = "1"}, {"v1", "v1.2"});
    const auto plain = push_image("p/app", {.blobs = {"c"}, .annotation = "2"});
    const auto label = add_label("blue", "g", 0);
    EXPECT_SUCCEEDS(run(artifacts().add_label(repository("p/app"), Reference{plain}, label, someone)));
    using Kind = ListCondition::Kind;
    const auto found = [&](ListCondition condition) {
        ListQuery query;
        query.conditions.push_back(std::move(condition));
        return digests(list("p/app", std::move(query)));
    };
    const std::vector<std::string> only_tagged{tagged.text()};
    const std::vector<std::string> only_plain{plain.text()};
    EXPECT_EQ(found({"tags", Kind::equal, {"*"}}), only_tagged);
    EXPECT_EQ(found({"tags", Kind::equal, {"nil"}}), only_plain);
    EXPECT_EQ(found({"tags", Kind::equal, {"v1.2"}}), only_tagged);
    EXPECT_EQ(found({"tags", Kind::fuzzy, {"1."}}), only_tagged);
    EXPECT_EQ(found({"tags", Kind::fuzzy, {"%"}}), std::vector<std::string>{});
    EXPECT_EQ(found({"tags", Kind::any_of, {"none", "v1"}}), only_tagged);
    EXPECT_EQ(found({"tags", Kind::all_of, {"none", "v1"}}), std::vector<std::string>{});
    EXPECT_EQ(found({"labels", Kind::all_of, {std::to_string(label)}}), only_plain);
    EXPECT_EQ(found({"digest", Kind::equal, {plain.text()}}), only_plain);
    EXPECT_EQ(found({"type", Kind::equal, {"CHART"}}), std::vector<std::string>{});
    EXPECT_EQ(found({"push_time", Kind::range, {"", "1970-01-01T00:00:01Z"}}).size(), 2U);
    ListQuery injected;
    injected.conditions.push_back({"digest; DROP TABLE artifacts", Kind::equal, {"x"}});
    EXPECT_FAILS(Errc::bad_request, run(artifacts().of_repository(repository("p/app"), injected, {})));
}

TEST_P(ArtifactContract, many_tags_are_shown_though_the_row_keeps_none)
{
    const auto digest = push_image("p/app", {.blobs = {"c"}}, {"first"});
    std::vector<std::string> names;
    for (int i = 0; i < 99; ++i) names.push_back("t" + std::to_string(i));
    commit(viewed(repository("p/app"), Image{.blobs = {"c"}}.bytes(), media::oci_manifest, names));
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM artifacts WHERE tags IS NULL AND tag_count = 100"), 1);
    const auto shown = list("p/app").items.at(0).tags_json;
    for (const auto& name : names) EXPECT_NE(shown.find("\"name\":\"" + name + "\""), std::string::npos) << name;
    ListQuery query;
    query.limit = 7;
    query.offset = 98;
    const auto page = run(artifacts().tags(repository("p/app"), Reference{digest}, query));
    ASSERT_TRUE(page);
    EXPECT_EQ(page->total, 100);
    EXPECT_EQ(page->items.size(), 2U);
    expect_exact();
}

TEST_P(ArtifactContract, repositories_are_listed_by_project_and_over_projects)
{
    ASSERT_TRUE(run(store().projects().create({.name = project("q")}, {1, 10})));
    ASSERT_TRUE(run(store().projects().create({.name = project("hidden")}, {1, 10})));
    for (const auto* name : {"p/a", "q/b", "hidden/c", "p/d", "q/e"}) push_image(name, {.blobs = {"c"}}, {"v"});
    const auto p = run(store().projects().find(project("p")))->id;
    const auto q = run(store().projects().find(project("q")))->id;
    const auto names = [&](std::optional<std::vector<std::int64_t>> ids, std::int64_t offset, std::int64_t limit) {
        ListQuery query;
        query.offset = offset;
        query.limit = limit;
        const auto page = run(store().repositories().of_projects(std::move(ids), query)).value();
        std::vector<std::string> texts{std::to_string(page.total)};
        for (const auto& item : page.items) texts.push_back(item.name);
        return texts;
    };
    using Names = std::vector<std::string>;
    EXPECT_EQ(names(std::nullopt, 0, 10), (Names{"5", "q/e", "p/d", "hidden/c", "q/b", "p/a"}));
    EXPECT_EQ(names(std::vector{p, q}, 0, 10), (Names{"4", "p/d", "p/a", "q/e", "q/b"}));
    EXPECT_EQ(names(std::vector{p, q}, 1, 2), (Names{"4", "p/a", "q/e"}));
    EXPECT_EQ(names(std::vector{p, q}, 3, 2), (Names{"4", "q/b"}));
    EXPECT_EQ(names(std::vector{p, q}, 4, 2), (Names{"4"}));
    EXPECT_EQ(names(std::vector<std::int64_t>{}, 0, 2), (Names{"0"}));
    ListQuery query;
    query.conditions.push_back({"name", ListCondition::Kind::fuzzy, {"/A"}});
    EXPECT_EQ(run(store().repositories().of_project(p, query))->items.at(0).name, "p/a");
    EXPECT_SUCCEEDS(run(store().repositories().describe(repository("p/a"), "what it is", {7, 9'000'000})));
    const auto described = run(store().repositories().find(repository("p/a")));
    EXPECT_EQ(described->description, "what it is");
    EXPECT_EQ(described->artifact_count, 1);
    EXPECT_EQ(described->updated_at, 9'000'000);
}

TEST_P(ArtifactContract, pulls_are_shown_with_the_artifact_and_its_repository)
{
    push_image("p/app", {.blobs = {"c"}}, {"v1"});
    const auto manifest = *run(store().manifests().load(repository("p/app"), reference("v1")));
    EXPECT_SUCCEEDS(run(store().pulls().add({{manifest->id, manifest->repository_id, 3, 7'000'000}})));
    EXPECT_SUCCEEDS(run(store().pulls().add({{manifest->id, manifest->repository_id, 2, 6'000'000}})));
    EXPECT_EQ(find("p/app", "v1").pulled_at, 7'000'000);
    EXPECT_EQ(run(store().repositories().find(repository("p/app")))->pull_count, 5);
    EXPECT_EQ(host().number("SELECT pull_count FROM artifacts"), 5);
}

}  // namespace entrepot::contract
