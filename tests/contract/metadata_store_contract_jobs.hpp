#pragma once

#include "tests/contract/metadata_store_contract.hpp"
#include "tests/contract/metadata_store_contract_races.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace entrepot::contract {

class JobContract : public MetadataStoreContract {
protected:
    static constexpr Micros lease = 1000;

    static NewJob job(std::string kind = "k", std::int64_t tenant = 1)
    {
        NewJob made;
        made.kind = std::move(kind);
        made.tenant_id = tenant;
        made.actor = {7, 100};
        return made;
    }
    std::vector<std::int64_t> add(std::vector<NewJob> jobs)
    {
        const auto ids = run(store().job_queue().add(std::move(jobs)));
        EXPECT_TRUE(ids) << ids.error().detail();
        return ids.value();
    }
    std::int64_t add(const NewJob& one) { return add(std::vector{one}).front(); }
    std::vector<std::int64_t> add_many(const NewJob& one, std::size_t count)
    {
        return add(std::vector<NewJob>(count, one));
    }

    std::vector<LeasedJob> take(std::int64_t most, Micros now = 200, std::vector<JobWant> wants = {{"k", 1000}})
    {
        return exchange({}, std::move(wants), most, now).leased;
    }
    JobStore::Exchange
    exchange(std::vector<JobOutcome> outcomes, std::vector<JobWant> wants = {}, std::int64_t most = 0, Micros now = 200)
    {
        const auto done =
            run(store().job_store().exchange(worker_, std::move(outcomes), std::move(wants), most, now, now + lease));
        EXPECT_TRUE(done) << done.error().message() << done.error().detail();
        return done.value();
    }
    static std::vector<std::int64_t> ids_of(const std::vector<LeasedJob>& jobs)
    {
        std::vector<std::int64_t> ids;
        for (const auto& one : jobs) ids.push_back(one.lease.id);
        return ids;
    }
    Job find(std::int64_t id) { return run(store().jobs().find(id)).value(); }
    JobLook look(Micros now = 200) { return run(store().job_store().look(worker_, now)).value(); }
    void recover(Micros now, Micros expired_before)
    {
        EXPECT_SUCCEEDS(run(store().job_store().recover(now, expired_before)));
    }

    void introduce(std::vector<std::string> kinds)
    {
        EXPECT_SUCCEEDS(run(store().job_store().introduce({worker_, "host", 12, 8, 100}, std::move(kinds))));
    }

    using Ids = std::vector<std::int64_t>;
    using Kinds = std::vector<std::string>;
    std::string worker_ = "w1";
};

TEST_P(JobContract, a_job_is_leased_run_and_ended_with_what_it_was_given)
{
    NewJob added = job();
    added.parent_id = 3;
    added.subject_id = 4;
    added.project_id = 5;
    added.priority = 2;
    added.trigger = "event";
    added.parameters = R"({"a":1})";
    added.most_attempts = 9;
    const auto id = add(added);
    EXPECT_EQ(look().waiting, Kinds{"k"});
    const auto taken = take(10);
    ASSERT_EQ(ids_of(taken), Ids{id});
    EXPECT_EQ(taken.front().parameters, added.parameters);
    EXPECT_EQ(taken.front().subject_id, 4);
    EXPECT_EQ(taken.front().attempt, 1);
    EXPECT_EQ(taken.front().most_attempts, 9);
    EXPECT_EQ(find(id).state, JobState::running);
    EXPECT_EQ(find(id).worker, "w1");
    EXPECT_TRUE(take(10).empty()) << "it is leased";
    EXPECT_TRUE(look().waiting.empty());

    const auto done =
        exchange({{.lease = taken.front().lease, .result = "{}", .lines = {{5, "one"}, {6, "two"}}}}, {}, 0, 300);
    EXPECT_TRUE(done.refused.empty());
    host().reopen();
    const auto ended = find(id);
    EXPECT_EQ(ended.state, JobState::succeeded);
    EXPECT_EQ(ended.kind, "k");
    EXPECT_EQ(ended.parent_id, 3);
    EXPECT_EQ(ended.project_id, 5);
    EXPECT_EQ(ended.tenant_id, 1);
    EXPECT_EQ(ended.priority, 2);
    EXPECT_EQ(ended.trigger, "event");
    EXPECT_EQ(ended.result, "{}");
    EXPECT_EQ(ended.user_id, 7);
    EXPECT_EQ(ended.created_at, 100);
    EXPECT_EQ(ended.started_at, 200);
    EXPECT_EQ(ended.ended_at, 300);
    EXPECT_EQ(ended.worker, "");
    const auto lines = run(store().jobs().log(id)).value();
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0].number, 1);
    EXPECT_EQ(lines[1].text, "two");
    EXPECT_EQ(lines[1].at, 6);
}

