#pragma once

#include "tests/contract/metadata_store_contract_artifacts.hpp"
#include "tests/contract/metadata_store_contract_races.hpp"

namespace entrepot::contract {

class LabelContract : public ArtifactContract {
protected:
    LabelCatalog& labels() { return store().labels(); }

    // Artifacts of p/app whose labels lists can't copy from the row.
    std::int64_t rows_without_labels() { return host().number("SELECT COUNT(*) FROM artifacts WHERE labels IS NULL"); }
    void give(std::int64_t label, std::string_view reference_text)
    {
        EXPECT_SUCCEEDS(run(artifacts().add_label(repository("p/app"), reference(reference_text), label, someone)));
    }
    std::vector<std::string> labels_in_list(std::int64_t limit = 10)
    {
        ListQuery query;
        query.limit = limit;
        std::vector<std::string> texts;
        for (const auto& item : list("p/app", query, {.labels = true}).items) texts.push_back(item.labels_json);
        return texts;
    }
};

TEST_P(LabelContract, labels_are_those_of_everybody_or_of_the_project)
{
    push_image("p/app", {.blobs = {"c"}}, {"v1"});
    const auto project_id = run(store().projects().find(project("p")))->id;
    const auto global = add_label("blue", "g", 0);
    const auto own = add_label("green", "p", project_id);
    const auto foreign = add_label("red", "p", project_id + 1000);
    const auto app = repository("p/app");
    EXPECT_SUCCEEDS(run(artifacts().add_label(app, reference("v1"), global, someone)));
    EXPECT_SUCCEEDS(run(artifacts().add_label(app, reference("v1"), own, someone)));
    EXPECT_FAILS(Errc::conflict, run(artifacts().add_label(app, reference("v1"), own, someone)));
    EXPECT_FAILS(Errc::not_found, run(artifacts().add_label(app, reference("v1"), foreign, someone)));
    const auto shown = find("p/app", "v1").labels_json;
    EXPECT_NE(shown.find(R"("name":"blue","description":"a \"quoted\" text")"), std::string::npos) << shown;
    EXPECT_NE(shown.find(R"("name":"green")"), std::string::npos);
    EXPECT_SUCCEEDS(run(artifacts().remove_label(app, reference("v1"), global, someone)));
    EXPECT_FAILS(Errc::not_found, run(artifacts().remove_label(app, reference("v1"), global, someone)));
    EXPECT_EQ(find("p/app", "v1").labels_json.find("blue"), std::string::npos);
}

TEST_P(LabelContract, a_change_of_a_label_is_in_the_rows_of_all_that_carry_it)
{
    push_image("p/app", {.blobs = {"c"}, .annotation = "1"}, {"v1"});
    push_image("p/app", {.blobs = {"c"}, .annotation = "2"}, {"v2"});
    push_image("p/app", {.blobs = {"c"}, .annotation = "3"}, {"v3"});
    const auto blue = run(labels().create({.name = "blue", .color = "#0000ff"}, someone))->id;
    const auto green = run(labels().create({.name = "green"}, someone))->id;
    give(blue, "v1");
    give(green, "v1");
    give(blue, "v2");
    EXPECT_SUCCEEDS(run(labels().change({.id = blue, .name = "azure", .color = "#007fff"}, {1, 9'000'000})));
    EXPECT_EQ(rows_without_labels(), 0);
    for (const auto* tag_name : {"v1", "v2"}) {
        const auto shown = find("p/app", tag_name).labels_json;
        EXPECT_NE(shown.find(R"("name":"azure","description":"","color":"#007fff")"), std::string::npos) << shown;
        EXPECT_NE(shown.find("1970-01-01T00:00:09"), std::string::npos) << shown;
        EXPECT_EQ(shown.find("blue"), std::string::npos) << shown;
        EXPECT_EQ(shown.find("green") != std::string::npos, std::string_view{tag_name} == "v1") << shown;
    }
    EXPECT_EQ(find("p/app", "v3").labels_json, "[]");
    EXPECT_SUCCEEDS(run(labels().remove(blue, someone)));
    EXPECT_EQ(rows_without_labels(), 0);
    EXPECT_EQ(find("p/app", "v1").labels_json.find("azure"), std::string::npos);
    EXPECT_EQ(find("p/app", "v2").labels_json, "[]");
    EXPECT_SUCCEEDS(run(artifacts().remove_label(repository("p/app"), reference("v1"), green, someone)));
    EXPECT_EQ(rows_without_labels(), 0);
    EXPECT_EQ(labels_in_list(), (std::vector<std::string>{"[]", "[]", "[]"}));
}

// More carriers than one transaction writes anew, made by copying one artifact's rows.
TEST_P(LabelContract, a_label_of_very_many_artifacts_is_shown_rightly_though_their_rows_keep_none)
{
    push_image("p/app", {.blobs = {"c"}}, {"v1"});
    const auto blue = run(labels().create({.name = "blue"}, someone))->id;
    const auto green = run(labels().create({.name = "green"}, someone))->id;
    give(blue, "v1");
    const auto copies = [](const std::string& into, const std::string& columns, const std::string& values) {
        return "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2100) INSERT INTO " + into +
               " (" + columns + ") SELECT " + values;
    };
    const std::string kept = "repository_id, media_type, artifact_type, size, annotations, pushed_at";
    const auto count = [&](const std::string& statement) { (void)host().number(statement); };
    count(copies(
        "manifests",
        kept + ", digest, pushed_by, body",
        "repository_id, media_type, artifact_type, size, annotations, pushed_at, 'copy' || CAST(i AS TEXT), pushed_by, "
        "body FROM manifests CROSS JOIN n WHERE 1 = 1 RETURNING id"
    ));
    const std::string rest = "project_id, config_media_type, type, subject_digest, accessory_type, parents, pulled_at, "
                             "pull_count, icon, extra, children, accessories, tag_count, tags, labels";
    const std::string of_rest = "a.project_id, a.config_media_type, a.type, a.subject_digest, a.accessory_type, "
                                "a.parents, a.pulled_at, a.pull_count, a.icon, a.extra, a.children, a.accessories, "
                                "a.tag_count, a.tags, a.labels";
    count(
        "INSERT INTO artifacts (manifest_id, digest, listed, repository_id, media_type, artifact_type, size, "
        "annotations, pushed_at, " +
        rest +
        ") SELECT m.id, m.digest, 1, a.repository_id, a.media_type, a.artifact_type, a.size, a.annotations, "
        "a.pushed_at, " +
        of_rest + " FROM artifacts a CROSS JOIN manifests m WHERE m.digest LIKE 'copy%' RETURNING manifest_id"
    );
    count(
        "INSERT INTO artifact_labels (manifest_id, label_id) SELECT id, " + std::to_string(blue) +
        " FROM manifests WHERE digest LIKE 'copy%' RETURNING label_id"
    );
    EXPECT_SUCCEEDS(run(labels().change({.id = blue, .name = "azure"}, someone)));
    EXPECT_EQ(rows_without_labels(), 2101) << "so many are not written anew in one transaction";
    give(green, "v1");
    EXPECT_EQ(rows_without_labels(), 2100);
    ListQuery query;
    query.conditions.push_back({"labels", ListCondition::Kind::equal, {std::to_string(blue)}});
    query.limit = 100;
    query.offset = 2001;
    const auto page = list("p/app", query, {.labels = true});
    EXPECT_EQ(page.total, 2101);
    ASSERT_EQ(page.items.size(), 100U);
    for (const auto& item : page.items) {
        EXPECT_NE(item.labels_json.find(R"("name":"azure")"), std::string::npos) << item.labels_json;
        const bool last = &item == &page.items.back();
        EXPECT_EQ(item.labels_json.find("green") != std::string::npos, last) << item.labels_json;
    }
    EXPECT_SUCCEEDS(run(labels().remove(blue, someone)));
    EXPECT_EQ(list("p/app", {}, {.labels = true}).items.at(0).labels_json, "[]");
}

TEST_P(LabelContract, an_artifact_shows_more_labels_than_its_row_keeps)
{
    push_image("p/app", {.blobs = {"c"}}, {"v1"});
    std::int64_t last = 0;
    for (int i = 0; i < 65; ++i) {
        last = add_label("l" + std::to_string(i), "g", 0);
        give(last, "v1");
    }
    EXPECT_EQ(rows_without_labels(), 1);
    EXPECT_NE(labels_in_list().at(0).find(R"("name":"l64")"), std::string::npos);
    EXPECT_SUCCEEDS(run(artifacts().remove_label(repository("p/app"), reference("v1"), last, someone)));
    EXPECT_EQ(rows_without_labels(), 0);
    EXPECT_EQ(labels_in_list().at(0).find(R"("name":"l64")"), std::string::npos);
}

// Whichever comes last has seen what the other one did.
TEST_P(LabelContract, of_labels_that_change_at_once_none_is_shown_as_it_was)
{
    push_image("p/app", {.blobs = {"c"}}, {"v1"});
    const auto blue = run(labels().create({.name = "blue0"}, someone))->id;
    const auto green = run(labels().create({.name = "green0"}, someone))->id;
    const auto red = run(labels().create({.name = "red"}, someone))->id;
    give(blue, "v1");
    give(green, "v1");
    for (int round = 1; round <= 40; ++round) {
        const auto number = std::to_string(round);
        std::atomic<int> failures = 0;
        Crowd crowd;
        crowd.add([&] { failures += !run(labels().change({.id = blue, .name = "blue" + number}, someone)); });
        crowd.add([&] { failures += !run(labels().change({.id = green, .name = "green" + number}, someone)); });
        crowd.add([&] {
            const auto app = repository("p/app");
            failures +=
                !(round % 2 == 1 ? run(artifacts().add_label(app, reference("v1"), red, someone))
                                 : run(artifacts().remove_label(app, reference("v1"), red, someone)));
        });
        crowd.join();
        ASSERT_EQ(failures, 0);
        const auto shown = find("p/app", "v1").labels_json;
        ASSERT_NE(shown.find("\"blue" + number + "\""), std::string::npos) << shown;
        ASSERT_NE(shown.find("\"green" + number + "\""), std::string::npos) << shown;
        ASSERT_EQ(shown.find("\"red\"") != std::string::npos, round % 2 == 1) << shown;
    }
}

}  // namespace entrepot::contract
