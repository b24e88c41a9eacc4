#include "drivers/sql/annotations_text.hpp"
#include "drivers/sql/fallback_index.hpp"

#include <gtest/gtest.h>

namespace entrepot {

namespace {

TEST(FallbackIndex, its_tag_is_the_algorithm_and_at_most_64_digits)
{
    const std::string hex(64, 'a');
    EXPECT_EQ(fallback_tag(Digest::parse("sha256:" + hex).value()), "sha256-" + hex);
    EXPECT_EQ(fallback_tag(Digest::parse("sha512:" + hex + hex).value()), "sha512-" + hex);
}

TEST(FallbackIndex, leaves_out_what_is_no_descriptor)
{
    const std::string digest = digest_of("x").text();
    const std::string good =
        R"({"mediaType":"a/b","digest":")" + digest + R"(","size":3,"annotations":{"k":"v","n":4}})";
    const auto listed = read_fallback_index(
        R"({"manifests":[7,{},{"digest":5},{"digest":"sha256:short"},)" + good + R"(,{"digest":")" + digest +
        R"(","size":-1}]})"
    );
    ASSERT_EQ(listed.size(), 2U);
    EXPECT_EQ(listed[0].media_type, "a/b");
    EXPECT_EQ(listed[0].size, 3U);
    EXPECT_EQ(listed[0].annotations, (Annotations{{"k", "v"}}));
    EXPECT_EQ(listed[1].size, 0U);
}

TEST(FallbackIndex, anything_else_lists_nothing)
{
    for (const char* text : {"", "[]", "{", R"({"manifests":{}})", "\xff\xfe", R"({"layers":[]})"}) {
        EXPECT_TRUE(read_fallback_index(text).empty()) << text;
    }
}

TEST(AnnotationsText, comes_back_as_it_was)
{
    const Annotations annotations{{"a", "\"quoted\"\n"}, {"empty", ""}, {"ü", "\xe2\x82\xac"}};
    EXPECT_EQ(annotations_from_text(annotations_to_text(annotations)), annotations);
    EXPECT_TRUE(annotations_from_text(annotations_to_text({})).empty());
    EXPECT_TRUE(annotations_from_text("not json").empty());
}

}  // namespace

}  // namespace entrepot