TEST_P(JobContract, a_tenant_with_many_jobs_does_not_hold_up_one_with_few)
{
    const auto many = add_many(job("k", 1), 500);
    const auto first = take(100);
    EXPECT_EQ(ids_of(first), Ids(many.begin(), many.begin() + 100)) << "in the order in which they were added";
    const auto late = add(job("k", 2));
    const auto later = add(job("k", 2));
    const auto next = ids_of(take(4));
    EXPECT_EQ(next, (Ids{many[100], late, many[101], later})) << "turn about";
    // What somebody used while nobody else was there is not held against them.
    ASSERT_EQ(take(1000).size(), 398U);
    const auto fresh = add_many(job("k", 3), 50);
    const auto again = add(job("k", 1));
    const auto taken = ids_of(take(3));
    EXPECT_NE(std::ranges::find(taken, again), taken.end());
}

TEST_P(JobContract, a_lower_priority_number_goes_first_also_among_kinds)
{
    NewJob urgent = job("b", 1);
    urgent.priority = 0;
    const auto normal = add(job("a"));
    const auto first = add(urgent);
    const auto other = add(job("c"));
    EXPECT_EQ(ids_of(take(2, 200, {{"a", 9}, {"b", 9}})), (Ids{first, normal}));
    EXPECT_EQ(look().waiting, Kinds{"c"});
    EXPECT_EQ(ids_of(take(2, 200, {{"a", 9}, {"b", 9}, {"c", 9}})), Ids{other});
}

TEST_P(JobContract, no_more_is_leased_of_a_kind_or_in_all_than_there_is_room_for)
{
    add_many(job("a"), 10);
    add_many(job("b"), 10);
    const auto taken = take(5, 200, {{"a", 2}, {"b", 10}});
    EXPECT_EQ(taken.size(), 5U);
    EXPECT_EQ(std::ranges::count(taken, "a", &LeasedJob::kind), 2);
    EXPECT_TRUE(take(0, 200, {{"a", 9}}).empty());
}

TEST_P(JobContract, an_unfinished_job_with_the_same_key_takes_the_place_of_a_new_one)
{
    NewJob gc = job();
    gc.unique_key = "one";
    const auto id = add(gc);
    EXPECT_EQ(add(gc), id);
    NewJob other = gc;
    other.kind = "other";
    EXPECT_NE(add(other), id);
    const auto taken = take(10);
    EXPECT_EQ(add({gc, gc, job()}).front(), id) << "while it runs, too";
    exchange({{.lease = taken.front().lease}});
    EXPECT_NE(add(gc), id);
    EXPECT_FAILS(Errc::payload_too_large, [this] {
        NewJob big = job();
        big.parameters = std::string((64 << 10) + 1, ' ');
        return run(store().job_queue().add({big}));
    }());
}

TEST_P(JobContract, a_delayed_job_waits_until_its_time)
{
    NewJob later = job();
    later.not_before = 5000;
    const auto id = add(later);
    EXPECT_TRUE(take(10, 4999).empty());
    EXPECT_EQ(find(id).state, JobState::delayed);
    EXPECT_EQ(look(4999).next, 5000);
    EXPECT_FALSE(look(4999).overdue);
    EXPECT_TRUE(look(5000).overdue);
    recover(5000, 0);
    EXPECT_FALSE(look(5000).overdue);
    EXPECT_EQ(ids_of(take(10, 5000)), Ids{id});
}

