// Registries elsewhere and replication policies as people manage them: a real SQLite store, everybody's rights, and
// registries that only say whether they are there.
#include "exchange/endpoints.hpp"
#include "exchange/replication_job.hpp"
#include "exchange/replications.hpp"
#include "tests/support/fake_upstreams.hpp"
#include "tests/support/tenancy_fixture.hpp"
#include "upkeep/jobs/schedules.hpp"

#include <functional>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

class ReversingBox final : public SecretBox {
public:
    std::string seal(std::string_view secret, std::string_view) override { return {secret.rbegin(), secret.rend()}; }
    Result<std::string> open(std::string_view sealed, std::string_view) const override
    {
        return std::string{sealed.rbegin(), sealed.rend()};
    }
};

// Knows which addresses are closed, and sends nothing.
class Gatekeeper final : public OutboundHttp {
public:
    Task<> check(std::string url) override
    {
        if (url.starts_with("https://internal")) co_return fail(Errc::bad_request, "outbound.allow doesn't list it");
        co_return Result<>{};
    }
    Task<OutboundAnswer> post(OutboundPost /*request*/) override { co_return fail(Errc::unsupported, "nothing"); }
};

class ExchangeTest : public TenancyFixture {
protected:
    static EndpointInput input(std::string name = "there", std::string url = "https://there.example")
    {
        EndpointInput wanted;
        wanted.name = std::move(name);
        wanted.type = "docker-registry";
        wanted.url = std::move(url);
        wanted.credential_type = "basic";
        wanted.access_key = "robot";
        wanted.access_secret = "secret";
        return wanted;
    }
    RegistryEndpoint made(std::string name = "there")
    {
        auto endpoint = run(endpoints.create(root, input(std::move(name))));
        EXPECT_TRUE(endpoint) << (endpoint ? "" : endpoint.error().message());
        return endpoint.value_or(RegistryEndpoint{});
    }
    ReplicationPolicy policy_to(std::int64_t endpoint, std::string name = "release")
    {
        ReplicationPolicy wanted;
        wanted.name = std::move(name);
        wanted.target_id = endpoint;
        wanted.filters = {{"name", {"shop/**"}}};
        return wanted;
    }
    std::string refusal(const std::function<void(ReplicationPolicy&)>& change)
    {
        auto wanted = policy_to(target);
        change(wanted);
        const auto made = run(replications.create(root, wanted));
        if (made) return "it was made";
        EXPECT_EQ(made.error().code(), Errc::bad_request) << made.error().message();
        return made.error().message();
    }

    ReversingBox box;
    Gatekeeper outbound;
    FakeUpstreams upstreams{store.endpoints()};
    Schedules schedules{store.schedules(), store.jobs(), clock};
    Endpoints endpoints{
        {.catalog = store.endpoints(),
         .upstreams = upstreams,
         .outbound = outbound,
         .secrets = box,
         .policy = policy,
         .clock = clock}
    };
    Replications replications{
        {.catalog = store.replications(),
         .endpoints = store.endpoints(),
         .jobs = store.jobs(),
         .queue = store.job_queue(),
         .timetable = schedules,
         .policy = policy,
         .clock = clock}
    };
    std::int64_t target = 0;
};

TEST_F(ExchangeTest, an_endpoint_is_looked_at_as_it_is_made_and_its_secret_is_sealed)
{
    const auto first = made();
    EXPECT_EQ(first.status, "healthy");
    EXPECT_EQ(run(store.endpoints().find(first.id))->access_secret, "terces");
    upstreams.breaks("https://dead.example", Error{Errc::unavailable, "connection refused"});
    const auto dead = run(endpoints.create(root, input("dead", "https://dead.example/")));
    ASSERT_TRUE(dead) << "it may come up later";
    EXPECT_EQ(dead->status, "unhealthy");
    EXPECT_EQ(dead->status_detail, "connection refused");
    EXPECT_EQ(dead->url, "https://dead.example");
    EXPECT_REFUSED(Errc::bad_request, run(endpoints.create(root, input("in", "https://internal.example"))));
    EXPECT_REFUSED(Errc::conflict, run(endpoints.create(root, input())));
}

