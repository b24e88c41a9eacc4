#include "api/error_answer.hpp"
#include "api/oci/byte_range.hpp"
#include "api/oci/mirrors.hpp"
#include "api/oci/route.hpp"

#include "tests/support/fake_request.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

using Kind = OciRoute::Kind;

struct RouteCase {
    std::string_view path;
    Kind kind;
    std::string_view name;
    std::string_view last;
};

TEST(OciRoute, matches_from_the_right)
{
    for (const auto& [path, kind, name, last] : std::initializer_list<RouteCase>{
             {"/v2/", Kind::base, "", ""},
             {"/v2", Kind::base, "", ""},
             {"/v2/_catalog", Kind::catalog, "", ""},
             {"/v2/x/manifests/latest", Kind::manifest, "x", "latest"},
             {"/v2/a/b/c/manifests/sha256:0", Kind::manifest, "a/b/c", "sha256:0"},
             {"/v2/x/blobs/sha256:0", Kind::blob, "x", "sha256:0"},
             {"/v2/x/blobs/uploads/", Kind::uploads, "x", ""},
             {"/v2/x/blobs/uploads", Kind::uploads, "x", "uploads"},
             {"/v2/x/blobs/uploads/42", Kind::upload, "x", "42"},
             {"/v2/x/tags/list", Kind::tags, "x", ""},
             {"/v2/x/referrers/sha256:0", Kind::referrers, "x", "sha256:0"},
             {"/v2/blobs/blobs/sha256:0", Kind::blob, "blobs", "sha256:0"},
             {"/v2/tags/list/tags/list", Kind::tags, "tags/list", ""},
             {"/v2/tags/list/manifests/list", Kind::manifest, "tags/list", "list"},
             {"/v2/blobs/uploads/manifests/v1", Kind::manifest, "blobs/uploads", "v1"},
             {"/v2/blobs/uploads/blobs/uploads/", Kind::uploads, "blobs/uploads", ""},
             {"/v2/service/token/tags/list", Kind::tags, "service/token", ""},
             {"/v2/manifests/manifests/manifests", Kind::manifest, "manifests", "manifests"},
         }) {
        const auto route = match_oci_route(path);
        ASSERT_TRUE(route) << path;
        EXPECT_EQ(route->kind, kind) << path;
        EXPECT_EQ(route->name, name) << path;
        if (kind != Kind::uploads) EXPECT_EQ(route->last, last) << path;
        if (!name.empty()) EXPECT_EQ("/v2/" + std::string{route->name} + std::string{route->rest}, path);
    }
}

TEST(OciRoute, is_nothing_for_other_paths)
{
    for (const std::string_view path :
         {"",
          "/",
          "/v1/",
          "/v2x",
          "/v2/x",
          "/v2/tags/list",
          "/v2/manifests/latest",
          "/v2/x/y/z",
          "/v2/blobs/uploads/",
          "/v2//manifests",
          "/v2/x/tags",
          "/v2/x/tags/list/"}) {
        EXPECT_FALSE(match_oci_route(path)) << path;
    }
}

TEST(ByteRange, follows_rfc_9110)
{
    const auto part = [](std::string_view header) { return parse_range(header, 1000).value().value(); };
    EXPECT_EQ(part("bytes=0-0").length, 1U);
    EXPECT_EQ(part("bytes=500-").offset, 500U);
    EXPECT_EQ(part("bytes=500-").length, 500U);
    EXPECT_EQ(part("Bytes=500-1499").length, 500U);
    EXPECT_EQ(part("bytes=-200").offset, 800U);
    EXPECT_EQ(part("bytes=-5000").length, 1000U);
    EXPECT_EQ(part("bytes=10-99999999999999999999").length, 990U);
    EXPECT_EQ(part("bytes=0-18446744073709551615").length, 1000U);
    EXPECT_FALSE(parse_range("items=0-1", 1000).value());
    EXPECT_FALSE(parse_range("bytes=0-1,4-5", 1000).value());
}

TEST(ByteRange, refuses_what_is_malformed_or_beyond_the_end)
{
    for (const std::string_view header :
         {"bytes=1000-",
          "bytes=500-0",
          "bytes=-0",
          "bytes=-",
          "bytes=a-b",
          "bytes=1",
          "bytes=",
          "bytes=-1-2",
          "bytes=+1-2",
          "bytes=0x1-2",
          "bytes=99999999999999999999-",
          "bytes=0-x"}) {
        const auto range = parse_range(header, 1000);
        ASSERT_FALSE(range) << header;
        EXPECT_EQ(range.error().code(), Errc::range_invalid) << header;
    }
    EXPECT_FALSE(parse_range("bytes=0-0", 0));
    EXPECT_FALSE(parse_range("bytes=-1", 0));
}

TEST(ChunkRange, is_start_and_end)
{
    EXPECT_EQ(parse_chunk_range("0-9").value().length(), 10U);
    for (const std::string_view header :
         {"", "-", "5", "9-5", "a-b", "-5", "5-", "0-9223372036854775808", "1-2-3", "bytes 5-9/10", "bytes 5-9"}) {
        EXPECT_FALSE(parse_chunk_range(header)) << header;
    }
}

TEST(Mirrors, are_hosts_with_projects)
{
    for (const std::string line :
         {"", "docker.io", "=hub", "docker.io=", "https://docker.io=hub", "docker.io=Hub", "a=b/c"}) {
        EXPECT_FALSE(Mirrors::parse({line})) << line;
    }
    EXPECT_FALSE(Mirrors::parse({"docker.io=a", "Docker.io=b"}));
    const auto mirrors = Mirrors::parse({"Docker.io=hub", "127.0.0.1:5000=near"}).value();
    FakeRequest request{Method::get, "/v2/"};
    request.query = "ns=docker.io&n=1";
    EXPECT_EQ(mirrors.find(request, "library/alpine")->repository, "hub/library/alpine");
    request.query = "n=1&ns=127.0.0.1%3A5000";
    EXPECT_EQ(mirrors.find(request, "app")->repository, "near/app");
    EXPECT_FALSE(mirrors.find(request, ""));
    for (const std::string_view query : {"", "ns=", "ns=ghcr.io", "turns=docker.io", "ns=%zz"}) {
        request.query = query;
        EXPECT_FALSE(mirrors.find(request, "app")) << query;
    }
}

TEST(ErrorAnswer, shows_the_message_and_never_the_detail)
{
    const auto response = error_response(Error{Errc::manifest_unknown, "no \"such\" manifest\n", "secret detail"});
    EXPECT_EQ(response.status, 404U);
    EXPECT_EQ(
        std::get<std::string>(response.body),
        R"({"errors":[{"code":"MANIFEST_UNKNOWN","message":"no \"such\" manifest\n"}]})"
    );
}

TEST(ErrorAnswer, says_when_to_try_again)
{
    EXPECT_NE(error_response(Error{Errc::unavailable, "x"}).headers.find("Retry-After"), std::string::npos);
    EXPECT_EQ(error_response(Error{Errc::storage_full, "x"}).status, 507U);
}

}  // namespace
}  // namespace entrepot