TEST_P(JobContract, what_comes_back_takes_its_turn_where_the_others_are_by_then)
{
    NewJob later = job("k", 2);
    later.not_before = 5000;
    const auto delayed = add(later);
    add_many(job("k", 1), 100);
    ASSERT_EQ(take(50).size(), 50U);
    recover(5000, 0);
    // The returned one is next, but a tenant that comes now can't get in front by it.
    const auto newcomer = add_many(job("k", 3), 100);
    EXPECT_EQ(take(1).front().lease.id, delayed);
    const auto next = ids_of(take(10));
    EXPECT_EQ(std::ranges::count_if(next, [&](auto id) { return id >= newcomer.front(); }), 5);
}

TEST_P(JobContract, an_outcome_of_a_run_that_was_replaced_is_refused)
{
    const auto id = add(job());
    const auto old_run = take(1, 200).front();
    EXPECT_TRUE(look(200 + lease + 1).overdue);
    recover(200 + lease + 1, 200 + lease + 1);
    EXPECT_EQ(find(id).losses, 1);
    worker_ = "w2";
    const auto new_run = take(1, 2000).front();
    EXPECT_EQ(new_run.lease.id, id);
    EXPECT_GT(new_run.lease.fence, old_run.lease.fence);
    EXPECT_EQ(new_run.attempt, 1) << "a lost worker is no attempt";

    auto& port = store().job_store();
    EXPECT_FAILS(Errc::conflict, run(port.save(old_run.lease, "old", "", {{1, "old"}})));
    EXPECT_FAILS(Errc::conflict, run(port.append(old_run.lease, {{1, "old"}})));
    using Kind = JobOutcome::Kind;
    for (const auto kind : {Kind::succeeded, Kind::failed, Kind::stopped, Kind::again, Kind::back}) {
        const auto refused = exchange({{.lease = old_run.lease, .kind = kind, .lines = {{1, "old"}}}}).refused;
        EXPECT_EQ(refused, std::vector{old_run.lease});
    }
    EXPECT_EQ(find(id).state, JobState::running);
    EXPECT_SUCCEEDS(run(port.save(new_run.lease, "new", "{}", {{1, "saved"}})));
    EXPECT_SUCCEEDS(run(port.append(new_run.lease, {{1, "new"}})));
    EXPECT_TRUE(exchange({{.lease = new_run.lease}}).refused.empty());
    EXPECT_EQ(find(id).state, JobState::succeeded);
    EXPECT_EQ(run(store().jobs().log(id))->size(), 2U);
    EXPECT_EQ(exchange({{.lease = new_run.lease}}).refused.size(), 1U) << "it has ended";
}

TEST_P(JobContract, renewed_leases_are_not_lost_and_those_of_another_worker_are_not_renewed)
{
    add_many(job(), 2);
    const auto mine = take(1, 200).front();
    worker_ = "w2";
    const auto theirs = take(1, 200).front();
    const auto renewed = run(store().job_store().renew("w1", 300, 9000)).value();
    EXPECT_EQ(renewed, std::vector{mine.lease});
    recover(5000, 5000);
    EXPECT_EQ(find(mine.lease.id).state, JobState::running);
    EXPECT_EQ(find(theirs.lease.id).state, JobState::waiting);
    EXPECT_TRUE(run(store().job_store().renew("w2", 300, 9000))->empty());
}

TEST_P(JobContract, a_job_comes_back_with_its_checkpoint_after_an_attempt_and_is_given_up_by_its_runner)
{
    const auto id = add(job());
    auto now = Micros{200};
    const auto first = take(1, now).front();
    EXPECT_SUCCEEDS(run(store().job_store().save(first.lease, "half", R"({"done":1})", {})));
    exchange({{.lease = first.lease, .kind = JobOutcome::Kind::again, .result = "away", .not_before = 700}});
    EXPECT_EQ(find(id).state, JobState::delayed);
    EXPECT_EQ(find(id).not_before, 700);
    EXPECT_EQ(find(id).result, "away");
    EXPECT_EQ(find(id).progress, R"({"done":1})");
    recover(700, 0);
    const auto second = take(1, 700).front();
    EXPECT_EQ(second.checkpoint, "half");
    EXPECT_EQ(second.attempt, 2);
    exchange({{.lease = second.lease, .kind = JobOutcome::Kind::back, .not_before = 700}});
    recover(700, 0);
    const auto third = take(1, 700).front();
    EXPECT_EQ(third.attempt, 2) << "given back is no attempt";
    EXPECT_EQ(find(id).started_at, 200);
    exchange({{.lease = third.lease, .kind = JobOutcome::Kind::failed, .result = "no"}});
    EXPECT_EQ(find(id).state, JobState::failed);
    EXPECT_EQ(run(store().jobs().queues())->front().failed, 1);
}

