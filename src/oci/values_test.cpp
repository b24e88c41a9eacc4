#include "oci/manifest.hpp"
#include "oci/media_type.hpp"
#include "oci/names.hpp"

#include <gtest/gtest.h>

#include <string>

namespace entrepot {
namespace {

const std::string some_digest = "sha256:" + std::string(64, 'a');

std::string image(const std::string& rest)
{
    return R"({"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":")" +
           some_digest + R"(","size":2})" + rest + "}";
}

TEST(Digest, accepts_both_registered_algorithms)
{
    EXPECT_TRUE(Digest::parse(some_digest));
    EXPECT_EQ(Digest::parse("sha512:" + std::string(128, '0'))->algorithm(), DigestAlgorithm::sha512);
    EXPECT_EQ(Digest::parse(some_digest)->hex(), std::string(64, 'a'));
}

TEST(Digest, refuses_everything_else)
{
    for (const std::string& text :
         {std::string{},
          std::string{"sha256"},
          std::string{"sha256:"},
          "sha256:" + std::string(64, 'A'),
          "sha256:" + std::string(63, 'a'),
          "sha256:" + std::string(65, 'a'),
          "sha512:" + std::string(64, 'a'),
          "md5:" + std::string(32, 'a'),
          "sha256:" + std::string(64, 'g'),
          " " + some_digest,
          some_digest + "\n",
          "sha256:../" + std::string(61, 'a'),
          "sha256;" + std::string(64, 'a')}) {
        EXPECT_EQ(Digest::parse(text).error().code(), Errc::digest_invalid) << text;
    }
}

TEST(Digest, of_known_bytes)
{
    EXPECT_EQ(digest_of("").text(), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(RepositoryName, accepts_the_grammar_of_the_specification)
{
    for (const std::string text :
         {"a",
          "library/busybox",
          "a/b/c/d",
          "a-b",
          "a--b",
          "a---b/c",
          "a_b",
          "a__b",
          "a.b",
          "0/1",
          "blobs",
          "tags/list",
          "service/token",
          "manifests/blobs/uploads"}) {
        EXPECT_TRUE(RepositoryName::parse(text)) << text;
    }
    EXPECT_EQ(RepositoryName::parse("p/q/r")->project(), "p");
    EXPECT_EQ(RepositoryName::parse("p")->project(), "p");
}

TEST(RepositoryName, refuses_everything_else)
{
    for (const std::string& text :
         {std::string{},
          std::string{"/"},
          std::string{"a/"},
          std::string{"/a"},
          std::string{"a//b"},
          std::string{"A"},
          std::string{"a..b"},
          std::string{"a___b"},
          std::string{"a_.b"},
          std::string{"-a"},
          std::string{"a-"},
          std::string{".."},
          std::string{"a/../b"},
          std::string{"a/.b"},
          std::string{"a b"},
          std::string{"a%2fb"},
          std::string{"\xc3\xa9"},
          std::string{"a\0b", 3},
          std::string(256, 'a')}) {
        EXPECT_EQ(RepositoryName::parse(text).error().code(), Errc::name_invalid) << text;
    }
    EXPECT_TRUE(RepositoryName::parse(std::string(255, 'a')));
}

TEST(ProjectName, is_one_segment)
{
    EXPECT_TRUE(ProjectName::parse("team-a"));
    EXPECT_FALSE(ProjectName::parse("a/b"));
    EXPECT_EQ(ProjectName::of(*RepositoryName::parse("p/q")).text(), "p");
}

TEST(Tag, follows_its_grammar)
{
    for (const std::string text : {"latest", "1.0", "_x", "V1-rc.2", "0"}) EXPECT_TRUE(Tag::parse(text)) << text;
    for (const std::string& text :
         {std::string{},
          std::string{".a"},
          std::string{"-a"},
          std::string{"a b"},
          std::string{"a/b"},
          std::string(129, 'a')}) {
        EXPECT_EQ(Tag::parse(text).error().code(), Errc::tag_invalid) << text;
    }
}

TEST(Reference, is_a_digest_where_there_is_a_colon)
{
    EXPECT_NE(Reference::parse(some_digest)->digest(), nullptr);
    EXPECT_NE(Reference::parse("latest")->tag(), nullptr);
    EXPECT_EQ(Reference::parse("sha256:short").error().code(), Errc::digest_invalid);
}

TEST(Manifest, reads_what_an_image_needs)
{
    const auto layer =
        R"({"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":")" + some_digest + R"(","size":3})";
    const auto parsed = Manifest::parse(
        media::oci_manifest,
        image(R"(,"layers":[)" + layer + "," + layer + R"(],"annotations":{"a":"b"},"subject":)" + layer)
    );
    ASSERT_TRUE(parsed) << parsed.error().message();
    EXPECT_EQ(parsed->layers.size(), 2U);
    EXPECT_EQ(parsed->required_blobs().size(), 1U);
    EXPECT_EQ(parsed->artifact_type, "application/vnd.oci.image.config.v1+json");
    EXPECT_EQ(parsed->annotations.at("a"), "b");
    EXPECT_TRUE(parsed->subject);
}

TEST(Manifest, does_not_require_layers_that_lie_elsewhere)
{
    const auto parsed = Manifest::parse(
        media::oci_manifest,
        image(
            R"(,"layers":[{"mediaType":"application/vnd.oci.image.layer.nondistributable.v1.tar","digest":"sha256:)" +
            std::string(64, 'b') + R"(","size":3},{"mediaType":"x","urls":["u"],"digest":"sha256:)" +
            std::string(64, 'c') + R"(","size":3}])"
        )
    );
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->required_blobs().size(), 1U);
}

