#include "cli/source_words.hpp"

#include <boost/json/serialize.hpp>

#include <gtest/gtest.h>

namespace entrepot {
namespace {

TEST(SourceWords, say_what_the_api_takes)
{
    EXPECT_EQ(
        boost::json::serialize(source_in_words("?hub=library/**,!library/own-*,team/*")),
        R"({"project":"hub","repositories":["library/**","team/*"],"except":["library/own-*"],"optional":true})"
    );
    EXPECT_EQ(
        boost::json::serialize(source_in_words("web")),
        R"({"project":"web","repositories":[],"except":[],"optional":false})"
    );
}

TEST(SourceWords, come_back_as_they_were)
{
    for (const auto* words : {"web", "?web", "hub=a/**", "hub=!b", "?hub=a,c,!b,!d", "hub=library/{a,b},c"}) {
        EXPECT_EQ(words_of_source(source_in_words(words)), words);
    }
}

TEST(SourceWords, name_what_may_not_be_seen_by_its_number)
{
    EXPECT_EQ(words_of_source({{"project_id", 7}}), "7");
}

}  // namespace
}  // namespace entrepot
