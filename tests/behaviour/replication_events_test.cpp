// What events set off, and what replicated deletions remove.
#include "tests/behaviour/replicating.hpp"

namespace entrepot {
namespace {

// Tasks that remove, of a policy that does.
class Removing : public Replicating {
protected:
    Removing()
    {
        catalog.policy.replicates_deletion = true;
        task = {.policy_id = 3, .source_id = 0, .target_id = 7};
        task.source_repository = task.target_repository = "shop/web";
        task.references = {"1"};
        task.removal = true;
        catalog.rows[{"shop/web", "1"}] = {.policy_id = 3, .repository = "shop/web", .reference = "1", .removal = true};
    }
    Result<JobEnd> remove()
    {
        TestRun removing{20, task.json()};
        auto end = run(copier.run(removing));
        EXPECT_TRUE(end) << end.error().message();
        lines = removing.lines;
        return end;
    }
    void expect_it_stays(std::string_view because)
    {
        const auto end = remove();
        EXPECT_EQ(ReplicationTally::parse(end->result).copied, 0);
        EXPECT_TRUE(run(there.look(name("shop/web"), tagged("1"))));
        EXPECT_TRUE(logged(because)) << lines.back();
        EXPECT_TRUE(catalog.rows.empty()) << "nothing is to be done about it";
    }

    ReplicationTask task;
};

TEST_F(Removing, deletions_are_repeated_unless_it_has_come_back)
{
    const auto one = image(there, "shop/web", "one", "1");
    image(there, "shop/web", "one", "2");
    image(here, "shop/web", "two", "2");
    task.references = {"1", "2", "3"};
    task.digest = one.digest.text();
    const auto end = remove();
    EXPECT_EQ(end->kind, JobEnd::Kind::done);
    EXPECT_EQ(ReplicationTally::parse(end->result).copied, 1);
    EXPECT_EQ(ReplicationTally::parse(end->result).skipped, 2);
    EXPECT_FALSE(run(there.look(name("shop/web"), tagged("1"))));
    EXPECT_TRUE(run(there.look(name("shop/web"), tagged("2"))));
    EXPECT_TRUE(catalog.rows.empty());
}

TEST_F(Removing, what_the_target_has_of_its_own_stays)
{
    image(there, "shop/web", "its own", "1");
    catalog.policy.overrides = false;
    task.digest = digest_of("what was deleted").text();
    expect_it_stays("holds something else: stays");
}

TEST_F(Removing, a_tag_that_another_source_maps_to_stays)
{
    image(there, "shop/web", "of team b", "1");
    task.source_repository = "shop/team-a/web";
    catalog.rows.clear();
    task.digest = digest_of("of team a").text();
    expect_it_stays("holds something else: stays");
}

TEST_F(Removing, what_is_pushed_at_the_target_between_two_attempts_stays)
{
    const auto old = image(there, "shop/web", "one", "1");
    task.digest = old.digest.text();
    TroubledSite link{there};
    upstreams.lead_to(link);
    bool first = true;
    link.before = [&](const std::string& method) -> std::optional<Error> {
        if (method != "remove" || !std::exchange(first, false)) return std::nullopt;
        image(there, "shop/web", "pushed meanwhile", "1");
        return Error{Errc::connection_lost, "the connection broke"};
    };
    expect_it_stays("holds something else: stays");
    EXPECT_FALSE(first);
}

TEST_F(Removing, a_task_of_an_older_version_removes_nothing)
{
    image(there, "shop/web", "one", "1");
    expect_it_stays("does not say which content was deleted");
    const auto old = ReplicationTask::parse(
        R"({"policy_id":3,"source_repository":"a/b","target_repository":"a/b","references":["1"],"removal":true})"
    );
    ASSERT_TRUE(old);
    EXPECT_EQ(old->digest, "");
    EXPECT_EQ(old->source_id, ReplicationTask::unknown_end);
}

TEST_F(Removing, only_what_the_policy_still_removes)
{
    const auto old = image(there, "shop/web", "one", "1");
    task.digest = old.digest.text();
    const auto row = *catalog.rows.begin();
    const auto expect_refused = [&](std::string_view why) {
        catalog.rows.insert(row);
        expect_it_stays(why);
        EXPECT_EQ(remove()->kind, JobEnd::Kind::failed);
    };
    catalog.policy.enabled = false;
    expect_refused("the policy removes nothing any more");
    catalog.policy.enabled = true;
    catalog.policy.replicates_deletion = false;
    expect_refused("the policy removes nothing any more");
    catalog.policy.replicates_deletion = true;
    catalog.policy.target_id = 8;
    expect_refused("the policy leads elsewhere now");
    catalog.policy.target_id = 7;
    EXPECT_EQ(remove()->kind, JobEnd::Kind::done);
    EXPECT_FALSE(run(there.look(name("shop/web"), tagged("1"))));
}

class Dispatching : public testing::Test {
protected:
    Dispatching()
    {
        policy.id = 3;
        policy.target_id = 7;
        policy.trigger.type = "event_based";
    }
    static Event pushed(std::string details, std::string_view type = event_type::artifact_pushed)
    {
        Event event;
        event.type = type;
        event.repository = "shop/web";
        event.digest = digest_of("x").text();
        event.at = 1'000;
        event.details = std::move(details);
        return event;
    }
    std::vector<std::string> asked(const Event& event) const
    {
        const auto change = ReplicationDispatch::change_in(event);
        if (!change) return {};
        const auto concern = ReplicationDispatch::concern_of(policy, event, *change);
        return concern ? concern->references : std::vector<std::string>{};
    }

