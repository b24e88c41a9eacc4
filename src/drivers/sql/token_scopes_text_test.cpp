#include "drivers/sql/token_scopes_text.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

TEST(TokenScopesText, no_scopes_are_other_than_empty_ones)
{
    EXPECT_EQ(text_of_scopes(std::nullopt), "");
    EXPECT_FALSE(*scopes_of_text(""));
    const auto none = scopes_of_text(text_of_scopes(std::vector<AccessTokenScope>{}));
    ASSERT_TRUE(none);
    ASSERT_TRUE(*none);
    EXPECT_TRUE((*none)->empty());
}

TEST(TokenScopesText, writes_permissions_by_name_so_that_their_order_may_change)
{
    AccessTokenScope scope;
    scope.name = "te\"am";
    scope.limit.kind = ObjectKind::tenant;
    scope.limit.id = 7;
    scope.limit.permissions.add(*find_permission(ObjectKind::tenant, "robot", "create"));
    scope.limit.permissions.add(*find_permission(ObjectKind::project, "repository", "pull"));
    const auto text = text_of_scopes(std::vector{scope});
    EXPECT_EQ(
        text,
        R"([{"kind":"tenant","id":7,"name":"te\"am","permissions":["tenant robot create","project repository pull"]}])"
    );
    const auto read = scopes_of_text(text);
    ASSERT_TRUE(read);
    ASSERT_EQ((*read)->size(), 1U);
    EXPECT_EQ((*read)->front().name, scope.name);
    EXPECT_EQ((*read)->front().limit.kind, scope.limit.kind);
    EXPECT_EQ((*read)->front().limit.id, scope.limit.id);
    EXPECT_EQ((*read)->front().limit.permissions, scope.limit.permissions);
}

TEST(TokenScopesText, leaves_out_permissions_that_this_version_does_not_know)
{
    const auto read = scopes_of_text(
        R"([{"kind":"project","id":0,"name":"*","permissions":["project repository fly","galaxy x y","nonsense",""]}])"
    );
    ASSERT_TRUE(read);
    EXPECT_TRUE((*read)->front().limit.permissions.empty());
}

TEST(TokenScopesText, never_reads_damage_as_no_limit)
{
    for (const auto* text :
         {"x",
          "null",
          "{}",
          "[1]",
          "[{}]",
          R"([{"kind":"galaxy","id":1,"name":"","permissions":[]}])",
          R"([{"kind":"project","id":"1","name":"","permissions":[]}])",
          R"([{"kind":"project","id":1,"name":"","permissions":[1]}])"}) {
        const auto read = scopes_of_text(text);
        ASSERT_FALSE(read) << text;
        EXPECT_EQ(read.error().code(), Errc::corrupt);
    }
}

}  // namespace
}  // namespace entrepot
