#include "tenancy/settings.hpp"

#include "core/run_to_end.hpp"
#include "tests/support/fake_clock.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

class MemorySettings final : public SettingsCatalog {
public:
    Values stored;
    bool away = false;

    Task<Values> all() override
    {
        if (away) co_return fail(Errc::unavailable, "away");
        co_return stored;
    }
    Task<> change(Changes changes, Actor) override
    {
        for (auto& [name, value] : changes) {
            if (value) {
                stored.insert_or_assign(name, *value);
            } else {
                stored.erase(name);
            }
        }
        co_return Result<>{};
    }
};

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
    Settings settings{catalog, policy, clock, 90s};
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

TEST_F(SettingsTest, split_the_audit_events_that_are_not_wanted)
{
    ASSERT_TRUE(change("disabled_audit_log_event_types", std::string{"pull_artifact, ,create_tag"}));
    EXPECT_EQ(settings.disabled_audit_events(), (std::vector<std::string>{"pull_artifact", "create_tag"}));
}

}  // namespace
}  // namespace entrepot