TEST_P(JobContract, a_job_that_loses_its_worker_again_and_again_is_a_dead_letter)
{
    const auto id = add(job());
    for (int i = 0; i < 10; ++i) {
        ASSERT_EQ(take(1).size(), 1U) << i;
        recover(200 + lease + 1, 200 + lease + 1);
    }
    EXPECT_TRUE(take(1).empty());
    EXPECT_EQ(find(id).state, JobState::failed);
    EXPECT_SUCCEEDS(run(store().jobs().retry(id)));
    EXPECT_EQ(find(id).losses, 0);
    EXPECT_EQ(take(1).size(), 1U);
}

TEST_P(JobContract, stopping_ends_what_waits_and_asks_what_runs)
{
    NewJob later = job();
    later.not_before = 5000;
    const auto running = add(job());
    const auto taken = take(1).front();
    const auto waiting = add(job());
    const auto delayed = add(later);
    auto& port = store().jobs();
    EXPECT_EQ(run(port.stop(waiting, 300)).value(), JobState::stopped);
    EXPECT_EQ(run(port.stop(delayed, 300)).value(), JobState::stopped);
    EXPECT_EQ(find(delayed).ended_at, 300);
    EXPECT_EQ(run(port.stop(running, 300)).value(), JobState::running);
    EXPECT_FAILS(Errc::precondition_failed, run(port.stop(waiting, 300)));
    EXPECT_FAILS(Errc::not_found, run(port.stop(999, 300)));
    EXPECT_EQ(look().to_stop, Ids{running});
    // Whatever the handler answers, but for success, it does not run again.
    exchange({{.lease = taken.lease, .kind = JobOutcome::Kind::again, .not_before = 1}});
    EXPECT_EQ(find(running).state, JobState::stopped);
    EXPECT_TRUE(look().to_stop.empty());

    EXPECT_SUCCEEDS(run(port.retry(running)));
    EXPECT_FALSE(find(running).stop_requested);
    EXPECT_FAILS(Errc::precondition_failed, run(port.retry(running)));
    ASSERT_EQ(ids_of(take(9)), Ids{running});
    EXPECT_SUCCEEDS(run(port.stop_running("k")));
    recover(200 + lease + 1, 200 + lease + 1);
    EXPECT_EQ(find(running).state, JobState::stopped) << "its worker was lost before it could stop";
}

TEST_P(JobContract, a_parents_tasks_and_a_whole_queue_can_be_stopped)
{
    const auto parent = add(job("other"));
    NewJob task = job();
    task.parent_id = parent;
    const auto tasks = add_many(task, 3);
    const auto taken = take(1).front();
    add_many(job(), 4);
    NewJob later = job();
    later.not_before = 5000;
    add_many(later, 2);
    EXPECT_SUCCEEDS(run(store().jobs().stop_tasks(parent, 300)));
    EXPECT_TRUE(find(taken.lease.id).stop_requested);
    EXPECT_EQ(find(tasks[1]).state, JobState::stopped);
    EXPECT_EQ(run(store().jobs().stop_waiting("k", 300)).value(), 6);
    EXPECT_EQ(run(store().jobs().stop_waiting("k", 300)).value(), 0);
    EXPECT_EQ(find(parent).state, JobState::waiting);
}

TEST_P(JobContract, retrying_is_refused_while_another_job_has_the_same_key)
{
    NewJob gc = job();
    gc.unique_key = "one";
    const auto first = add(gc);
    EXPECT_SUCCEEDS(run(store().jobs().stop(first, 300)));
    const auto second = add(gc);
    EXPECT_NE(first, second);
    EXPECT_FAILS(Errc::conflict, run(store().jobs().retry(first)));
    EXPECT_FAILS(Errc::not_found, run(store().jobs().retry(999)));
}

