#pragma once

#include "tests/contract/metadata_store_contract.hpp"

namespace entrepot::contract {

TEST_P(MetadataStoreContract, keeps_settings_until_they_are_taken_back)
{
    auto& settings = store().settings();
    EXPECT_TRUE(run(settings.all())->empty());
    EXPECT_SUCCEEDS(run(settings.change({{"a", "1"}, {"b", "2"}}, someone)));
    EXPECT_SUCCEEDS(run(settings.change({{"a", "one"}, {"b", std::nullopt}, {"c", ""}}, someone)));
    host().reopen();
    EXPECT_EQ(run(store().settings().all()).value(), (SettingsCatalog::Values{{"a", "one"}, {"c", ""}}));
}

TEST_P(MetadataStoreContract, keeps_global_labels_and_those_of_projects_apart)
{
    auto& labels = store().labels();
    const auto project_id = run(store().projects().find(project("p")))->id;
    const auto global = run(labels.create({.name = "x", .description = "d", .color = "#102030"}, {1, 7}));
    ASSERT_TRUE(global);
    EXPECT_EQ(global->created_at, 7);
    const auto own = run(labels.create({.name = "x", .project_id = project_id}, someone));
    ASSERT_TRUE(own) << "the same name in another scope";
    EXPECT_FAILS(Errc::conflict, run(labels.create({.name = "x"}, someone)));
    EXPECT_FAILS(Errc::not_found, run(labels.create({.name = "x", .project_id = project_id + 1}, someone)));
    EXPECT_EQ(run(labels.list(0, {}))->items.front().id, global->id);
    EXPECT_EQ(run(labels.list(project_id, {}))->items.front().id, own->id);
    EXPECT_SUCCEEDS(run(labels.create({.name = "y"}, someone)));
    EXPECT_FAILS(Errc::conflict, run(labels.change({.id = global->id, .name = "y"}, someone)));
    EXPECT_EQ(run(labels.change({.id = global->id, .name = "z", .color = ""}, {1, 9}))->updated_at, 9);
    EXPECT_EQ(run(labels.find(global->id))->name, "z");
    EXPECT_SUCCEEDS(run(labels.remove(global->id, someone)));
    EXPECT_FAILS(Errc::not_found, run(labels.remove(global->id, someone)));
    EXPECT_FAILS(Errc::not_found, run(labels.find(global->id)));
    EXPECT_FAILS(Errc::not_found, run(labels.change({.id = global->id, .name = "z"}, someone)));
}

TEST_P(MetadataStoreContract, hands_an_idempotency_key_to_one_request)
{
    auto& keys = store().idempotency();
    const IdempotencyCatalog::Limits limits{.kept_since = 100, .begun_since = 500};
    EXPECT_FALSE(run(keys.begin(1, "k", "request", 1000, limits)).value().has_value());
    const auto under_way = run(keys.begin(1, "k", "request", 1001, limits)).value();
    ASSERT_TRUE(under_way);
    EXPECT_EQ(under_way->status, 0U);
    EXPECT_FALSE(run(keys.begin(2, "k", "other", 1001, limits)).value().has_value()) << "of another caller";
    EXPECT_SUCCEEDS(run(keys.finish(1, "k", 201, "sealed")));
    const auto kept = run(keys.begin(1, "k", "another request", 1002, limits)).value();
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->request, "request");
    EXPECT_EQ(kept->status, 201U);
    EXPECT_EQ(kept->answer, "sealed");
    EXPECT_SUCCEEDS(run(keys.abandon(1, "k")));
    EXPECT_TRUE(run(keys.begin(1, "k", "request", 1003, limits)).value().has_value()) << "an answer stays";
    EXPECT_SUCCEEDS(run(keys.abandon(2, "k")));
    EXPECT_FALSE(run(keys.begin(2, "k", "again", 1004, limits)).value().has_value());
}

TEST_P(MetadataStoreContract, forgets_an_idempotency_key_with_time)
{
    auto& keys = store().idempotency();
    EXPECT_FALSE(run(keys.begin(1, "dead", "r", 10, {})).value().has_value());
    EXPECT_FALSE(run(keys.begin(1, "dead", "r", 600, {.kept_since = 0, .begun_since = 11})).value().has_value());
    EXPECT_FALSE(run(keys.begin(1, "old", "r", 10, {})).value().has_value());
    EXPECT_SUCCEEDS(run(keys.finish(1, "old", 200, "a")));
    EXPECT_TRUE(run(keys.begin(1, "old", "r", 20, {.kept_since = 10, .begun_since = 19})).value().has_value());
    EXPECT_FALSE(run(keys.begin(1, "old", "r", 20, {.kept_since = 11, .begun_since = 11})).value().has_value());
    EXPECT_SUCCEEDS(run(keys.finish(1, "old", 200, "a")));
    EXPECT_SUCCEEDS(run(keys.remove_before(30)));
    EXPECT_FALSE(run(keys.begin(1, "old", "r", 40, {})).value().has_value());
}

}  // namespace entrepot::contract
