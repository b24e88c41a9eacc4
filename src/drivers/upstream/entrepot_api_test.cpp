#include "drivers/upstream/scripted_registry.hpp"

#include <gtest/gtest.h>

// Another Entrepôt that tells states of tags, an older one that doesn't, and what else may answer in its place.
namespace entrepot {
namespace {

constexpr const char* digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

std::string told(const std::string& fields)
{
    return R"({"tags":1,"more":true,"digest":")" + std::string{digest} + "\"" + fields + "}";
}

struct Peer {
    explicit Peer(std::string answer)
        : scripted{[answer](const std::string&) { return answer; }},
          site{open_site(endpoint_at(scripted.url(), "entrepot"))}
    {
    }
    ScriptedRegistry scripted;
    std::shared_ptr<RegistrySite> site;
};

const TagRange range{
    .after = {"a/b", "v 1"}, .until = {"a/z", {}}, .limit = 10, .prefix = "a/", .with_referrers = false
};

TEST(EntrepotApi, asks_for_a_range_and_reads_what_is_told)
{
    Peer peer{answer_of(
        "200 OK",
        told(
            R"(,"last":{"repository":"a/c","tag":"1"},"repositories":[{"name":"a/c","tags":[{"name":"1","digest":")" +
            std::string{digest} + R"(","referrers":")" + digest + R"("}]}])"
        )
    )};
    const auto summary = run_to_end(peer.site->tag_summary(range));
    ASSERT_TRUE(summary) << summary.error().message();
    EXPECT_EQ(summary->tags, 1);
    EXPECT_TRUE(summary->more);
    EXPECT_EQ(summary->last, (TagPlace{"a/c", "1"}));
    EXPECT_EQ(summary->digest.text(), digest);
    const auto states = run_to_end(peer.site->tag_states(range));
    ASSERT_TRUE(states) << states.error().message();
    ASSERT_EQ(states->size(), 1U);
    EXPECT_EQ(states->front().place, (TagPlace{"a/c", "1"}));
    EXPECT_EQ(states->front().referrers->text(), digest);
    EXPECT_EQ(
        peer.scripted.count("GET /api/v2.0/tag-states?limit=10&after_repository=a%2Fb&after_tag=v%201&"
                            "until_repository=a%2Fz&prefix=a%2F&referrers=false&summary=true HTTP/1.1"),
        1U
    );
}

TEST(EntrepotApi, says_of_an_older_one_that_it_does_not_tell)
{
    for (const auto& answer : {
             answer_of("404 Not Found", R"({"errors":[{"code":"NOT_FOUND","message":"no such thing"}]})"),
             answer_of("200 OK", told({})),
         }) {
        Peer peer{answer};
        EXPECT_EQ(run_to_end(peer.site->tag_summary(range)).error().code(), Errc::unsupported) << answer;
        EXPECT_EQ(run_to_end(peer.site->tag_states(range)).error().code(), Errc::unsupported) << answer;
    }
    Peer closed{answer_of("403 Forbidden", R"({"errors":[{"code":"FORBIDDEN","message":"no"}]})")};
    EXPECT_EQ(run_to_end(closed.site->tag_summary(range)).error().code(), Errc::denied);
}

TEST(EntrepotApi, believes_no_other_answer)
{
    for (const auto* answer : {"<html>", "[]", R"({"last":1})", R"({"last":{},"tags":"1","more":true})"}) {
        Peer peer{answer_of("200 OK", answer)};
        EXPECT_EQ(run_to_end(peer.site->tag_summary(range)).error().code(), Errc::unavailable) << answer;
        EXPECT_EQ(run_to_end(peer.site->tag_states(range)).error().code(), Errc::unavailable) << answer;
    }
}

}  // namespace
}  // namespace entrepot
