#include "drivers/upstream/adapter.hpp"
#include "drivers/upstream/aws_ecr.hpp"
#include "drivers/upstream/aws_signature.hpp"
#include "drivers/upstream/docker_hub.hpp"
#include "drivers/upstream/scripted_registry.hpp"

#include <set>

#include <gtest/gtest.h>

// Each kind of registry against a peer that answers as its documentation has it; docs/replication-endpoints.md names
// the sources.
namespace entrepot {
namespace {

std::vector<std::string> walk(RegistrySite& site)
{
    std::vector<std::string> names;
    std::string last;
    for (int pages = 0; pages < 20; ++pages) {
        const auto page = run_to_end(site.repositories({.limit = 2, .last = last}));
        EXPECT_TRUE(page) << (page ? "" : page.error().message());
        if (!page) break;
        names.insert(names.end(), page->names.begin(), page->names.end());
        last = page->next;
        if (last.empty()) return names;
    }
    ADD_FAILURE() << "the list has no end";
    return names;
}

TEST(Adapters, have_names_of_their_own)
{
    std::set<std::string> types;
    for (const auto& each : all_adapters()) {
        EXPECT_TRUE(types.insert(each.info.type).second) << each.info.type;
        EXPECT_FALSE(each.info.title.empty());
        EXPECT_EQ(find_adapter(each.info.type), &each);
    }
    EXPECT_EQ(find_adapter("nothing"), nullptr);
}

// docs.aws.amazon.com, "Signature Version 4 test suite": get-vanilla and get-vanilla-query-order-key, with the suite's
// example credentials.
TEST(AwsSignature, agrees_with_the_published_vectors)
{
    const AwsCredentials credentials{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "service"};
    const auto now = parse_time("2015-08-30T12:36:00Z").value();
    const auto vanilla =
        aws_signature(credentials, "GET", parse_http_url("https://example.amazonaws.com/").value(), {}, {}, now);
    EXPECT_EQ(vanilla.at(0).value, "20150830T123600Z");
    EXPECT_EQ(
        vanilla.at(1).value,
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        "SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    );
    EXPECT_TRUE(vanilla.at(1).secret);
    const auto query = aws_signature(
        credentials,
        "GET",
        parse_http_url("https://example.amazonaws.com/?Param2=value2&Param1=value1").value(),
        {},
        {},
        now
    );
    EXPECT_TRUE(query.at(1).value.ends_with("Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
    )) << query.at(1).value;
    const auto post =
        aws_signature(credentials, "POST", parse_http_url("https://example.amazonaws.com/").value(), {}, {}, now);
    EXPECT_TRUE(post.at(1).value.ends_with("Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b")
    ) << post.at(1).value;
}

TEST(AwsEcr, knows_its_regions_by_their_hosts)
{
    EXPECT_EQ(aws_ecr::region_of("123456789012.dkr.ecr.eu-west-1.amazonaws.com"), "eu-west-1");
    EXPECT_EQ(aws_ecr::region_of("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com"), "us-gov-west-1");
    EXPECT_EQ(aws_ecr::region_of("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"), "cn-north-1");
    for (const auto* other :
         {"example.org", "1.dkr.ecr.eu-west-1.example.org", "1.dkr.ecr.x", "1.dkr.ecr.a.b.amazonaws.com"})
        EXPECT_EQ(aws_ecr::region_of(other), std::nullopt) << other;
}

// Amazon ECR API Reference: GetAuthorizationToken, DescribeRepositories, CreateRepository.
struct Ecr {
    std::string reply(const std::string& request)
    {
        if (request.starts_with("POST / ")) {
            if (!field_of(request, "Authorization").starts_with("AWS4-HMAC-SHA256 Credential=user/"))
                return answer_of("403 Forbidden", R"({"__type":"AccessDeniedException","Message":"no"})");
            return api(field_of(request, "X-Amz-Target"), request);
        }
        // "AWS:password"
        if (field_of(request, "Authorization") == "Basic QVdTOnBhc3N3b3Jk") return answer_of("200 OK");
        return answer_of("401 Unauthorized", {}, "WWW-Authenticate: Basic realm=\"ecr\"\r\n");
    }
    static std::string api(const std::string& target, const std::string& request)
    {
        const std::string prefix = "AmazonEC2ContainerRegistry_V20150921.";
        if (target == prefix + "GetAuthorizationToken") {
            return answer_of(
                "200 OK",
                R"({"authorizationData":[{"authorizationToken":"QVdTOnBhc3N3b3Jk","expiresAt":4.1E9,"proxyEndpoint":"x"}]})"
            );
        }
        if (target == prefix + "DescribeRepositories") {
            if (request.contains(R"("nextToken":"more")"))
                return answer_of("200 OK", R"({"repositories":[{"repositoryName":"shop/web"}]})");
            return answer_of(
                "200 OK", R"({"nextToken":"more","repositories":[{"repositoryName":"a"},{"repositoryName":"b"}]})"
            );
        }
        if (target == prefix + "CreateRepository" && request.contains(R"({"repositoryName":"shop/web"})"))
            return answer_of("400 Bad", R"({"__type":"RepositoryAlreadyExistsException","message":"it is there"})");
        return answer_of("400 Bad", R"({"__type":"InvalidParameterException"})");
    }
    ScriptedRegistry peer{[this](const std::string& request) { return reply(request); }};
};

TEST(AwsEcr, logs_in_lists_and_creates_by_its_api)
{
    Ecr ecr;
    const auto site = open_site(with_account(endpoint_at(ecr.peer.url(), "aws-ecr")));
    EXPECT_TRUE(run_to_end(site->ping()));
    EXPECT_TRUE(run_to_end(site->holds(repository_of(), digest_of("x"))).value());
    EXPECT_EQ(ecr.peer.count("POST / "), 1U);  // one pass for all
    EXPECT_EQ(walk(*site), (std::vector<std::string>{"a", "b", "shop/web"}));
    EXPECT_TRUE(run_to_end(site->prepare(repository_of())));
    EXPECT_EQ(run_to_end(site->prepare(repository_of("other"))).error().code(), Errc::bad_request);
    auto wrong = with_account(endpoint_at(ecr.peer.url(), "aws-ecr"));
    wrong.access_key = "nobody";
    const auto refused = open_site(wrong);
    const auto before = ecr.peer.count("POST / ");
    for (int count = 0; count < 3; ++count) EXPECT_EQ(run_to_end(refused->ping()).error().code(), Errc::denied);
    EXPECT_EQ(ecr.peer.count("POST / ") - before, 1U);
}

TEST(AwsEcr, takes_no_authorization_that_is_none)
{
    const SystemClock clock;
    for (const auto* broken :
         {"",
          "[]",
          "{}",
          R"({"authorizationData":[]})",
          R"({"authorizationData":[7]})",
          R"({"authorizationData":[{"authorizationToken":"a\r\nb"}]})"})
        EXPECT_EQ(aws_ecr::parse_authorization(broken, clock).error().code(), Errc::unavailable) << broken;
    const auto early = aws_ecr::parse_authorization(
        R"({"authorizationData":[{"authorizationToken":"YQ==","expiresAt":-1e300}]})", clock
    );
    EXPECT_LE(early->until, clock.steady() + std::chrono::minutes{1});
}

// goharbor/harbor, api/v2.0/swagger.yaml.
TEST(Harbor, lists_creates_and_untags_by_its_api)
{
    ScriptedRegistry harbor{[](const std::string& request) {
        if (field_of(request, "Authorization") != "Basic dXNlcjpzZWNyZXQ=") return answer_of("401 Unauthorized");
        if (request.starts_with("GET /api/v2.0/repositories?sort=name&page=1&page_size=2 "))
            return answer_of("200 OK", R"([{"name":"a/x","id":1},{"name":"a/y","id":2}])");
        if (request.starts_with("GET /api/v2.0/repositories?sort=name&page=2&page_size=2 "))
            return answer_of("200 OK", R"([{"name":"b/z/deep","id":3}])");
        if (request.starts_with("HEAD /api/v2.0/projects?project_name=known ")) return answer_of("200 OK");
        if (request.starts_with("HEAD /api/v2.0/projects?project_name=")) return answer_of("404 Not Found");
        if (request.starts_with("POST /api/v2.0/projects ") && request.contains(R"({"project_name":"shop",)"))
            return answer_of("201 Created");
        if (request.starts_with("DELETE /api/v2.0/projects/shop/repositories/a%252Fb/artifacts/v1/tags/v1 "))
            return answer_of("200 OK");
        return answer_of("403 Forbidden", R"({"errors":[{"code":"FORBIDDEN","message":"no"}]})");
    }};
    const auto site = open_site(with_account(endpoint_at(harbor.url(), "harbor")));
    EXPECT_EQ(walk(*site), (std::vector<std::string>{"a/x", "a/y", "b/z/deep"}));
    EXPECT_TRUE(run_to_end(site->prepare(repository_of("known/x"))));
    EXPECT_TRUE(run_to_end(site->prepare(repository_of("shop/x"))));
    EXPECT_TRUE(run_to_end(site->prepare(repository_of("shop/x"))));
    EXPECT_EQ(harbor.count("POST /api/v2.0/projects "), 1U);
    EXPECT_EQ(run_to_end(site->prepare(repository_of("closed/x"))).error().code(), Errc::denied);
    EXPECT_TRUE(run_to_end(site->remove(repository_of("shop/a/b"), tag_of())));
    EXPECT_EQ(run_to_end(site->repositories({.limit = 2, .last = "x:y"})).error().code(), Errc::page_invalid);
}

// docs.docker.com, "Docker Hub API", and goharbor/harbor, src/pkg/reg/adapter/dockerhub.
TEST(DockerHub, names_and_lists_as_it_does)
{
    EXPECT_EQ(docker_hub::registry_url(parse_http_url("https://hub.docker.com").value()).host, "registry-1.docker.io");
    EXPECT_EQ(docker_hub::registry_url(parse_http_url("https://mirror.example").value()).host, "mirror.example");
    ScriptedRegistry hub{[](const std::string& request) {
        if (request.starts_with("POST /v2/auth/token ") &&
            request.contains(R"({"identifier":"user","secret":"secret"})"))
            return answer_of("200 OK", R"({"access_token":"jwt"})");
        if (request.starts_with("HEAD /v2/library/alpine/blobs/")) return answer_of("200 OK");
        if (field_of(request, "Authorization") != "Bearer jwt") return answer_of("404 Not Found");
        if (request.starts_with("GET /v2/repositories/namespaces "))
            return answer_of("200 OK", R"({"namespaces":["team","user"]})");
        if (request.starts_with("GET /v2/repositories/team/?page=1&page_size=100 "))
            return answer_of("200 OK", R"({"next":"https://hub.docker.com/x","results":[{"name":"a"}]})");
        if (request.starts_with("GET /v2/repositories/team/?page=2&page_size=100 "))
            return answer_of("200 OK", R"({"next":null,"results":[{"name":"b"}]})");
        if (request.starts_with("GET /v2/repositories/user/?page=1&page_size=100 "))
            return answer_of("200 OK", R"({"next":null,"results":[]})");
        return answer_of("404 Not Found");
    }};
    const auto site = open_site(with_account(endpoint_at(hub.url(), "docker-hub")));
    EXPECT_TRUE(run_to_end(site->holds(repository_of("alpine"), digest_of("x"))).value());
    EXPECT_EQ(walk(*site), (std::vector<std::string>{"team/a", "team/b"}));
    EXPECT_EQ(hub.count("POST /v2/auth/token "), 1U);
    const auto anonymous = open_site(endpoint_at(hub.url(), "docker-hub"));
    EXPECT_EQ(run_to_end(anonymous->repositories({.limit = 2, .last = {}})).error().code(), Errc::unsupported);
    const auto ghcr = open_site(endpoint_at(hub.url(), "github-ghcr"));
    EXPECT_EQ(run_to_end(ghcr->repositories({.limit = 2, .last = {}})).error().code(), Errc::unsupported);
}

}  // namespace
}  // namespace entrepot