TEST(Manifest, refuses_lies_and_nonsense)
{
    for (const std::string& bytes :
         {std::string{},
          std::string{"null"},
          std::string{"[]"},
          std::string{"{}"},
          std::string{"{\"schemaVersion\":2}"},
          std::string{"{\"schemaVersion\":1}"},
          image(R"(,"layers":{})"),
          image(R"(,"layers":[1])"),
          image(R"(,"layers":[{"digest":"x","size":1}])"),
          image(R"(,"layers":[{"digest":")" + some_digest + R"("}])"),
          image(R"(,"layers":[{"digest":")" + some_digest + R"(","size":-1}])"),
          image(R"(,"layers":[{"digest":")" + some_digest + R"(","size":1e30}])"),
          image(R"(,"annotations":{"a":1})"),
          image(R"(,"annotations":[])"),
          image(R"(,"mediaType":"text/plain")"),
          image(R"(,"manifests":[])"),
          image(R"(,"x":)" + std::string(64, '[') + std::string(64, ']')),
          image("") + "x"}) {
        const auto parsed = Manifest::parse(media::oci_manifest, bytes);
        ASSERT_FALSE(parsed) << bytes;
        EXPECT_EQ(parsed.error().code(), Errc::manifest_invalid) << bytes;
    }
}

TEST(MediaType, is_two_tokens_and_nothing_else)
{
    EXPECT_EQ(MediaType::parse(media::oci_manifest)->text(), media::oci_manifest);
    EXPECT_EQ(MediaType::of_content_type("a/b ; charset=utf-8")->text(), "a/b");
    for (const std::string& text :
         {std::string{},
          std::string{"a"},
          std::string{"a/"},
          std::string{"/b"},
          std::string{"a/b/c"},
          std::string{"a/b\r\nX: y"},
          std::string{"a/b\0", 4},
          std::string{"a/\"b\""},
          std::string{"a/b c"},
          "a/" + std::string(254, 'b')}) {
        EXPECT_FALSE(MediaType::parse(text)) << text;
    }
}

TEST(Manifest, keeps_any_other_media_type_as_opaque_bytes)
{
    const auto parsed = Manifest::parse("application/x-anything", "\x01\x02");
    ASSERT_TRUE(parsed);
    EXPECT_TRUE(parsed->required_blobs().empty());
}

TEST(Manifest, an_index_may_list_children_and_has_no_type_of_its_own)
{
    const auto parsed = Manifest::parse(
        media::oci_index,
        R"({"schemaVersion":2,"manifests":[{"mediaType":"m","digest":")" + some_digest + R"(","size":3}]})"
    );
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->children.size(), 1U);
    EXPECT_TRUE(parsed->artifact_type.empty());
}

}  // namespace
}  // namespace entrepot
