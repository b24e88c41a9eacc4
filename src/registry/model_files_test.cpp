#include "registry/model_files.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace entrepot {
namespace {

std::string layer(std::string_view path, std::string_view type, std::string_view more = {})
{
    return R"({"mediaType":"application/vnd.cncf.model.)" + std::string{type} + R"(","digest":")" +
           digest_of(path).text() + R"(","size":10,"annotations":{"org.cncf.model.filepath":")" + std::string{path} +
           "\"" + std::string{more} + "}}";
}

ModelFiles files_of(std::string layers)
{
    return ModelFiles::read(R"({"layers":[)" + std::move(layers) + "]}").value();
}

TEST(ModelFiles, are_shown_as_the_tree_that_their_paths_make)
{
    const auto files = files_of(
        layer("README.md", "doc.v1.raw") + "," + layer("weights/a.safetensors", "weight.v1.tar") + "," +
        layer("weights/b.safetensors", "weight.v1.tar", R"(,"org.cncf.model.file.metadata+json":"{\"size\":77}")")
    );
    EXPECT_EQ(
        files.tree(),
        R"([{"name":"README.md","type":"file","size":10},{"name":"weights","type":"directory","children":[)"
        R"({"name":"a.safetensors","type":"file","size":10},{"name":"b.safetensors","type":"file","size":77}]}])"
    );
}

TEST(ModelFiles, the_documents_at_the_top_are_found_in_any_case)
{
    const auto files = files_of(
        layer("docs/readme.md", "doc.v1.raw") + "," + layer("ReadMe.MD", "doc.v1.tar") + "," +
        layer("LICENSE", "doc.v1.raw")
    );
    ASSERT_NE(files.find_document("readme"), nullptr);
    EXPECT_EQ(files.find_document("readme")->path, "ReadMe.MD");
    EXPECT_TRUE(files.find_document("readme")->archived);
    EXPECT_FALSE(files.find_document("license")->archived);
    EXPECT_EQ(files.find_document("notice"), nullptr);
}

TEST(ModelFiles, paths_of_any_depth_and_form_do_no_harm)
{
    std::string deep;
    for (int i = 0; i < 400; ++i) deep += "d/";
    const auto tree = files_of(layer(deep + "x", "weight.v1.raw") + "," + layer("//./a//b/", "doc.v1.raw")).tree();
    EXPECT_NE(tree.find(R"("name":"b")"), std::string::npos);
    EXPECT_LT(std::ranges::count(tree, '{'), 50);
}

TEST(ModelFiles, a_manifest_without_layers_is_refused)
{
    for (const auto* text : {"", "{}", "[]", R"({"layers":3})"}) {
        const auto read = ModelFiles::read(text);
        ASSERT_FALSE(read);
        EXPECT_EQ(read.error().code(), Errc::unprocessable);
    }
    EXPECT_TRUE(files_of("3,{},{\"annotations\":[]}").all().empty());
}

}  // namespace
}  // namespace entrepot