    ReplicationPolicy policy;
    using Texts = std::vector<std::string>;
};

TEST_F(Dispatching, pushes_copies_and_tags_are_of_concern)
{
    EXPECT_EQ(asked(pushed(R"({"change":"added","tags":[{"name":"1"},{"name":"2"}]})")), (Texts{"1", "2"}));
    EXPECT_EQ(asked(pushed(R"({"change":"added","tags":[{"name":"1"}]})", event_type::artifact_copied)), Texts{"1"});
    EXPECT_EQ(asked(pushed(R"({"change":"repeated","tags":[]})")), Texts{}) << "what was there";
    EXPECT_EQ(asked(pushed(R"({"change":"added","tags":[]})")), Texts{}) << "a child goes along with its index";
    EXPECT_EQ(asked(pushed(R"({"change":"added","tags":[],"subject":"sha256:ab"})")), Texts{digest_of("x").text()});
    auto tag = pushed("{}", event_type::tag_created);
    tag.tag = "9";
    EXPECT_EQ(asked(tag), Texts{"9"});
    EXPECT_EQ(asked(pushed("{}", event_type::artifact_pulled)), Texts{});
    policy.filters = {{.type = "tag", .values = {"2*"}}};
    EXPECT_EQ(asked(pushed(R"({"tags":[{"name":"1"},{"name":"2"}]})")), Texts{"2"});
    policy.filters = {{.type = "name", .values = {"other/**"}}};
    EXPECT_EQ(asked(pushed(R"({"tags":[{"name":"2"}]})")), Texts{});
}

TEST_F(Dispatching, deletions_are_where_the_policy_says_so)
{
    auto gone = pushed("{}", event_type::tag_deleted);
    gone.tag = "1";
    EXPECT_EQ(asked(gone), Texts{});
    policy.replicates_deletion = true;
    EXPECT_EQ(asked(gone), Texts{"1"});
    EXPECT_EQ(asked(pushed(R"({"tags":["1","2"]})", event_type::artifact_deleted)), (Texts{"1", "2"}));
    EXPECT_EQ(ReplicationDispatch::change_in(gone)->digest, digest_of("x").text()) << "that is what goes, no other";
}

TEST_F(Dispatching, a_tenants_policy_hears_of_its_tenant_alone)
{
    auto event = pushed(R"({"change":"added","tags":[{"name":"1"}]})");
    event.tenant_id = 5;
    policy.tenant_id = 4;
    EXPECT_EQ(asked(event), Texts{});
    policy.tenant_id = 5;
    EXPECT_EQ(asked(event), Texts{"1"});
    policy.tenant_id = 0;
    EXPECT_EQ(asked(event), Texts{"1"}) << "the platform's";
}

TEST_F(Dispatching, what_came_from_a_registry_does_not_go_back_there)
{
    EXPECT_EQ(asked(pushed(R"({"tags":[{"name":"1"}],"replicated_from":7})")), Texts{});
    EXPECT_EQ(asked(pushed(R"({"tags":[{"name":"1"}],"replicated_from":8})")), Texts{"1"}) << "but on to others";
    policy.created_at = 2'000;
    EXPECT_EQ(asked(pushed(R"({"tags":[{"name":"1"}]})")), Texts{}) << "before there was the policy";
    policy = {};
    policy.id = 4;
    policy.source_id = 7;
    EXPECT_EQ(asked(pushed(R"({"tags":[{"name":"1"}]})")), Texts{}) << "one that pulls";
}

TEST_F(Replicating, an_event_makes_one_task)
{
    image(here, "shop/web", "one", "1");
    Event event;
    event.sequence = 5;
    event.type = event_type::artifact_pushed;
    event.repository = "shop/web";
    event.details = R"({"change":"added","tags":[{"name":"1"}]})";
    event.at = 77;
    const auto change = ReplicationDispatch::change_in(event);
    ASSERT_TRUE(change);
    TestRun execution{12, change->parameters(3)};
    const auto end = plan(execution);
    ASSERT_TRUE(end) << end.error().message();
    ASSERT_EQ(queue.jobs.size(), 1U);
    EXPECT_EQ(queue.jobs[0].second.trigger, "event");
    EXPECT_EQ(catalog.rows.begin()->second.since, 77);
    EXPECT_EQ(work_off().copied, 1);
    EXPECT_TRUE(there.is_whole(name("shop/web"), tagged("1")));
}

TEST_F(Replicating, an_event_of_a_deletion_removes_what_was_deleted)
{
    const auto old = image(there, "shop/web", "one", "1");
    catalog.policy.replicates_deletion = true;
    Event event;
    event.type = event_type::tag_deleted;
    event.repository = "shop/web";
    event.tag = "1";
    event.digest = old.digest.text();
    TestRun execution{12, ReplicationDispatch::change_in(event)->parameters(3)};
    ASSERT_TRUE(plan(execution));
    ASSERT_EQ(queue.jobs.size(), 1U);
    EXPECT_EQ(ReplicationTask::parse(queue.jobs[0].second.parameters)->digest, old.digest.text());
    EXPECT_EQ(work_off().copied, 1);
    EXPECT_FALSE(run(there.look(name("shop/web"), tagged("1"))));
    EXPECT_TRUE(catalog.rows.empty());
}

}  // namespace
}  // namespace entrepot