TEST_P(JobContract, a_paused_kind_is_not_leased_until_it_is_resumed)
{
    add(job("a"));
    const auto other = add(job("b"));
    auto& port = store().jobs();
    EXPECT_FAILS(Errc::not_found, run(port.pause("a", true, 1)));
    introduce({"a"});
    EXPECT_SUCCEEDS(run(port.pause("a", true, 1)));
    EXPECT_TRUE(run(port.is_paused("a")).value());
    EXPECT_FALSE(run(port.is_paused("b")).value());
    const std::vector<JobWant> wants{{"a", 9}, {"b", 9}};
    EXPECT_EQ(ids_of(take(9, 200, wants)), Ids{other});
    const auto queues = run(port.queues()).value();
    ASSERT_EQ(queues.size(), 2U);
    EXPECT_EQ(queues[0].kind, "a");
    EXPECT_TRUE(queues[0].paused);
    EXPECT_EQ(queues[0].waiting, 1);
    EXPECT_EQ(queues[0].oldest_waiting, 100);
    EXPECT_EQ(queues[1].running, 1);
    EXPECT_SUCCEEDS(run(port.pause("a", false, 2)));
    EXPECT_EQ(take(9, 200, wants).size(), 1U);
}

TEST_P(JobContract, workers_are_known_as_long_as_they_are_heard_of)
{
    introduce({"b", "a"});
    introduce({"b", "a"});
    worker_ = "w2";
    introduce({"a"});
    EXPECT_SUCCEEDS(run(store().job_store().renew("w2", 500, 900)));
    const auto all = run(store().jobs().workers(0)).value();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].id, "w1");
    EXPECT_EQ(all[0].host, "host");
    EXPECT_EQ(all[0].pid, 12);
    EXPECT_EQ(all[0].concurrency, 8);
    EXPECT_EQ(all[0].started_at, 100);
    const auto heard = run(store().jobs().workers(500)).value();
    ASSERT_EQ(heard.size(), 1U);
    EXPECT_EQ(heard[0].id, "w2");
    EXPECT_EQ(heard[0].heartbeat_at, 500);
    const auto queues = run(store().jobs().queues()).value();
    ASSERT_EQ(queues.size(), 2U);
    EXPECT_EQ(queues[0].kind, "a");
    EXPECT_EQ(queues[0].waiting, 0);
    EXPECT_FALSE(queues[0].paused);
}

TEST_P(JobContract, of_a_long_log_the_first_and_the_newest_lines_are_kept)
{
    const auto id = add(job());
    const auto taken = take(1).front();
    int number = 0;
    for (int batch = 0; batch < 7; ++batch) {
        std::vector<JobLine> lines;
        for (int i = 0; i < 700; ++i) lines.push_back({1, std::to_string(++number)});
        EXPECT_SUCCEEDS(run(store().job_store().append(taken.lease, lines)));
    }
    EXPECT_EQ(find(id).log_lines, 4900);
    const auto lines = run(store().jobs().log(id)).value();
    ASSERT_EQ(lines.size(), 2000U);
    EXPECT_EQ(lines[499].text, "500");
    EXPECT_EQ(lines[500].text, "3401");
    EXPECT_EQ(lines.back().text, "4900");
    EXPECT_EQ(lines.back().number, 4900);
    EXPECT_FAILS(Errc::not_found, run(store().jobs().log(999)));
}

