#include "access/scope.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

Result<TokenScopes> parse(std::string text)
{
    return parse_scopes(std::vector{std::move(text)});
}

TEST(Scope, names_a_repository_and_actions)
{
    const auto scopes = parse("repository:team/app:pull,push");
    ASSERT_TRUE(scopes);
    EXPECT_EQ(scopes->actions_on("team/app"), bit(Action::pull) | bit(Action::push));
    EXPECT_FALSE(scopes->catalog);
}

TEST(Scope, star_means_every_action)
{
    EXPECT_EQ(parse("repository:a:*")->actions_on("a"), all_actions);
}

TEST(Scope, delete_is_an_action_of_its_own)
{
    EXPECT_EQ(parse("repository:a:delete")->actions_on("a"), bit(Action::remove));
}

TEST(Scope, several_in_one_parameter_and_several_parameters_add_up)
{
    const std::vector<std::string> parameters{"repository:a:pull repository:b:pull", "repository:a:push"};
    const auto scopes = parse_scopes(parameters);
    ASSERT_TRUE(scopes);
    EXPECT_EQ(scopes->entries.size(), 2U);
    EXPECT_EQ(scopes->actions_on("a"), bit(Action::pull) | bit(Action::push));
    EXPECT_EQ(scopes->actions_on("b"), bit(Action::pull));
}

TEST(Scope, a_name_with_host_and_port_is_split_from_both_ends_and_asks_for_nothing)
{
    const auto scopes = parse("repository:localhost:5000/app:pull");
    ASSERT_TRUE(scopes);
    EXPECT_TRUE(scopes->entries.empty());
}

TEST(Scope, a_class_changes_nothing)
{
    EXPECT_EQ(parse("repository(plugin):a:pull")->actions_on("a"), bit(Action::pull));
}

TEST(Scope, catalog_is_asked_for_by_its_own_type)
{
    EXPECT_TRUE(parse("registry:catalog:*")->catalog);
    EXPECT_FALSE(parse("repository:catalog:*")->catalog);
    EXPECT_FALSE(parse("registry:catalog:pull")->catalog);
    EXPECT_FALSE(parse("registry:other:*")->catalog);
}

TEST(Scope, unknown_types_and_actions_ask_for_nothing)
{
    EXPECT_TRUE(parse("chart:a:pull")->entries.empty());
    EXPECT_TRUE(parse("repository:a:admin")->entries.empty());
    EXPECT_EQ(parse("repository:a:admin,pull")->actions_on("a"), bit(Action::pull));
}

TEST(Scope, a_name_that_no_repository_can_have_asks_for_nothing)
{
    EXPECT_TRUE(parse("repository:../etc:pull")->entries.empty());
    EXPECT_TRUE(parse("repository:UPPER:pull")->entries.empty());
    EXPECT_TRUE(parse("repository:*:pull")->entries.empty());
}

TEST(Scope, empty_text_asks_for_nothing)
{
    ASSERT_TRUE(parse(""));
    EXPECT_TRUE(parse("  ")->entries.empty());
}

TEST(Scope, refuses_what_is_outside_the_grammar)
{
    for (const auto* text :
         {"repository",
          "repository:a",
          ":a:pull",
          "repository::pull",
          "Repo:a:pull",
          "repository():a:pull",
          "repository(x:a:pull",
          "repository:a\n:pull",
          "repository:\"a:pull"}) {
        const auto scopes = parse(text);
        ASSERT_FALSE(scopes) << text;
        EXPECT_EQ(scopes.error().code(), Errc::bad_request) << text;
    }
}

TEST(Scope, refuses_too_many_and_too_long)
{
    std::string many;
    for (std::size_t i = 0; i <= most_scopes; ++i) many += "repository:a:pull ";
    EXPECT_FALSE(parse(many));
    many.resize(many.size() - std::string_view{"repository:a:pull "}.size());
    EXPECT_TRUE(parse(many));
    EXPECT_FALSE(parse("repository:" + std::string(longest_scopes, 'a') + ":pull"));
}

TEST(Scope, text_reads_back_the_same)
{
    const auto scopes = parse("repository:a/b:push,pull registry:catalog:*");
    EXPECT_EQ(scope_text(*scopes), "repository:a/b:pull,push registry:catalog:*");
}

TEST(Scope, of_one_action_names_pull_beside_push)
{
    EXPECT_EQ(scope_for("a/b", Action::pull), "repository:a/b:pull");
    EXPECT_EQ(scope_for("a/b", Action::push), "repository:a/b:pull,push");
    EXPECT_EQ(scope_for("a/b", Action::remove), "repository:a/b:delete");
}

}  // namespace
}  // namespace entrepot
