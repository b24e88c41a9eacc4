// Webhooks from event to receiver: a real SQLite store, the job queue's runner, and receivers on real sockets.
#include "client/test_peer.hpp"
#include "core/run_to_end.hpp"
#include "drivers/outbound/outbound_client.hpp"
#include "events/webhooks/webhook_delivery.hpp"
#include "events/webhooks/webhook_dispatch.hpp"
#include "events/webhooks/webhooks.hpp"
#include "tests/support/open_store.hpp"
#include "upkeep/jobs/job_runner.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

template <class T>
T value_of(Result<T> result)
{
    if (!result) throw std::runtime_error{result.error().message() + " " + result.error().detail()};
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}

bool eventually(const std::function<bool()>& condition)
{
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(2ms);
    }
    return true;
}

// Seals by writing backwards.
class ReversingBox final : public SecretBox {
public:
    std::string seal(std::string_view secret, std::string_view) override { return {secret.rbegin(), secret.rend()}; }
    Result<std::string> open(std::string_view sealed, std::string_view) const override
    {
        return std::string{sealed.rbegin(), sealed.rend()};
    }
};

// Every request that came, answered by a script.
class Receiver {
public:
    using Answer = std::function<std::string(int number)>;
    explicit Receiver(Answer answer)
        : peer_{[this, answer = std::move(answer)](int, TestPeer::Link& link) {
              auto request = link.request();
              if (request.empty()) return;
              int number = 0;
              {
                  const std::scoped_lock lock{mutex_};
                  requests_.push_back(std::move(request));
                  number = static_cast<int>(requests_.size());
              }
              link.say(answer(number));
          }}
    {
    }
    std::string url() const { return peer_.url("/hook"); }
    std::vector<std::string> requests() const
    {
        const std::scoped_lock lock{mutex_};
        return requests_;
    }
    bool got(std::size_t count) const
    {
        return eventually([&] { return requests().size() >= count; });
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::string> requests_;
    TestPeer peer_;
};

std::string status(const char* line)
{
    return std::string{"HTTP/1.1 "} + line + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
}
Receiver::Answer always(const char* line)
{
    return [line](int) { return status(line); };
}

class WebhooksTest : public testing::Test {
protected:
    WebhooksTest()
    {
        runner_options.first_retry = 1'000;
        runner_options.longest_retry = 2'000;
        runner_options.workers = 32;
        runner_options.alone = true;
        delivery_options.pause = 200'000;
        delivery_options.crowd_wait = 20'000;
        delivery_options.registry = "registry.example";
        project_id = value_of(run_to_end(store().projects().create({.name = *ProjectName::parse("shop")}, {0, 1}))).id;
    }
    ~WebhooksTest() override
    {
        if (runner) runner->stop();
    }

    MetadataStore& store() { return *open_store; }
    void start()
    {
        delivery.emplace(
            WebhookDelivery::Parts{
                store().webhooks(), store().repositories(), *outbound, secrets, policy, clock, random
            },
            delivery_options
        );
        runner = std::make_unique<JobRunner>(store().job_store(), clock, random, runner_options);
        runner->handle(Webhooks::job_kind, *delivery);
        runner->start();
    }
    std::int64_t make_policy(const std::string& address, std::string name = "hook")
    {
        WebhookPolicy wanted;
        wanted.project_id = project_id;
        wanted.name = std::move(name);
        wanted.event_types = {"QUOTA_EXCEED"};
        WebhookTarget target;
        target.type = "http";
        target.address = address;
        target.format = "Default";
        target.auth_header = "x reraeB";
        target.secret = "terces";
        wanted.targets.push_back(target);
        return value_of(run_to_end(store().webhooks().create(wanted, {0, clock.now()}))).id;
    }
    // Something happens, and is handed over.
    void happen(int count = 1)
    {
        std::vector<Event> events(static_cast<std::size_t>(count));
        for (auto& event : events) {
            event.type = event_type::quota_exceeded;
            event.project_id = project_id;
            event.at = clock.now();
        }
        value_of(run_to_end(store().events().add(std::move(events))));
        value_of(run_to_end(tail.follow()));
        value_of(run_to_end(dispatch.run()));
    }
    std::vector<Job> jobs(std::int64_t policy_id)
    {
        ListQuery query;
        query.conditions.push_back({"subject_id", ListCondition::Kind::equal, {std::to_string(policy_id)}});
        query.limit = 100;
        return value_of(run_to_end(store().jobs().list(query))).items;
    }
    bool all_become(std::int64_t policy_id, JobState state)
    {
        return eventually([&] {
            const auto all = jobs(policy_id);
            return !all.empty() && std::ranges::all_of(all, [&](const Job& job) { return job.state == state; });
        });
    }
    std::string log_of(std::int64_t job_id)
    {
        std::string text;
        for (const auto& line : value_of(run_to_end(store().jobs().log(job_id)))) text += line.text + "\n";
        return text;
    }
    WebhookCircuit circuit(std::int64_t policy_id)
    {
        return value_of(run_to_end(store().webhooks().find(policy_id))).targets.at(0).circuit;
    }

