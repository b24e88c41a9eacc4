// Runs of retention policies on a real SQLite store.
#include "core/run_to_end.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/open_store.hpp"
#include "upkeep/retention/retention_order.hpp"
#include "upkeep/retention/retention_run.hpp"
#include "upkeep/retention/tag_lifetimes.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

template <class T>
Result<T> run(Task<T> task)
{
    return run_to_end(std::move(task));
}

RepositoryName repository(std::string_view text)
{
    return RepositoryName::parse(text).value();
}

Tag tag(std::string_view text)
{
    return Tag::parse(text).value();
}

// Images that have one blob, and differ in a note.
std::string image(const std::string& note, const std::string& subject = {})
{
    const auto config = digest_of("config").text();
    std::string text = R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{)";
    text +=
        R"("mediaType":"application/vnd.oci.image.config.v1+json","size":6,"digest":")" + config + R"("},"layers":[])";
    if (!subject.empty()) {
        text += R"(,"subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":9,"digest":")" +
                subject + R"("})";
    }
    return text + R"(,"annotations":{"note":")" + note + R"("}})";
}

constexpr Micros day = Micros{86'400} * 1'000'000;

class InTestRun final : public JobRun {
public:
    InTestRun(RetentionOrder order, std::string checkpoint)
        : parameters_{order.json()}, checkpoint_{std::move(checkpoint)}
    {
    }

    std::int64_t id() const noexcept override { return 42; }
    std::int64_t fence() const noexcept override { return 1; }
    std::int32_t attempt() const noexcept override { return 1; }
    std::string_view parameters() const noexcept override { return parameters_; }
    std::string_view checkpoint() const noexcept override { return checkpoint_; }
    bool stop_requested() const noexcept override { return stop_after == 0 || (stop_after > 0 && --stop_after == 0); }
    Task<> save(std::string checkpoint, std::string) override
    {
        saved.push_back(std::move(checkpoint));
        co_return Result<>{};
    }
    void log(std::string line) override { lines.push_back(std::move(line)); }

    std::vector<std::string> saved;
    std::vector<std::string> lines;
    mutable int stop_after = -1;  // so many questions; never

private:
    std::string parameters_;
    std::string checkpoint_;
};

class RetentionRuns : public testing::Test {
protected:
    void SetUp() override
    {
        ASSERT_TRUE(run(store().projects().create({.name = ProjectName::parse("p").value()}, {1, 10})));
        project_id = run(store().projects().find(ProjectName::parse("p").value()))->id;
    }

    MetadataStore& store() { return *open_; }

    void push(std::string_view name, const std::string& note, const std::vector<std::string>& names, int days_ago)
    {
        push_bytes(name, image(note), names, days_ago);
    }
    void
    push_bytes(std::string_view name, const std::string& bytes, const std::vector<std::string>& names, int days_ago)
    {
        const Actor actor{7, clock.now() - days_ago * day};
        const BlobCatalog::Arrival arrival{
            .repository = repository(name),
            .digest = digest_of("config"),
            .size = 6,
            .upload = {},
            .fence = 0,
            .actor = actor,
        };
        ASSERT_TRUE(run(store().blobs().arrive(arrival)));
        auto manifest = Manifest::parse(media::oci_manifest, bytes).value();
        auto view = view_of(manifest, bytes, std::nullopt);
        std::vector<Tag> parsed;
        for (const auto& each : names) parsed.push_back(tag(each));
        ASSERT_TRUE(run(store().manifests().commit(
            {.repository = repository(name),
             .digest = digest_of(bytes),
             .bytes = bytes,
             .manifest = std::move(manifest),
             .tags = std::move(parsed),
             .actor = actor,
             .view = std::move(view)}
        )));
    }
    std::string tags(std::string_view name)
    {
        const auto page = run(store().manifests().tags(repository(name), {100, ""}));
        std::string all;
        if (page) {
            for (const auto& each : (*page)->names) all += (all.empty() ? "" : " ") + each;
        }
        return all;
    }
    static RetentionRule rule(RetentionTemplate keeps, std::int64_t number, std::string about = "**")
    {
        return {
            .keeps = keeps,
            .number = number,
            .repositories = Selectors::of_repositories({{false, std::move(about)}}).value(),
            .tags = Selectors::of_tags({{false, "**"}}).value(),
        };
    }
    std::int64_t policy(std::vector<RetentionRule> rules, bool confirm_all = false)
    {
        RetentionPolicy made{.project_id = project_id, .rules = std::move(rules), .confirm_all = confirm_all};
        return run(store().retention().create(std::move(made), {1, 1})).value();
    }
    JobEnd work(InTestRun& job)
    {
        RetentionRun handler{store().retention(), store().tag_inventory(), store().schedules(), clock};
        auto end = run(handler.run(job));
        EXPECT_TRUE(end) << end.error().message() << end.error().detail();
        return end.value_or(JobEnd{});
    }
    JobEnd work(RetentionOrder order)
    {
        InTestRun job{order, ""};
        return work(job);
    }
    std::string report(std::string_view name)
    {
        const auto page = run(store().retention().tasks(42, {}));
        for (const auto& task : page->items) {
            if (task.repository == name) return run(store().retention().task_report(42, task.id)).value();
        }
        return "none";
    }

    FakeClock clock;
    OpenStore open_{clock};
    std::int64_t project_id = 0;
};

TEST_F(RetentionRuns, keep_what_the_rules_keep_tag_by_tag)
{
    push("p/app", "1", {"v1", "also"}, 9);
    push("p/app", "2", {"v2"}, 8);
    push("p/app", "3", {"also"}, 7);
    push("p/left/alone", "1", {"old"}, 900);
    const auto id = policy({rule(RetentionTemplate::latest_pushed, 2, "*")});
    const auto end = work({.policy_id = id, .user_id = 7});
    EXPECT_EQ(end.kind, JobEnd::Kind::done);
    EXPECT_EQ(tags("p/app"), "also v2");
    EXPECT_EQ(tags("p/left/alone"), "old");
    const auto progress = RetentionProgress::parse(end.result);
    EXPECT_EQ(progress.repositories, 1);
    EXPECT_EQ(progress.total, 3);
    EXPECT_EQ(progress.removed, 1);
    EXPECT_EQ(progress.artifacts, 1);
    EXPECT_EQ(
        report("p/app"),
        "removed v1: rule 1 (the 2 most recently pushed) does not keep it\n"
        "kept also: kept by rule 1 (the 2 most recently pushed)\nkept v2: kept by rule 1 (the 2 most recently pushed)\n"
    );
}

TEST_F(RetentionRuns, that_are_dry_change_nothing_and_say_what_would_go)
{
    push("p/app", "1", {"v1"}, 9);
    push("p/app", "2", {"v2"}, 1);
    const auto id = policy({rule(RetentionTemplate::days_since_push, 5)});
    const auto end = work({.policy_id = id, .dry_run = true});
    EXPECT_EQ(RetentionProgress::parse(end.result).removed, 1);
    EXPECT_EQ(tags("p/app"), "v1 v2");
    EXPECT_TRUE(report("p/app").starts_with("would remove v1: rule 1 (pushed within the last 5 days)"));
    EXPECT_EQ(run(store().retention().tasks(42, {}))->items.at(0).retained, 1);
}

TEST_F(RetentionRuns, that_would_leave_nothing_ask_first)
{
    push("p/app", "1", {"v1"}, 9);
    push("p/other", "2", {"v2"}, 8);
    const auto id = policy({rule(RetentionTemplate::days_since_push, 5)});
    const auto end = work({.policy_id = id});
    EXPECT_EQ(end.kind, JobEnd::Kind::failed);
    EXPECT_NE(end.result.find("confirm_all"), std::string::npos);
    EXPECT_EQ(tags("p/app") + tags("p/other"), "v1v2");
    EXPECT_EQ(work({.policy_id = id, .dry_run = true}).kind, JobEnd::Kind::done);
    EXPECT_EQ(work({.policy_id = id, .confirm_all = true}).kind, JobEnd::Kind::done);
    EXPECT_EQ(tags("p/app") + tags("p/other"), "");
}

TEST_F(RetentionRuns, go_on_where_they_were_stopped)
{
    for (const auto* name : {"p/a", "p/b", "p/c"}) {
        push(name, "1", {"old"}, 9);
        push(name, "2", {"new"}, 1);
    }
    const auto id = policy({rule(RetentionTemplate::latest_pushed, 1)});
    InTestRun first{{.policy_id = id}, ""};
    first.stop_after = 4;
    const auto stopped = work(first);
    EXPECT_EQ(stopped.kind, JobEnd::Kind::stopped);
    EXPECT_EQ(tags("p/c"), "new old");
    InTestRun second{{.policy_id = id}, stopped.result};
    EXPECT_EQ(work(second).kind, JobEnd::Kind::done);
    for (const auto* name : {"p/a", "p/b", "p/c"}) EXPECT_EQ(tags(name), "new");
    EXPECT_EQ(run(store().retention().tasks(42, {}))->total, 3);
}

TEST_F(RetentionRuns, stop_at_what_is_immutable_and_go_on_with_the_rest)
{
    push("p/app", "1", {"v1"}, 9);
    push("p/app", "2", {"v2"}, 8);
    push("p/app", "3", {"v3"}, 7);
    push_bytes("p/app", image("signature", digest_of(image("2")).text()), {"kept-signature"}, 7);
    ASSERT_TRUE(run(store().immutable_rules().create(
        {.project_id = project_id,
         .repositories = Selectors::of_repositories({{false, "**"}}).value(),
         .tags = Selectors::of_tags({{false, "kept-*"}}).value()},
        {1, 1}
    )));
    const auto id = policy({rule(RetentionTemplate::latest_pushed, 1)});
    const auto end = work({.policy_id = id});
    EXPECT_EQ(end.kind, JobEnd::Kind::done);
    EXPECT_EQ(tags("p/app"), "kept-signature v2 v3");
    EXPECT_EQ(RetentionProgress::parse(end.result).spared, 1);
}

TEST_F(RetentionRuns, end_when_their_policy_is_gone)
{
    Schedule schedule{};
    schedule.kind = "retention";
    schedule.subject_id = 99;
    schedule.type = "Custom";
    schedule.cron = "0 0 2 * * *";
    ASSERT_TRUE(run(store().schedules().put(std::move(schedule))));
    EXPECT_EQ(work({.policy_id = 99}).kind, JobEnd::Kind::failed);
    EXPECT_FALSE(run(store().schedules().find("retention", 99))) << "nothing for it to come round for";
    EXPECT_EQ(work({.policy_id = 99}).kind, JobEnd::Kind::failed);
}

TEST_F(RetentionRuns, tags_whose_time_has_come_go_by_themselves)
{
    push("p/app", "1", {"v1", "held", "stays"}, 9);
    const auto app = repository("p/app");
    for (const auto* name : {"v1", "held"}) {
        ASSERT_TRUE(run(store().tag_inventory().set_expiry(app, tag(name), clock.now() + day)));
    }
    ASSERT_TRUE(run(store().immutable_rules().create(
        {.project_id = project_id,
         .repositories = Selectors::of_repositories({{false, "**"}}).value(),
         .tags = Selectors::of_tags({{false, "held"}}).value()},
        {1, 1}
    )));
    const AccessPolicy nobody{ProjectCreation::admins, clock};
    TagLifetimes lifetimes{store().tag_inventory(), nobody, clock};
    ASSERT_TRUE(run(lifetimes.remove_expired()));
    EXPECT_EQ(tags("p/app"), "held stays v1");
    clock.advance(std::chrono::hours{25});
    ASSERT_TRUE(run(lifetimes.remove_expired()));
    EXPECT_EQ(tags("p/app"), "held stays");
    EXPECT_TRUE(run(store().tag_inventory().expired(clock.now(), 10))->empty()) << "looked at again tomorrow";
}

}  // namespace
}  // namespace entrepot