TEST_P(JobContract, lists_know_kind_state_and_subject_and_show_the_newest_first)
{
    NewJob about = job("b");
    about.subject_id = 5;
    const auto first = add(job("a"));
    const auto second = add(about);
    const auto third = add(about);
    const auto list = [this](std::vector<ListCondition> conditions, std::int64_t limit = 10) {
        return run(store().jobs().list({.conditions = std::move(conditions), .order = {}, .limit = limit})).value();
    };
    EXPECT_EQ(list({}).items.front().id, third);
    EXPECT_EQ(list({}).items.back().id, first);
    EXPECT_EQ(list({{.field = "kind", .values = {"b"}}, {.field = "subject_id", .values = {"5"}}}).total, 2);
    EXPECT_EQ(list({{.field = "kind", .values = {"b"}}}, 1).items.size(), 1U);
    EXPECT_EQ(list({{.field = "kind", .values = {"b"}}}, 1).total, 2);
    EXPECT_SUCCEEDS(run(store().jobs().stop(second, 3)));
    EXPECT_EQ(list({{.field = "state", .values = {"stopped"}}}).items.front().id, second);
    EXPECT_EQ(list({{.field = "state", .values = {"waiting"}}, {.field = "kind", .values = {"b"}}}).total, 1);
    EXPECT_EQ(
        list({{.field = "state", .kind = ListCondition::Kind::any_of, .values = {"waiting", "stopped"}}}).total, 3
    );
    EXPECT_FAILS(
        Errc::bad_request,
        run(store().jobs().list({.conditions = {{.field = "state", .values = {"asleep"}}}, .order = {}}))
    );
    EXPECT_EQ(run(store().jobs().kinds()).value(), (Kinds{"a", "b"}));
    EXPECT_FAILS(
        Errc::bad_request,
        run(store().jobs().list({.conditions = {{.field = "nonsense", .values = {"1"}}}, .order = {}}))
    );
}

TEST_P(JobContract, history_goes_by_age_and_by_number_and_takes_its_logs_along)
{
    const auto ids = add_many(job(), 10);
    const auto unfinished = add(job());
    for (const auto& one : take(10)) {
        exchange({{.lease = one.lease, .lines = {{1, "x"}}}}, {}, 0, 1000 + one.lease.id);
    }
    const auto ended = [&](std::size_t i) { return 1000 + ids[i]; };
    EXPECT_EQ(run(store().jobs().remove_ended("other", 9000, 0)).value(), 0);
    EXPECT_EQ(run(store().jobs().remove_ended("k", ended(3), 100)).value(), 3);
    EXPECT_FAILS(Errc::not_found, run(store().jobs().find(ids[2])));
    EXPECT_EQ(run(store().jobs().remove_ended("k", 0, 5)).value(), 2);
    EXPECT_FAILS(Errc::not_found, run(store().jobs().find(ids[4])));
    EXPECT_EQ(find(ids[5]).state, JobState::succeeded);
    EXPECT_EQ(host().number("SELECT count(*) FROM job_logs"), 5);
    EXPECT_EQ(find(unfinished).state, JobState::waiting);
}

TEST_P(JobContract, who_listens_is_told_of_jobs_that_are_due)
{
    std::mutex mutex;
    Kinds told;
    store().job_store().on_added([&](const std::string& kind) {
        const std::lock_guard lock{mutex};
        told.push_back(kind);
    });
    NewJob later = job("later");
    later.not_before = 5000;
    add({job("b"), job("a"), job("b"), later});
    EXPECT_EQ(told, (Kinds{"a", "b"}));
    store().job_store().on_added(nullptr);
    add(job("c"));
    EXPECT_EQ(told.size(), 2U);
}

TEST_P(JobContract, no_job_is_leased_twice_or_left_behind_when_many_workers_take_at_once)
{
    constexpr std::int64_t count = 400;
    for (std::int64_t tenant = 1; tenant <= 4; ++tenant) add_many(job("k", tenant), count / 4);
    std::mutex mutex;
    std::map<std::int64_t, int> runs;
    Crowd crowd;
    for (int i = 0; i < 4; ++i) {
        crowd.add([&, name = "w" + std::to_string(i)] {
            std::vector<JobOutcome> outcomes;
            int empty = 0;
            while (empty < 3) {
                const auto done =
                    run(store().job_store().exchange(name, std::move(outcomes), {{"k", 9}}, 7, 200, 200 + lease));
                outcomes.clear();
                ASSERT_TRUE(done) << done.error().detail();
                ASSERT_TRUE(done->refused.empty());
                empty = done->leased.empty() ? empty + 1 : 0;
                const std::lock_guard lock{mutex};
                for (const auto& one : done->leased) {
                    ++runs[one.lease.id];
                    outcomes.push_back({.lease = one.lease});
                }
            }
        });
    }
    crowd.join();
    EXPECT_EQ(std::ssize(runs), count);
    EXPECT_TRUE(std::ranges::all_of(runs, [](const auto& one) { return one.second == 1; }));
    EXPECT_EQ(host().number("SELECT count(*) FROM jobs WHERE state <> 'succeeded'"), 0);
}