TEST_F(ExchangeTest, what_can_not_be_an_endpoint_is_refused_by_name)
{
    const auto refused = [&](const std::function<void(EndpointInput&)>& change) {
        auto wanted = input();
        change(wanted);
        const auto answer = run(endpoints.create(root, wanted));
        EXPECT_FALSE(answer);
        EXPECT_EQ(answer ? Errc::internal : answer.error().code(), Errc::bad_request);
        return answer ? std::string{} : std::string{answer.error().message()};
    };
    EXPECT_NE(refused([](auto& one) { one.name = ""; }).find("name"), std::string::npos);
    EXPECT_NE(refused([](auto& one) { one.type = "ftp"; }).find("type"), std::string::npos);
    EXPECT_NE(refused([](auto& one) { one.url = "there.example"; }).find("url"), std::string::npos);
    EXPECT_NE(
        refused([](auto& one) { one.url = "https://me:pw@there.example"; }).find("credential"), std::string::npos
    );
    EXPECT_NE(refused([](auto& one) { one.credential_type = "magic"; }).find("credential"), std::string::npos);
    EXPECT_NE(refused([](auto& one) { one.certificate_pin = "sha256:12"; }).find("certificate_pin"), std::string::npos);
    EXPECT_NE(refused([](auto& one) { one.ca_certificate = "x"; }).find("ca_certificate"), std::string::npos);
    EXPECT_NE(refused([](auto& one) { one.bytes_per_second = -1; }).find("bytes_per_second"), std::string::npos);
    EXPECT_NE(
        refused([](auto& one) { one.requests_at_once = std::int64_t{1} << 32; }).find("requests_at_once"),
        std::string::npos
    ) << "what is too long for a field doesn't turn into something else";
    EXPECT_EQ(run(store.endpoints().list({}))->total, 0);
}

TEST_F(ExchangeTest, a_secret_does_not_follow_to_another_host)
{
    const auto id = made().id;
    EndpointInput elsewhere;
    elsewhere.url = "https://thief.example";
    EXPECT_REFUSED(Errc::bad_request, run(endpoints.change(root, id, elsewhere)));
    elsewhere.access_secret = "*****";
    EXPECT_REFUSED(Errc::bad_request, run(endpoints.change(root, id, elsewhere)));
    EXPECT_REFUSED(Errc::bad_request, run(endpoints.ping(root, id, elsewhere)));
    EndpointInput token_host;
    token_host.token_host = "thief.example";
    EXPECT_REFUSED(Errc::bad_request, run(endpoints.change(root, id, token_host)));
    for (const auto& one : upstreams.opened()) EXPECT_NE(one.url, "https://thief.example");
    EndpointInput path;
    path.url = "https://There.example/mirror";
    path.access_secret = "*****";
    EXPECT_DONE(run(endpoints.change(root, id, path)));
    EXPECT_EQ(run(store.endpoints().find(id))->access_secret, "terces");
    elsewhere.access_secret = "other";
    EXPECT_DONE(run(endpoints.change(root, id, elsewhere)));
    EndpointInput nobody;
    nobody.access_secret = "";
    EXPECT_DONE(run(endpoints.change(root, id, nobody)));
    EXPECT_EQ(run(store.endpoints().find(id))->access_secret, "");
}

TEST_F(ExchangeTest, a_tenants_admin_has_endpoints_of_the_tenant_and_knows_no_others)
{
    const auto ada = person("ada");
    const auto acme = tenant_with_admin("acme", ada);
    const auto globex = tenant_with_admin("globex", person("gus"));
    const auto of_platform = made("platform").id;
    auto wanted = input("own");
    EXPECT_REFUSED(Errc::denied, run(endpoints.create(ada, wanted)));
    wanted.tenant_id = globex;
    EXPECT_REFUSED(Errc::denied, run(endpoints.create(ada, wanted)));
    wanted.tenant_id = acme;
    const auto own = run(endpoints.create(ada, wanted));
    ASSERT_TRUE(own) << own.error().message();
    EXPECT_EQ(own->tenant_id, acme);
    EXPECT_DONE(run(endpoints.find(ada, own->id)));
    EXPECT_REFUSED(Errc::not_found, run(endpoints.find(ada, of_platform)));
    EXPECT_REFUSED(Errc::not_found, run(endpoints.remove(ada, of_platform)));
    EXPECT_EQ(run(endpoints.list(ada, {}))->total, 1);
    EXPECT_EQ(run(endpoints.list(root, {}))->total, 2);
    EXPECT_DONE(endpoints.adapters(ada));
    const auto nobody = person("nobody");
    EXPECT_REFUSED(Errc::denied, run(endpoints.list(nobody, {})));
    EXPECT_REFUSED(Errc::denied, run(endpoints.find(nobody, own->id)));
    EXPECT_REFUSED(Errc::denied, run(endpoints.find(nobody, 4711)));
    EXPECT_REFUSED(Errc::denied, endpoints.adapters(nobody));
    EXPECT_REFUSED(Errc::denied, run(replications.create(ada, policy_to(own->id))));
    EXPECT_DONE(run(endpoints.remove(ada, own->id)));
}

