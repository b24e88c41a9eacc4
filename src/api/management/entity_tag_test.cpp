#include "api/management/entity_tag.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

Response with_body(std::string text)
{
    Response response;
    response.body = std::move(text);
    return response;
}

TEST(EntityTag, tells_bodies_apart_and_is_quoted)
{
    const auto tag = entity_tag(with_body("{}"));
    EXPECT_EQ(tag, entity_tag(with_body("{}")));
    EXPECT_NE(tag, entity_tag(with_body("{ }")));
    EXPECT_EQ(tag.front(), '"');
    EXPECT_EQ(tag.back(), '"');
    EXPECT_EQ(entity_tag(Response{}), "");
}

TEST(EntityTag, is_found_in_a_list)
{
    EXPECT_TRUE(names_tag_strongly(R"("a", "b")", R"("b")"));
    EXPECT_FALSE(names_tag_strongly(R"("a", "b")", R"("c")"));
    EXPECT_TRUE(names_tag_strongly("*", R"("c")"));
    EXPECT_TRUE(names_tag_weakly(R"(W/"a")", R"("a")"));
    EXPECT_FALSE(names_tag_strongly(R"(W/"a")", R"("a")"));
    EXPECT_TRUE(names_tag_strongly(R"(W/"a","a")", R"("a")"));
}

TEST(EntityTag, is_not_found_in_what_is_no_list)
{
    for (const auto* list : {"", " ", ",", "a", "\"a", "W/", "b,\"a\"", "\"b\" x \"a\""}) {
        EXPECT_FALSE(names_tag_strongly(list, R"("a")")) << list;
    }
}

TEST(EntityTag, is_for_single_objects)
{
    auto page = with_body("[]");
    EXPECT_TRUE(is_single_object(page));
    page.add("X-Total-Count", "0");
    EXPECT_FALSE(is_single_object(page));
    auto created = with_body("{}");
    created.status = 201;
    EXPECT_FALSE(is_single_object(created));
}

}  // namespace
}  // namespace entrepot
