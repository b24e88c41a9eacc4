#include "tenancy/settings.hpp"

#include "core/run_to_end.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/memory_settings.hpp"

#include <gtest/gtest.h>

#include <array>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

// An admin (1) and somebody (2), known to a policy that holds one grant.
class SettingsTest : public testing::Test {
protected:
    SettingsTest()
    {
        AccessChanges all;
        all.version = 1;
        all.complete = true;
        for (const std::int64_t id : {1, 2}) {
            PrincipalAccess principal;
            principal.id = id;
            all.principals.push_back(std::move(principal));
        }
        GrantEntry admin;
        admin.id = 1;
        admin.subject = {.kind = SubjectKind::principal, .id = 1};
        admin.role_id = role::platform_admin;
        admin.kind = ObjectKind::platform;
        all.platform_grants = {admin};
        policy.apply(std::move(all));
    }

    static Caller caller(std::int64_t id)
    {
        return {.identity = std::make_shared<const Identity>(Identity{.user_id = id, .name = "u"}), .scopes = nullptr};
    }
    Result<> change(std::string name, SettingValue value, std::int64_t who = 1)
    {
        return run_to_end(settings.change(caller(who), {{std::move(name), std::move(value)}}));
    }

    FakeClock clock;
    AccessPolicy policy{ProjectCreation::admins, clock};
    MemorySettings catalog;
    Settings settings{catalog, policy, clock, {.token_lifetime = 90s}};
};

TEST_F(SettingsTest, have_their_defaults_until_something_is_set)
{
    EXPECT_TRUE(settings.everyone_creates_projects());
    EXPECT_FALSE(settings.read_only());
    EXPECT_EQ(settings.robot_name_prefix(), "robot$");
    EXPECT_EQ(settings.storage_per_project(), -1);
    EXPECT_EQ(settings.token_lifetime(), 90s) << "as configured, although it is shown as two minutes";
}

TEST_F(SettingsTest, are_in_effect_when_the_change_is_answered)
{
    ASSERT_TRUE(change("read_only", true));
    EXPECT_TRUE(settings.read_only());
    ASSERT_TRUE(change("token_expiration", std::int64_t{7}));
    EXPECT_EQ(settings.token_lifetime(), 7min);
    ASSERT_TRUE(change("project_creation_restriction", std::string{"adminonly"}));
    EXPECT_FALSE(settings.everyone_creates_projects());
    Settings other{catalog, policy, clock};
    EXPECT_FALSE(other.read_only());
    ASSERT_TRUE(run_to_end(other.refresh()));
    EXPECT_TRUE(other.read_only());
}

TEST_F(SettingsTest, of_the_wrong_type_or_range_are_refused_and_change_nothing)
{
    const auto refused = [&](std::string name, SettingValue value) {
        const auto result = change(std::move(name), std::move(value));
        return !result && result.error().code() == Errc::bad_request;
    };
    EXPECT_TRUE(refused("read_only", std::string{"yes"}));
    EXPECT_TRUE(refused("read_only", std::int64_t{1}));
    EXPECT_TRUE(refused("token_expiration", std::int64_t{0}));
    EXPECT_TRUE(refused("token_expiration", std::int64_t{1441}));
    EXPECT_TRUE(refused("storage_per_project", std::int64_t{-2}));
    EXPECT_TRUE(refused("project_creation_restriction", std::string{"nobody"}));
    EXPECT_TRUE(refused("robot_name_prefix", std::string{""}));
    EXPECT_TRUE(refused("robot_name_prefix", std::string{"a:b"}));
    EXPECT_TRUE(refused("auth_mode", std::string{"ldap_auth"}));
    EXPECT_TRUE(refused("banner_message", std::string(5000, 'x')));
    EXPECT_TRUE(catalog.stored.empty());
}

TEST_F(SettingsTest, that_nobody_knows_are_ignored)
{
    ASSERT_TRUE(change("ldap_url", std::string{"ldap://example"}));
    EXPECT_TRUE(catalog.stored.empty());
}

TEST_F(SettingsTest, that_can_not_be_edited_stay)
{
    ASSERT_TRUE(change("auth_mode", std::string{"db_auth"}));
    EXPECT_TRUE(catalog.stored.empty());
}