TEST_F(ExchangeTest, endpoints_are_looked_at_again_and_again)
{
    const auto id = made().id;
    upstreams.breaks("https://there.example", Error{Errc::denied, "401"});
    EXPECT_DONE(run(endpoints.look_at_due()));
    EXPECT_EQ(run(store.endpoints().find(id))->status, "healthy") << "it was looked at just now";
    clock.advance(6min);
    EXPECT_DONE(run(endpoints.look_at_due()));
    EXPECT_EQ(run(store.endpoints().find(id))->status, "unhealthy");
    EXPECT_REFUSED(Errc::bad_request, run(endpoints.ping(root, id, {})));
    upstreams.works("https://there.example");
    EXPECT_DONE(run(endpoints.ping(root, id, {})));
    const auto history = run(endpoints.health(root, id)).value();
    ASSERT_EQ(history.size(), 3U);
    EXPECT_EQ(history[1].detail, "401");
}

TEST_F(ExchangeTest, what_can_not_be_a_policy_is_refused_by_name)
{
    target = made().id;
    using Policy = ReplicationPolicy;
    const auto says = [&](const std::function<void(Policy&)>& change, std::string_view part) {
        const auto said = refusal(change);
        EXPECT_NE(said.find(part), std::string::npos) << said;
    };
    says([](Policy& one) { one.name = "Release"; }, "name");
    says([](Policy& one) { one.name = "a--b"; }, "name");
    says([&](Policy& one) { one.source_id = target; }, "exactly one");
    says([](Policy& one) { one.target_id = 0; }, "exactly one");
    says([](Policy& one) { one.replaced_levels = 4; }, "replace_count");
    says([](Policy& one) { one.namespace_there = "Mirror/"; }, "dest_namespace");
    says([](Policy& one) { one.filters = {{"size", {"1"}}}; }, "type of filters");
    says([](Policy& one) { one.filters = {{"name", {"shop/[a"}}}; }, "");
    says([](Policy& one) { one.filters = {{"resource", {"chart"}}}; }, "image or artifact");
    says([](Policy& one) { one.filters = {{"tag", {"a", "b"}}}; }, "one value");
    says([](Policy& one) { one.filters = {{"tag", {"a"}}, {"tag", {"b"}}}; }, "two filters");
    says([](Policy& one) { one.trigger = {"hourly", ""}; }, "trigger");
    says([](Policy& one) { one.trigger = {"scheduled", ""}; }, "cron");
    says([](Policy& one) { one.trigger = {"scheduled", "0 99 * * * *"}; }, "");
    says([](Policy& one) { one.trigger = {"manual", "0 0 2 * * *"}; }, "cron");
    says([](Policy& one) { one.platforms = {"linux"}; }, "platform");
    says([](Policy& one) { one.platforms = {"linux/amd64", "linux/amd64"}; }, "twice");
    says([](Policy& one) { one.version_range = "new"; }, "");
    says([](Policy& one) { one.priority = 10; }, "priority");
    says([](Policy& one) { one.window = {0, 1440}; }, "window");
    says([](Policy& one) { one.kilobytes_per_second = -2; }, "speed");
    says([](Policy& one) { one.bytes_per_second = -1; }, "bytes_per_second");
    says(
        [](Policy& one) {
            std::swap(one.source_id, one.target_id);
            one.trigger = {"event_based", ""};
        },
        "events"
    );
    const auto deletes_all = [](Policy& one) {
        one.replicates_deletion = true;
        one.filters = {{"name", {"**"}}, {"tag", {"dev*"}, true}};
    };
    says(deletes_all, "confirm_all");
    auto meant = policy_to(target);
    deletes_all(meant);
    meant.confirm_all = true;
    EXPECT_DONE(run(replications.create(root, meant)));
    EXPECT_REFUSED(Errc::not_found, run(replications.create(root, policy_to(target + 99))));
}

