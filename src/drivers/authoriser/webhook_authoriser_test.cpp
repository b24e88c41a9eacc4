#include "drivers/authoriser/webhook_authoriser.hpp"

#include "client/test_peer.hpp"
#include "core/run_to_end.hpp"
#include "tests/support/fake_clock.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

std::string answer_with(std::string_view json, std::string_view status = "200 OK")
{
    return "HTTP/1.1 " + std::string{status} +
           "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(json.size()) + "\r\n\r\n" +
           std::string{json};
}

// A service that answers each request with the same text, and keeps what it was asked.
struct Service {
    explicit Service(std::string answer)
        : peer{[this, answer](int, TestPeer::Link& link) {
              for (auto request = link.request(); !request.empty(); request = link.request()) {
                  {
                      const std::lock_guard lock{mutex};
                      requests.push_back(request);
                  }
                  link.say(answer);
              }
          }}
    {
    }
    std::size_t count() const
    {
        const std::lock_guard lock{mutex};
        return requests.size();
    }
    mutable std::mutex mutex;
    std::vector<std::string> requests;
    TestPeer peer;
};

std::unique_ptr<WebhookAuthoriser> ask_at(const std::string& url, const Clock& clock, bool refuse_when_away = true)
{
    WebhookAuthoriserOptions options;
    options.url = url;
    options.token = "letmein";
    options.patience = 300ms;
    options.refuse_when_away = refuse_when_away;
    return WebhookAuthoriser::create(std::move(options), clock).value();
}

AuthorisationQuestion pull_by(std::string user)
{
    return {
        .user_id = 7, .user = std::move(user), .action = "pull", .object = "a/b", .client = "::1", .request_id = "r"
    };
}

TEST(WebhookAuthoriser, lets_through_what_the_service_allows_and_remembers_it)
{
    FakeClock clock;
    Service service{answer_with(R"({"allowed":true})")};
    const auto authoriser = ask_at(service.peer.url(), clock);
    EXPECT_FALSE(authoriser->remembered(7, "pull", "a/b").has_value());
    EXPECT_TRUE(run_to_end(authoriser->ask(pull_by("eve"))));
    EXPECT_EQ(authoriser->remembered(7, "pull", "a/b"), std::optional{true});
    EXPECT_FALSE(authoriser->remembered(8, "pull", "a/b").has_value());
    EXPECT_FALSE(authoriser->remembered(7, "push", "a/b").has_value());
    EXPECT_TRUE(run_to_end(authoriser->ask(pull_by("eve"))));
    EXPECT_EQ(service.count(), 1U);
    EXPECT_NE(service.requests[0].find("Authorization: Bearer letmein"), std::string::npos);
    EXPECT_NE(service.requests[0].find(R"("action":"pull")"), std::string::npos);
    clock.advance(11s);
    EXPECT_FALSE(authoriser->remembered(7, "pull", "a/b").has_value());
}

TEST(WebhookAuthoriser, refuses_with_the_services_reason)
{
    FakeClock clock;
    Service service{answer_with(R"({"allowed":false,"reason":"frozen for the audit","ttl_seconds":0})")};
    const auto authoriser = ask_at(service.peer.url(), clock);
    for (int i = 0; i < 2; ++i) {
        const auto asked = run_to_end(authoriser->ask(pull_by("eve")));
        ASSERT_FALSE(asked);
        EXPECT_EQ(asked.error().code(), Errc::denied);
        EXPECT_EQ(asked.error().message(), "frozen for the audit");
    }
    EXPECT_EQ(service.count(), 2U);  // its ttl of 0 forbids remembering
}

TEST(WebhookAuthoriser, takes_nothing_but_a_clear_answer_for_one)
{
    FakeClock clock;
    for (const auto& answer :
         {answer_with(R"({"allowed":"yes"})"),
          answer_with("<html>"),
          answer_with(R"({"allowed":true})", "500 Internal Server Error"),
          answer_with("", "302 Found")}) {
        Service service{answer};
        const auto authoriser = ask_at(service.peer.url(), clock);
        const auto asked = run_to_end(authoriser->ask(pull_by("eve")));
        ASSERT_FALSE(asked) << answer;
        EXPECT_EQ(asked.error().code(), Errc::denied);
        EXPECT_FALSE(authoriser->remembered(7, "pull", "a/b").has_value());
    }
}

TEST(WebhookAuthoriser, is_open_or_closed_as_configured_while_the_service_is_silent)
{
    FakeClock clock;
    TestPeer silent{[](int, TestPeer::Link& link) { link.wait_for_the_end(); }};
    EXPECT_FALSE(run_to_end(ask_at(silent.url(), clock, true)->ask(pull_by("eve"))));
    EXPECT_TRUE(run_to_end(ask_at(silent.url(), clock, false)->ask(pull_by("eve"))));
}

TEST(WebhookAuthoriser, leaves_a_dead_service_alone_for_a_second)
{
    FakeClock clock;
    TestPeer closing{[](int, TestPeer::Link&) {}};
    const auto authoriser = ask_at(closing.url(), clock);
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(run_to_end(authoriser->ask(pull_by("eve"))));
    EXPECT_EQ(authoriser->asked(), 3U);
    clock.advance(2s);
    EXPECT_FALSE(run_to_end(authoriser->ask(pull_by("eve"))));
    EXPECT_EQ(authoriser->asked(), 4U);
}

}  // namespace
}  // namespace entrepot