TEST_P(JobContract, one_key_is_one_job_however_many_add_it_at_once)
{
    NewJob gc = job();
    gc.unique_key = "one";
    std::mutex mutex;
    std::set<std::int64_t> ids;
    Crowd crowd;
    for (int i = 0; i < 8; ++i) {
        crowd.add([&] {
            const auto added = run(store().job_queue().add({gc, job()}));
            ASSERT_TRUE(added) << added.error().detail();
            const std::lock_guard lock{mutex};
            ids.insert(added->front());
        });
    }
    crowd.join();
    EXPECT_EQ(ids.size(), 1U);
    EXPECT_EQ(take(100).size(), 9U);
}

TEST_P(JobContract, an_execution_is_what_became_of_its_tasks)
{
    const auto plan = add_many(job("plan"), 4);
    for (const auto& one : take(10, 200, {{"plan", 10}})) exchange({{.lease = one.lease}}, {}, 0, 250);
    const auto add_task = [&](std::int64_t parent) {
        NewJob task = job();
        task.parent_id = parent;
        add(task);
    };
    for (int i = 0; i < 3; ++i) add_task(plan[0]);
    add_task(plan[1]);
    add_task(plan[2]);
    const auto counts = [&](std::vector<std::int64_t> of) {
        return run(store().jobs().task_counts(std::move(of))).value();
    };
    const auto with_outcome = [&](const std::string& outcome) {
        ListQuery query{.conditions = {{"kind", ListCondition::Kind::equal, {"plan"}}}, .order = {{"id", false}}};
        query.conditions.push_back({"outcome", ListCondition::Kind::equal, {outcome}});
        Ids ids;
        for (const auto& one : run(store().jobs().list(query)).value().items) ids.push_back(one.id);
        return ids;
    };
    EXPECT_TRUE(counts({}).empty());
    EXPECT_TRUE(counts({0, plan[3]}).empty()) << "jobs without a parent are nobody's tasks";
    ASSERT_EQ(counts(plan).size(), 3U);
    EXPECT_EQ(counts(plan).front().unfinished, 3);
    EXPECT_EQ(counts(plan).front().last_end, 0);
    EXPECT_EQ(with_outcome("running"), (Ids{plan[0], plan[1], plan[2]}));
    EXPECT_EQ(with_outcome("succeeded"), Ids{plan[3]});

    const auto tasks = take(10);
    ASSERT_EQ(tasks.size(), 5U);
    using Kind = JobOutcome::Kind;
    const auto end = [&](std::size_t task, Kind kind, Micros at) {
        exchange({{.lease = tasks[task].lease, .kind = kind}}, {}, 0, at);
    };
    end(0, Kind::succeeded, 300);
    end(1, Kind::failed, 320);
    EXPECT_EQ(counts({plan[0]}).front().unfinished, 1);
    EXPECT_EQ(with_outcome("running"), (Ids{plan[0], plan[1], plan[2]}));
    end(2, Kind::stopped, 310);
    end(3, Kind::stopped, 300);
    end(4, Kind::succeeded, 300);
    const auto first = counts({plan[0]}).front();
    EXPECT_EQ(first.parent_id, plan[0]);
    EXPECT_EQ(first.unfinished, 0);
    EXPECT_EQ(first.succeeded, 1);
    EXPECT_EQ(first.failed, 1);
    EXPECT_EQ(first.stopped, 1);
    EXPECT_EQ(first.last_end, 320);
    EXPECT_EQ(with_outcome("failed"), Ids{plan[0]});
    EXPECT_EQ(with_outcome("stopped"), Ids{plan[1]});
    EXPECT_EQ(with_outcome("succeeded"), (Ids{plan[2], plan[3]}));
}

class ScheduleContract : public MetadataStoreContract {
protected:
    static Schedule schedule(std::string kind = "gc", std::int64_t subject = 0)
    {
        Schedule made;
        made.kind = std::move(kind);
        made.subject_id = subject;
        made.type = "Daily";
        made.cron = "0 0 0 * * *";
        made.parameters = R"({"dry_run":false})";
        made.next_at = 1000;
        made.tenant_id = 2;
        made.project_id = 3;
        made.actor = {7, 50};
        return made;
    }
    ScheduleCatalog& port() { return store().schedules(); }
};

