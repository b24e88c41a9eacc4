#include "core/yaml_documents.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

TEST(YamlDocuments, AreAllThere)
{
    EXPECT_EQ(load_yaml_documents("").size(), 0U);
    EXPECT_EQ(load_yaml_documents("a: 1").size(), 1U);
    EXPECT_EQ(load_yaml_documents("---\n---\n---\nb: 2\n").size(), 3U);
}

TEST(YamlDocuments, EndWhereTheParserWouldNot)
{
    for (const auto* const text : {",", ", a", "a: 1\n---\n, b", "---\n,\n"})
        EXPECT_THROW(load_yaml_documents(text), YAML::Exception) << text;
}

}  // namespace
}  // namespace entrepot
