#pragma once

#include "core/run_to_end.hpp"
#include "tenancy/explain_access.hpp"
#include "tenancy/grants.hpp"
#include "tenancy/project_members.hpp"
#include "tenancy/roles.hpp"
#include "tenancy/teams.hpp"
#include "tenancy/tenant_members.hpp"
#include "tenancy/tenants.hpp"
#include "tenancy/user_groups.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/open_store.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace entrepot {

// As people are made, without what their passwords need.
class PlainMaker final : public TenantUserMaker {
public:
    PlainMaker(MetadataStore& store, const Clock& clock) : store_{store}, clock_{clock} {}

    Task<std::int64_t> make_member(Caller caller, std::int64_t tenant_id, NewTenantUser user) override
    {
        Account account;
        account.name = user.name;
        CO_TRY(const auto made, co_await store_.accounts().create(account));
        const Actor actor{.user_id = caller.identity->user_id, .at = clock_.now()};
        CO_CHECK(co_await store_.tenants().add_member(tenant_id, made.id, 0, actor));
        co_return made.id;
    }

private:
    MetadataStore& store_;
    const Clock& clock_;
};

class TenancyFixture : public testing::Test {
protected:
    template <class T>
    static Result<T> run(Task<T> task)
    {
        return run_to_end(std::move(task));
    }

    // A new user that nobody has granted anything, in no tenant.
    Caller person(const std::string& name)
    {
        Account account;
        account.name = name;
        account.credential_version = 1;
        const auto made = run(store.accounts().create(account)).value();
        (void)run(store.tenants().remove_member(default_tenant_id, made.id, {}));
        EXPECT_TRUE(run(directory.catch_up()));
        Caller caller;
        caller.identity = std::make_shared<const Identity>(Identity{.user_id = made.id, .name = name});
        caller.credential_version = made.credential_version;
        return caller;
    }

    Caller platform_admin()
    {
        auto caller = person("root");
        NewGrant grant;
        grant.subject_id = caller.identity->user_id;
        grant.role_id = role::platform_admin;
        grant.origin = "test";
        EXPECT_TRUE(run(store.grants().create(grant, {})));
        EXPECT_TRUE(run(directory.catch_up()));
        return caller;
    }

    std::int64_t tenant_with_admin(const std::string& name, const Caller& admin, bool templates = false)
    {
        TenantWish wish;
        wish.name = name;
        wish.with_templates = templates;
        wish.admins = {admin.identity->name};
        const auto made = run(tenants.create(root, wish));
        EXPECT_TRUE(made) << (made ? "" : made.error().message());
        return made ? made->id : 0;
    }

    Caller member_of(std::int64_t tenant, const std::string& name, const std::string& role = {})
    {
        auto caller = person(name);
        EXPECT_TRUE(run(members.add(root, tenant, {.name = name}, {.name = role})));
        return caller;
    }

    std::int64_t project_in(std::int64_t tenant, std::string_view name)
    {
        NewProject wanted{.name = ProjectName::parse(name).value()};
        wanted.tenant_id = tenant;
        const auto made = run(store.projects().create(wanted, {}));
        EXPECT_TRUE(run(directory.catch_up()));
        return made.value().id;
    }

    GrantWish wish(const std::string& user, ObjectKind kind, std::int64_t object, std::int64_t role_id)
    {
        GrantWish wanted;
        wanted.subject.name = user;
        wanted.object_kind = kind;
        wanted.object_id = object;
        wanted.role.id = role_id;
        return wanted;
    }

    bool may(const Caller& caller, ObjectKind kind, std::int64_t id, std::string_view resource, std::string_view action)
    {
        return policy.may(
            caller, find_permission(kind, resource, action).value(), {.kind = kind, .id = id, .name = {}}
        );
    }

    FakeClock clock;
    OpenStore opened{clock};
    MetadataStore& store{*opened};
    AccessPolicy policy{ProjectCreation::nobody, clock};
    AccessDirectory directory{store.access(), policy};
    Granting granting{store.grants(), store.roles(), policy, directory, clock};
    PlainMaker maker{store, clock};
    Tenants tenants{store.tenants(), granting};
    TenantMembers members{store.tenants(), store.teams(), maker, granting};
    Teams teams{store.teams(), granting};
    Grants grants{granting};
    ProjectMembers project_members{granting, store.groups()};
    UserGroups groups{store.groups(), granting};
    Roles roles{granting};
    ExplainAccess explain{granting};
    Caller root = platform_admin();
};

#define EXPECT_REFUSED(expected, ...)                                                  \
    do {                                                                               \
        const auto outcome_ = (__VA_ARGS__);                                           \
        ASSERT_FALSE(outcome_) << "it was allowed";                                    \
        EXPECT_EQ(outcome_.error().code(), expected)                                   \
            << name_of(outcome_.error().code()) << ": " << outcome_.error().message(); \
    } while (false)

#define EXPECT_DONE(...)                                                                                       \
    do {                                                                                                       \
        const auto outcome_ = (__VA_ARGS__);                                                                   \
        ASSERT_TRUE(outcome_) << name_of(outcome_.error().code()) << ": " << outcome_.error().message() << " " \
                              << outcome_.error().detail();                                                    \
    } while (false)

}  // namespace entrepot