    SystemClock clock;
    SystemRandom random;
    OpenStore open_store{clock};
    AccessPolicy policy{ProjectCreation::nobody, clock};
    ReversingBox secrets;
    std::unique_ptr<OutboundClient> outbound =
        value_of(OutboundClient::create(OutboundRules::parse({"127.0.0.0/8"}).value()));
    EventTail tail{store().events()};
    WebhookDispatch dispatch{{store().events(), tail, store().webhooks(), clock}};
    WebhookDeliveryOptions delivery_options;
    JobRunnerOptions runner_options;
    std::optional<WebhookDelivery> delivery;
    std::unique_ptr<JobRunner> runner;
    std::int64_t project_id = 0;
};

TEST_F(WebhooksTest, an_event_is_delivered_once_signed_and_with_its_header)
{
    Receiver receiver{always("200 OK")};
    happen();
    const auto id = make_policy(receiver.url());
    start();
    happen();
    ASSERT_TRUE(receiver.got(1));
    EXPECT_TRUE(all_become(id, JobState::succeeded));
    happen(0);
    ASSERT_EQ(receiver.requests().size(), 1U) << "what happened before the policy was made is not for it";
    const auto request = receiver.requests().front();
    EXPECT_NE(request.find("Authorization: Bearer x\r\n"), std::string::npos) << request;
    EXPECT_NE(request.find("Entrepot-Event: QUOTA_EXCEED\r\n"), std::string::npos) << request;
    const auto body = request.substr(request.find("\r\n\r\n") + 4);
    const auto signature = request.substr(request.find("Entrepot-Signature: ") + 20);
    const auto time = std::stoll(signature.substr(2));
    EXPECT_TRUE(signature.starts_with(webhook_signature("secret", body, time * 1'000'000) + "\r\n")) << request;
    const auto last = value_of(run_to_end(store().webhooks().last_triggers(project_id)));
    ASSERT_EQ(last.size(), 1U);
    EXPECT_EQ(last.front().event_type, "QUOTA_EXCEED");
}

TEST_F(WebhooksTest, a_receiver_that_fails_is_tried_again)
{
    Receiver receiver{[](int number) { return status(number < 3 ? "500 Oops" : "204 No Content"); }};
    const auto id = make_policy(receiver.url());
    start();
    happen();
    ASSERT_TRUE(all_become(id, JobState::succeeded));
    EXPECT_EQ(receiver.requests().size(), 3U);
    EXPECT_EQ(circuit(id).failures, 0) << "a success closes it";
    const auto log = log_of(jobs(id).front().id);
    EXPECT_NE(log.find("failed: HTTP 500"), std::string::npos) << log;
    EXPECT_NE(log.find("delivered: HTTP 204"), std::string::npos) << log;
}

TEST_F(WebhooksTest, redirects_are_not_followed_and_say_so)
{
    Receiver elsewhere{always("200 OK")};
    Receiver receiver{[&](int number) {
        if (number % 2 == 0) return status(("307 Go\r\nLocation: " + elsewhere.url()).c_str());
        return status(("302 Go\r\nLocation: " + elsewhere.url()).c_str());
    }};
    delivery_options.most_failures = 100;
    const auto id = make_policy(receiver.url());
    start();
    happen();
    ASSERT_TRUE(all_become(id, JobState::failed)) << "a dead letter after its tries";
    EXPECT_EQ(receiver.requests().size(), 8U);
    EXPECT_EQ(elsewhere.requests().size(), 0U);
    const auto log = log_of(jobs(id).front().id);
    EXPECT_NE(log.find("a redirect, which is not followed"), std::string::npos) << log;
    EXPECT_NE(log.find("redirects, which is not followed"), std::string::npos) << log;
}

TEST_F(WebhooksTest, an_endless_answer_is_cut_and_counts_by_its_status)
{
    TestPeer endless{[](int, TestPeer::Link& link) {
        link.request();
        link.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        const std::string chunk = "4000\r\n" + std::string(16'384, 'x') + "\r\n";
        for (int i = 0; i < 2'000; ++i) link.say(chunk);
    }};
    const auto id = make_policy(endless.url());
    start();
    happen();
    EXPECT_TRUE(all_become(id, JobState::succeeded));
}

TEST_F(WebhooksTest, a_receiver_that_hangs_holds_up_nobody_else)
{
    TestPeer hanging{[](int, TestPeer::Link& link) { link.wait_for_the_end(); }};
    Receiver receiver{always("200 OK")};
    delivery_options.most_at_once = 2;
    const auto stuck = make_policy(hanging.url(), "stuck");
    const auto good = make_policy(receiver.url(), "good");
    start();
    happen(20);
    ASSERT_TRUE(receiver.got(20));
    EXPECT_TRUE(all_become(good, JobState::succeeded));
    EXPECT_LE(hanging.connections(), 2) << "no more than these are under way";
    const auto waiting = jobs(stuck);
    EXPECT_TRUE(std::ranges::none_of(waiting, [](const Job& job) { return job.state == JobState::failed; }));
}

TEST_F(WebhooksTest, a_target_that_keeps_failing_is_left_alone_and_tried_by_one)
{
    std::atomic<bool> well = false;
    Receiver receiver{[&](int) { return status(well ? "200 OK" : "503 Away"); }};
    delivery_options.most_failures = 3;
    delivery_options.most_at_once = 1;
    const auto id = make_policy(receiver.url());
    start();
    happen(10);
    ASSERT_TRUE(eventually([&] { return circuit(id).open_until > 0; }));
    const auto asked = receiver.requests().size();
    EXPECT_LE(asked, 4U) << "not by each of ten deliveries";
    EXPECT_EQ(circuit(id).last_error, "HTTP 503");
    well = true;
    ASSERT_TRUE(all_become(id, JobState::succeeded));
    EXPECT_EQ(circuit(id).failures, 0);
}

TEST_F(WebhooksTest, where_requests_may_not_go_none_goes)
{
    Receiver receiver{always("200 OK")};
    outbound = value_of(OutboundClient::create(OutboundRules::parse({}).value()));
    delivery_options.most_failures = 100;
    const auto id = make_policy(receiver.url());
    start();
    happen();
    ASSERT_TRUE(all_become(id, JobState::failed));
    EXPECT_EQ(receiver.requests().size(), 0U);
    EXPECT_NE(jobs(id).front().result.find("where requests may not go"), std::string::npos) << jobs(id).front().result;
}

TEST_F(WebhooksTest, of_several_dispatchers_each_event_is_handed_over_by_one)
{
    const auto id = make_policy("http://127.0.0.1:9/");
    EventTail other_tail{store().events()};
    WebhookDispatch other{{store().events(), other_tail, store().webhooks(), clock}};
    value_of(run_to_end(other_tail.follow()));
    value_of(run_to_end(other.run()));
    std::vector<std::thread> threads;
    std::atomic<bool> ended = false;
    threads.emplace_back([&] {
        while (!ended) {
            value_of(run_to_end(other_tail.follow()));
            value_of(run_to_end(other.run()));
        }
    });
    for (int i = 0; i < 50; ++i) happen();
    ended = true;
    threads.front().join();
    EXPECT_EQ(jobs(id).size(), 50U);
}

TEST_F(WebhooksTest, deliveries_of_a_policy_that_went_or_changed_are_dropped)
{
    Receiver receiver{always("200 OK")};
    const auto gone = make_policy(receiver.url(), "gone");
    const auto moved = make_policy(receiver.url(), "moved");
    happen();
    value_of(run_to_end(store().webhooks().remove(gone, {0, 1})));
    auto changed = value_of(run_to_end(store().webhooks().find(moved)));
    changed.targets.front().address = "http://192.0.2.1/";
    value_of(run_to_end(store().webhooks().change(changed, {0, 1})));
    start();
    EXPECT_TRUE(all_become(gone, JobState::failed));
    EXPECT_TRUE(all_become(moved, JobState::failed));
    EXPECT_EQ(receiver.requests().size(), 0U);
    EXPECT_EQ(delivery->counters().dropped, 2U);
}

}  // namespace
}  // namespace entrepot