TEST_P(ScheduleContract, a_schedule_is_kept_replaced_and_removed)
{
    const auto put = run(port().put(schedule())).value();
    auto changed = schedule();
    changed.cron = "0 30 1 * * *";
    changed.runs_missed = false;
    changed.actor.at = 60;
    EXPECT_EQ(run(port().put(changed))->id, put.id);
    host().reopen();
    const auto found = run(port().find("gc", 0)).value();
    EXPECT_EQ(found.cron, changed.cron);
    EXPECT_EQ(found.type, "Daily");
    EXPECT_EQ(found.parameters, changed.parameters);
    EXPECT_FALSE(found.runs_missed);
    EXPECT_EQ(found.next_at, 1000);
    EXPECT_EQ(found.tenant_id, 2);
    EXPECT_EQ(found.project_id, 3);
    EXPECT_EQ(found.actor.user_id, 7);
    EXPECT_EQ(found.actor.at, 60);
    EXPECT_EQ(found.created_at, 50);
    EXPECT_EQ(run(port().put(schedule("retention", 4)))->subject_id, 4);
    const auto list = run(port().list({.conditions = {{.field = "kind", .values = {"gc"}}}, .order = {}})).value();
    EXPECT_EQ(list.total, 1);
    EXPECT_EQ(run(port().list({.conditions = {}, .order = {}}))->total, 2);
    EXPECT_SUCCEEDS(run(port().remove("gc", 0)));
    EXPECT_FAILS(Errc::not_found, run(port().remove("gc", 0)));
    EXPECT_FAILS(Errc::not_found, run(port().find("gc", 0)));
}

TEST_P(ScheduleContract, what_is_due_fires_once_and_leaves_its_job)
{
    auto never = schedule("never");
    never.next_at = 0;
    EXPECT_SUCCEEDS(run(port().put(never)));
    const auto put = run(port().put(schedule())).value();
    EXPECT_TRUE(run(port().due(999, 10))->empty());
    ASSERT_EQ(run(port().due(1000, 10))->size(), 1U);
    const ScheduleCatalog::Firing firing{.id = put.id, .was_due = 1000, .next_at = 2000, .at = 1001};
    EXPECT_TRUE(run(port().fire(firing)).value());
    EXPECT_FALSE(run(port().fire(firing)).value()) << "another instance that was slower";
    const auto fired = run(port().find("gc", 0)).value();
    EXPECT_EQ(fired.next_at, 2000);
    EXPECT_EQ(fired.last_at, 1001);
    const auto job = run(store().jobs().find(fired.last_job)).value();
    EXPECT_EQ(job.kind, "gc");
    EXPECT_EQ(job.trigger, "schedule");
    EXPECT_EQ(job.parameters, put.parameters);
    EXPECT_EQ(job.user_id, 7);
    EXPECT_EQ(job.tenant_id, 2);
    EXPECT_EQ(job.project_id, 3);
    EXPECT_EQ(host().number("SELECT count(*) FROM jobs"), 1);

    EXPECT_TRUE(run(port().fire({.id = put.id, .was_due = 2000, .next_at = 3000, .skips = true, .at = 9999})).value());
    EXPECT_EQ(host().number("SELECT count(*) FROM jobs"), 1) << "missed and skipped";
    EXPECT_EQ(run(port().find("gc", 0))->last_at, 1001);
}

TEST_P(ScheduleContract, instances_that_see_it_due_at_once_fire_it_once)
{
    const auto put = run(port().put(schedule())).value();
    std::atomic<int> fired = 0;
    Crowd crowd;
    for (int i = 0; i < 8; ++i) {
        crowd.add([&] {
            if (run(port().fire({.id = put.id, .was_due = 1000, .next_at = 2000, .at = 1001})).value()) ++fired;
        });
    }
    crowd.join();
    EXPECT_EQ(fired, 1);
    EXPECT_EQ(host().number("SELECT count(*) FROM jobs"), 1);
}

}  // namespace entrepot::contract
