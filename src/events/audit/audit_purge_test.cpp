#include "events/audit/audit_purge.hpp"

#include "core/run_to_end.hpp"
#include "tests/support/audit_fixture.hpp"

#include <chrono>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

class MemorySettings final : public SettingsCatalog {
public:
    Task<Values> all() override { co_return values; }
    Task<> change(Changes changes, Actor) override
    {
        for (auto& [name, value] : changes) values[name] = value.value_or("");
        co_return Result<>{};
    }
    Values values;
};

class PurgeRun final : public JobRun {
public:
    explicit PurgeRun(std::string parameters) : parameters_{std::move(parameters)} {}
    std::int64_t id() const noexcept override { return 1; }
    std::int64_t fence() const noexcept override { return 1; }
    std::int32_t attempt() const noexcept override { return 1; }
    std::string_view parameters() const noexcept override { return parameters_; }
    std::string_view checkpoint() const noexcept override { return {}; }
    bool stop_requested() const noexcept override { return false; }
    Task<> save(std::string, std::string) override { co_return Result<>{}; }
    void log(std::string line) override { lines.push_back(std::move(line)); }
    std::vector<std::string> lines;

private:
    std::string parameters_;
};

// Three days, a segment each; then the clock stands at the fourth.
class AuditPurgeTest : public AuditTest {
protected:
    AuditPurgeTest()
    {
        for (int day = 1; day <= 3; ++day) {
            EXPECT_TRUE(put(*log, "day" + std::to_string(day)));
            clock.advance(24h);
        }
        EXPECT_TRUE(put(*log, "today"));
    }
    Result<JobEnd> run(std::string parameters, std::vector<std::string>* lines = nullptr)
    {
        PurgeRun purge_run{std::move(parameters)};
        auto end = run_to_end(purge.run(purge_run));
        if (lines) *lines = purge_run.lines;
        log->flush();
        return end;
    }

    std::unique_ptr<AuditLog> log = opened();
    MemorySettings settings;
    AuditPurge purge{*log, store, settings, clock};
};

TEST_F(AuditPurgeTest, segments_go_whose_records_are_all_older)
{
    std::vector<std::string> lines;
    const auto end = run(R"({"audit_retention_hour":23})", &lines);
    ASSERT_TRUE(end);
    EXPECT_EQ(end->kind, JobEnd::Kind::done);
    EXPECT_NE(end->result.find(R"("segments":2)"), std::string::npos) << end->result;
    EXPECT_EQ(lines.size(), 2U);
    const auto kept = text();
    EXPECT_EQ(kept.find("day1"), std::string::npos);
    EXPECT_EQ(kept.find("day2"), std::string::npos);
    EXPECT_NE(kept.find("day3"), std::string::npos);
    EXPECT_NE(kept.find("today"), std::string::npos);
    EXPECT_NE(kept.find("purged by an admin"), std::string::npos) << "that they went is told";
    EXPECT_FALSE(proof().broken) << "what is left is still proven";
}

TEST_F(AuditPurgeTest, a_dry_run_says_what_would_go_and_changes_nothing)
{
    const auto before = text();
    const auto end = run(R"({"audit_retention_hour":1,"dry_run":true})");
    ASSERT_TRUE(end);
    EXPECT_NE(end->result.find(R"("segments":2)"), std::string::npos) << end->result;
    EXPECT_EQ(text(), before);
    EXPECT_TRUE(settings.values.empty());
}

TEST_F(AuditPurgeTest, every_instance_obeys_and_what_is_written_to_now_always_stays)
{
    settings.values["audit_purged_before"] = std::to_string(clock.now() + 1'000'000);
    ASSERT_TRUE(run_to_end(purge.obey()));
    log->flush();
    EXPECT_EQ(text().find("day3"), std::string::npos);
    EXPECT_NE(text().find("today"), std::string::npos);
    settings.values["audit_purged_before"] = "nonsense";
    EXPECT_FALSE(run_to_end(purge.obey()));
}

TEST_F(AuditPurgeTest, parameters_that_are_none_fail_for_good)
{
    for (const auto* parameters : {"", "{}", "nonsense", R"({"audit_retention_hour":"1"})"}) {
        const auto end = run(parameters);
        ASSERT_TRUE(end);
        EXPECT_EQ(end->kind, JobEnd::Kind::failed) << parameters;
    }
    EXPECT_NE(text().find("day1"), std::string::npos);
}

}  // namespace
}  // namespace entrepot