TEST_F(ExchangeTest, a_scheduled_policy_has_a_schedule_as_long_as_it_is_one)
{
    auto wanted = policy_to(made().id);
    wanted.trigger = {"scheduled", "0 0 2 * * *"};
    wanted.priority = 1;
    wanted.single_active = true;
    const auto id = run(replications.create(root, wanted)).value().id;
    const auto schedule = run(store.schedules().find(ReplicationOrder::kind, id)).value();
    EXPECT_EQ(schedule.cron, "0 0 2 * * *");
    EXPECT_EQ(schedule.priority, 1);
    EXPECT_GT(schedule.next_at, clock.now());
    EXPECT_EQ(ReplicationOrder::parse(schedule.parameters)->policy_id, id);
    EXPECT_NE(schedule.unique_key, "");
    auto changed = run(replications.find(root, id)).value();
    changed.enabled = false;
    EXPECT_DONE(run(replications.change(root, changed)));
    EXPECT_REFUSED(Errc::not_found, run(store.schedules().find(ReplicationOrder::kind, id)));
    changed.enabled = true;
    EXPECT_DONE(run(replications.change(root, changed)));
    EXPECT_DONE(run(replications.remove(root, id)));
    EXPECT_REFUSED(Errc::not_found, run(store.schedules().find(ReplicationOrder::kind, id)));
}

TEST_F(ExchangeTest, an_execution_is_a_job_with_tasks_and_can_be_stopped)
{
    auto wanted = policy_to(made().id);
    const auto id = run(replications.create(root, wanted)).value().id;
    const auto first = run(replications.start(root, id)).value();
    const auto second = run(replications.start(root, id)).value();
    EXPECT_NE(first, second) << "they follow one another";
    auto single = run(replications.find(root, id)).value();
    single.single_active = true;
    EXPECT_DONE(run(replications.change(root, single)));
    EXPECT_EQ(run(replications.start(root, id)).value(), second) << "one is under way";
    EXPECT_REFUSED(Errc::precondition_failed, run(replications.remove(root, id)));

    NewJob task{.kind = ReplicationTask::kind, .parent_id = first, .subject_id = id, .parameters = "{}"};
    const auto task_id = run(store.job_queue().add({task})).value().front();
    EXPECT_EQ(run(replications.execution(root, first))->tasks.unfinished, 1);
    EXPECT_TRUE(run(replications.execution(root, first))->unfinished());
    EXPECT_EQ(run(replications.tasks(root, first, {}))->items.at(0).id, task_id);
    EXPECT_DONE(run(replications.log(root, first, task_id)));
    EXPECT_REFUSED(Errc::not_found, run(replications.log(root, second, task_id)));
    EXPECT_REFUSED(Errc::not_found, run(replications.log(root, first, first)));
    EXPECT_REFUSED(Errc::not_found, run(replications.execution(root, task_id)));
    EXPECT_EQ(run(replications.executions(root, id, {}))->total, 2);
    EXPECT_EQ(run(replications.executions(root, id + 99, {}))->total, 0);
    for (const auto one : {first, second, first}) EXPECT_DONE(run(replications.stop(root, one)));
    EXPECT_FALSE(run(replications.execution(root, first))->unfinished());
    EXPECT_EQ(run(replications.execution(root, first))->tasks.stopped, 1);
    single = run(replications.find(root, id)).value();
    single.enabled = false;
    EXPECT_DONE(run(replications.change(root, single)));
    EXPECT_REFUSED(Errc::precondition_failed, run(replications.start(root, id)));
    EXPECT_DONE(run(replications.remove(root, id)));
    const auto nobody = person("nobody");
    EXPECT_REFUSED(Errc::denied, run(replications.start(nobody, id)));
    EXPECT_REFUSED(Errc::denied, run(replications.stop(nobody, first)));
    EXPECT_REFUSED(Errc::denied, run(replications.executions(nobody, std::nullopt, {})));
}

TEST_F(ExchangeTest, orders_tasks_and_tallies_are_read_as_they_are_written)
{
    const ReplicationTask task{4, 0, 9, "shop/a", "mirror/a", {"v1", "v\"2"}, true, "sha256:ab"};
    const auto read = ReplicationTask::parse(task.json()).value();
    EXPECT_EQ(read.policy_id, 4);
    EXPECT_EQ(read.target_repository, "mirror/a");
    EXPECT_EQ(read.references, task.references);
    EXPECT_EQ(read.source_id, 0);
    EXPECT_EQ(read.target_id, 9);
    EXPECT_TRUE(read.removal);
    EXPECT_EQ(read.digest, "sha256:ab");
    EXPECT_FALSE(ReplicationTask::parse("[]"));
    EXPECT_FALSE(ReplicationOrder::parse("{}"));
    const auto tally = ReplicationTally::parse(ReplicationTally{1, 2, 3, 1LL << 40, "late"}.json());
    EXPECT_EQ(tally.skipped, 2);
    EXPECT_EQ(tally.bytes, 1LL << 40);
    EXPECT_EQ(tally.error, "late");
    EXPECT_EQ(ReplicationTally::parse("no room").error, "no room");
}

}  // namespace
}  // namespace entrepot