TEST_F(SettingsTest, are_shown_and_changed_by_platform_admins_alone)
{
    EXPECT_EQ(change("read_only", true, 2).error().code(), Errc::denied);
    EXPECT_EQ(run_to_end(settings.list(caller(2))).error().code(), Errc::denied);
    const auto entries = run_to_end(settings.list(caller(1)));
    ASSERT_TRUE(entries);
    EXPECT_GT(entries->size(), 10U);
}

TEST_F(SettingsTest, stored_by_another_version_and_unreadable_here_count_as_not_set)
{
    catalog.stored = {{"session_timeout", "soon"}, {"read_only", "maybe"}, {"robot_token_duration", "9999999"}};
    ASSERT_TRUE(run_to_end(settings.refresh()));
    EXPECT_EQ(settings.session_lifetime(), 60min);
    EXPECT_FALSE(settings.read_only());
    EXPECT_EQ(settings.robot_days(), 30);
}

TEST_F(SettingsTest, stay_as_they_were_while_the_store_is_away)
{
    ASSERT_TRUE(change("read_only", true));
    catalog.away = true;
    EXPECT_FALSE(run_to_end(settings.refresh()));
    EXPECT_TRUE(settings.read_only());
}

TEST_F(SettingsTest, leave_out_of_the_audit_trail_what_is_no_change)
{
    const auto chosen = [&] {
        const auto choice = settings.audit_choice();
        return std::array{choice.pulls, choice.log_ins, choice.log_outs};
    };
    int seen = 0;
    settings.watch([&] {
        ++seen;
        EXPECT_EQ(settings.audit_choice().pulls, seen == 2);
    });
    EXPECT_EQ(chosen(), (std::array{true, true, true}));
    ASSERT_TRUE(change("disabled_audit_log_event_types", std::string{"pull_artifact, ,login_user"}));
    EXPECT_EQ(chosen(), (std::array{false, false, true}));
    EXPECT_EQ(seen, 1) << "whoever applies it is told with the change";
    ASSERT_TRUE(change("disabled_audit_log_event_types", std::string{"logout_user"}));
    EXPECT_EQ(chosen(), (std::array{true, true, false}));
    ASSERT_TRUE(change("pull_audit_log_disable", true));
    EXPECT_EQ(chosen(), (std::array{false, true, false}));
}

TEST_F(SettingsTest, can_not_switch_off_the_record_of_a_change)
{
    for (const auto* event : {"create_artifact", "pull_artifact,delete_project", "update_configuration", "no_event"}) {
        const auto refused = change("disabled_audit_log_event_types", std::string{event});
        ASSERT_FALSE(refused) << event;
        EXPECT_EQ(refused.error().code(), Errc::bad_request);
        EXPECT_NE(refused.error().message().find("always recorded"), std::string::npos);
    }
    EXPECT_TRUE(catalog.stored.empty());
    catalog.stored = {{"disabled_audit_log_event_types", "create_artifact"}, {"skip_audit_log_database", "true"}};
    ASSERT_TRUE(run_to_end(settings.refresh()));
    EXPECT_EQ(settings.value("disabled_audit_log_event_types"), SettingValue{std::string{}});
    EXPECT_EQ(settings.value("skip_audit_log_database"), SettingValue{false});
}

TEST_F(SettingsTest, that_stand_in_the_configuration_file_are_shown_and_take_no_other_value)
{
    Settings::Configured configured;
    configured.audits_pulls = false;
    configured.audit_forward_endpoint = "tls://syslog.example.org:6514";
    Settings own{catalog, policy, clock, configured};
    EXPECT_FALSE(own.audit_choice().pulls);
    EXPECT_EQ(own.value("audit_log_forward_endpoint"), SettingValue{configured.audit_forward_endpoint});
    const auto put = [&](std::string name, SettingValue value) {
        return run_to_end(own.change(caller(1), {{std::move(name), std::move(value)}}));
    };
    EXPECT_TRUE(put("audit_log_forward_endpoint", configured.audit_forward_endpoint)) << "as it is";
    EXPECT_TRUE(put("skip_audit_log_database", false));
    EXPECT_EQ(put("audit_log_forward_endpoint", std::string{}).error().code(), Errc::bad_request);
    EXPECT_EQ(put("skip_audit_log_database", true).error().code(), Errc::bad_request);
    EXPECT_TRUE(catalog.stored.empty());
    ASSERT_TRUE(put("pull_audit_log_disable", false));
    EXPECT_TRUE(own.audit_choice().pulls) << "what is set goes before the file";
}

}  // namespace
}  // namespace entrepot
