#pragma once

#include "tests/contract/metadata_store_contract.hpp"
#include "tests/contract/metadata_store_contract_races.hpp"
#include "tests/contract/metadata_store_contract_tenancy.hpp"

namespace entrepot::contract {

inline Account new_person(MetadataStore& store, const std::string& name, bool is_admin = false)
{
    Account account;
    account.name = name;
    account.email = name + "@example.org";
    account.realname = "Real " + name;
    account.password_hash = "$argon2id$" + name;
    account.credential_version = 1;
    account.created_at = 10;
    account.is_admin = is_admin;
    const auto made = run(store.accounts().create(account));
    EXPECT_TRUE(made) << (made ? "" : made.error().detail());
    return made.value_or(Account{});
}

inline AccessToken new_access_token(MetadataStore& store, std::int64_t user_id, const std::string& name)
{
    AccessToken token;
    token.user_id = user_id;
    token.name = name;
    token.hash = "hash of " + name;
    token.created_at = 20;
    const auto made = run(store.access_tokens().add(token, 100));
    EXPECT_TRUE(made) << (made ? "" : made.error().detail());
    return made.value_or(AccessToken{});
}

// Whether instances are told that something about the principal changed.
inline bool tells_of(MetadataStore& store, std::int64_t since, std::int64_t principal)
{
    const auto changes = changes_after(store, since);
    return std::ranges::find(changes.principals, principal, &PrincipalAccess::id) != changes.principals.end();
}

inline std::int64_t access_version(MetadataStore& store)
{
    return changes_after(store, 0).version;
}

TEST_P(MetadataStoreContract, keeps_people_with_all_they_say_about_themselves)
{
    const auto made = new_person(store(), "ann");
    const auto found = run(store().accounts().find("ann"));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->id, made.id);
    EXPECT_EQ(found->kind, PrincipalKind::user);
    EXPECT_EQ(found->email, "ann@example.org");
    EXPECT_EQ(found->realname, "Real ann");
    EXPECT_FALSE(found->disabled);
    EXPECT_FALSE(found->is_admin);
    EXPECT_EQ(found->updated_at, 10);
    EXPECT_SUCCEEDS(
        run(store().people().set_profile(made.id, {"new@example.org", "Ann", "hello"}, std::nullopt, {made.id, 30}))
    );
    const auto changed = run(store().accounts().find_by_id(made.id));
    ASSERT_TRUE(changed);
    EXPECT_EQ(changed->email, "new@example.org");
    EXPECT_EQ(changed->realname, "Ann");
    EXPECT_EQ(changed->comment, "hello");
    EXPECT_EQ(changed->updated_at, 30);
    EXPECT_FAILS(Errc::not_found, run(store().people().set_profile(made.id + 9, {}, std::nullopt, {made.id, 30})));
}

TEST_P(MetadataStoreContract, new_people_are_members_of_the_tenant_they_are_made_in)
{
    const auto tenant = new_tenant(store(), "red");
    const auto before = access_version(store());
    Account account;
    account.name = "ann";
    const auto made = run(store().accounts().create_in(tenant.id, account, {}));
    ASSERT_TRUE(made);
    const auto changes = changes_after(store(), before);
    ASSERT_EQ(changes.principals.size(), 1U);
    EXPECT_EQ(changes.principals.front().tenants, std::vector{tenant.id});
    account.name = "bob";
    EXPECT_FAILS(Errc::bad_request, run(store().accounts().create_in(tenant.id + 9, account, {})));
    EXPECT_FAILS(Errc::not_found, run(store().accounts().find("bob")));
}

TEST_P(MetadataStoreContract, an_email_belongs_to_one_person)
{
    const auto ann = new_person(store(), "ann");
    const auto bob = new_person(store(), "bob");
    EXPECT_FAILS(
        Errc::conflict, run(store().people().set_profile(bob.id, {ann.email, "", ""}, std::nullopt, {bob.id, 30}))
    );
    EXPECT_SUCCEEDS(run(store().people().set_profile(ann.id, {ann.email, "", ""}, std::nullopt, {ann.id, 30})));
    Account account;
    account.name = "eve";
    account.email = ann.email;
    EXPECT_FAILS(Errc::conflict, run(store().accounts().create(account)));
    EXPECT_TRUE(run(store().people().has_email(ann.email)).value());
    EXPECT_TRUE(run(store().people().has_name("ann")).value());
    EXPECT_FALSE(run(store().people().has_email("")).value());
    EXPECT_FALSE(run(store().people().has_name("eve")).value());
    account.email.clear();
    EXPECT_SUCCEEDS(run(store().accounts().create(account)));
    account.name = "mallory";
    EXPECT_SUCCEEDS(run(store().accounts().create(account)));
}

TEST_P(MetadataStoreContract, lists_people_by_their_fields)
{
    new_person(store(), "admin", true);
    const auto ann = new_person(store(), "ann");
    new_person(store(), "Annabel");
    auto page = run(store().people().list(everything()));
    ASSERT_TRUE(page);
    EXPECT_EQ(page->total, 3);
    EXPECT_TRUE(page->items.front().is_admin);
    EXPECT_TRUE(page->items.front().password_hash.empty());
    auto query = everything();
    query.conditions.push_back({"username", ListCondition::Kind::fuzzy, {"ANN"}});
    query.order.push_back({"username", true});
    query.limit = 1;
    page = run(store().people().list(query));
    ASSERT_TRUE(page);
    EXPECT_EQ(page->total, 2);
    ASSERT_EQ(page->items.size(), 1U);
    EXPECT_EQ(page->items.front().name, "ann");
    query.conditions = {{"user_id", ListCondition::Kind::equal, {std::to_string(ann.id)}}};
    EXPECT_EQ(run(store().people().list(query))->items.front().email, ann.email);
    query.conditions = {{"password_hash", ListCondition::Kind::equal, {"x"}}};
    EXPECT_FAILS(Errc::bad_request, run(store().people().list(query)));
}

TEST_P(MetadataStoreContract, people_are_found_by_those_who_share_a_tenant_with_them)
{
    const auto tenant = new_tenant(store(), "red");
    const auto ann = new_person(store(), "ann");
    Account account;
    account.name = "red-anna";
    const auto red = run(store().accounts().create_in(tenant.id, account, {}));
    ASSERT_TRUE(red);
    const auto seen_by = [&](std::int64_t id) {
        std::vector<std::string> names;
        for (const auto& found : run(store().people().search("NN", id, 0, 10))->items) names.push_back(found.name);
        return names;
    };
    EXPECT_EQ(seen_by(PeopleCatalog::everybody), (std::vector<std::string>{"ann", "red-anna"}));
    EXPECT_EQ(seen_by(ann.id), std::vector<std::string>{"ann"});
    EXPECT_EQ(seen_by(red->id), std::vector<std::string>{"red-anna"});
    EXPECT_TRUE(run(store().people().search("%", PeopleCatalog::everybody, 0, 10))->items.empty());
}

TEST_P(MetadataStoreContract, the_admin_flag_is_the_grant)
{
    const auto root = new_person(store(), "root", true);
    const auto ann = new_person(store(), "ann");
    const auto before = access_version(store());
    EXPECT_SUCCEEDS(run(store().people().set_admin(ann.id, true, {root.id, 50})));
    EXPECT_SUCCEEDS(run(store().people().set_admin(ann.id, true, {root.id, 51})));
    EXPECT_TRUE(run(store().accounts().find("ann"))->is_admin);
    const auto changes = changes_after(store(), before);
    ASSERT_TRUE(changes.platform_grants);
    const auto granted = std::ranges::count_if(*changes.platform_grants, [&](const GrantEntry& grant) {
        return grant.subject == SubjectKey{SubjectKind::principal, ann.id} && grant.role_id == role::platform_admin;
    });
    EXPECT_EQ(granted, 1);
    EXPECT_SUCCEEDS(run(store().people().set_admin(ann.id, false, {root.id, 52})));
    EXPECT_FALSE(run(store().accounts().find("ann"))->is_admin);
    EXPECT_FAILS(Errc::not_found, run(store().people().set_admin(ann.id + 9, true, {root.id, 53})));
}

TEST_P(MetadataStoreContract, the_last_enabled_platform_admin_stays)
{
    const auto root = new_person(store(), "root", true);
    const auto ann = new_person(store(), "ann", true);
    EXPECT_SUCCEEDS(run(store().people().set_disabled(ann.id, true, {root.id, 50})));
    EXPECT_FAILS(Errc::precondition_failed, run(store().people().set_disabled(root.id, true, {ann.id, 51})));
    // What can't be disabled keeps its profile too.
    EXPECT_FAILS(
        Errc::precondition_failed,
        run(store().people().set_profile(root.id, {"root@example.org", "Changed", ""}, true, {ann.id, 49}))
    );
    EXPECT_NE(run(store().accounts().find_by_id(root.id))->realname, "Changed");
    EXPECT_FAILS(Errc::precondition_failed, run(store().people().set_admin(root.id, false, {ann.id, 51})));
    EXPECT_FAILS(Errc::precondition_failed, run(store().people().remove(root.id, {ann.id, 51})));
    EXPECT_TRUE(run(store().accounts().find("root"))->is_admin);
    EXPECT_SUCCEEDS(run(store().people().set_disabled(ann.id, false, {root.id, 52})));
    EXPECT_SUCCEEDS(run(store().people().remove(root.id, {ann.id, 53})));
    EXPECT_FAILS(Errc::precondition_failed, run(store().people().remove(ann.id, {ann.id, 54})));
}

TEST_P(MetadataStoreContract, two_admins_who_unmake_each_other_leave_one)
{
    for (int round = 0; round < 10; ++round) {
        const auto suffix = std::to_string(round);
        const auto one = new_person(store(), "one" + suffix, true);
        const auto other = new_person(store(), "other" + suffix, true);
        if (round > 0) {
            // Only these two count.
            for (const auto& old : run(store().people().list(everything()))->items) {
                if (old.is_admin && old.id < one.id) {
                    EXPECT_SUCCEEDS(run(store().people().set_admin(old.id, false, {one.id, 60})));
                }
            }
        }
        std::optional<Result<>> first;
        std::optional<Result<>> second;
        {
            std::jthread racer{[&] { first = run(store().people().set_admin(one.id, false, {other.id, 61})); }};
            second = run(store().people().set_admin(other.id, false, {one.id, 61}));
        }
        EXPECT_NE(first->has_value(), second->has_value());
        const auto left = run(store().accounts().find_by_id(one.id))->is_admin +
                          run(store().accounts().find_by_id(other.id))->is_admin;
        EXPECT_EQ(left, 1);
    }
}

TEST_P(MetadataStoreContract, a_removed_person_leaves_the_id_and_frees_the_name)
{
    new_person(store(), "root", true);
    const auto ann = new_person(store(), "ann");
    const auto made = run(store().projects().create({.name = project("team")}, {ann.id, 20}));
    ASSERT_TRUE(made);
    EXPECT_SUCCEEDS(run(store().grants().create(project_grant(ann.id, made->id, role::guest), {ann.id, 20})));
    new_access_token(store(), ann.id, "laptop");
    EXPECT_SUCCEEDS(run(store().sessions().add({"session", ann.id, 1, "192.0.2.1", 20, 900})));
    EXPECT_SUCCEEDS(run(store().refresh_tokens().add({"refresh", ann.id, "registry", "docker", 1, 900})));
    EXPECT_SUCCEEDS(run(store().accounts().set_cli_secret(ann.id, "cli", {})));
    const auto before = access_version(store());
    EXPECT_SUCCEEDS(run(store().people().remove(ann.id, {1, 30})));
    EXPECT_FAILS(Errc::not_found, run(store().accounts().find("ann")));
    EXPECT_FAILS(Errc::not_found, run(store().accounts().find_by_id(ann.id)));
    EXPECT_FAILS(Errc::not_found, run(store().people().remove(ann.id, {1, 31})));
    EXPECT_FAILS(Errc::not_found, run(store().access_tokens().find("hash of laptop")));
    EXPECT_FAILS(Errc::not_found, run(store().sessions().find("session")));
    EXPECT_FAILS(Errc::not_found, run(store().refresh_tokens().find("refresh")));
    EXPECT_TRUE(run(store().grants().held_by(SubjectType::user, ann.id))->empty());
    EXPECT_EQ(run(store().people().list(everything()))->total, 1);
    EXPECT_EQ(run(store().accounts().count()).value(), 1);
    const auto changes = changes_after(store(), before);
    EXPECT_TRUE(std::ranges::find(changes.projects, made->id, &ProjectAccess::id) != changes.projects.end());
    for (const auto& principal : changes.principals) {
        if (principal.id == ann.id) EXPECT_TRUE(principal.disabled && principal.tenants.empty());
    }
    const auto next = new_person(store(), "ann");
    EXPECT_GT(next.id, ann.id);
    EXPECT_FALSE(run(store().accounts().find("ann#" + std::to_string(ann.id))));
}

TEST_P(MetadataStoreContract, disabling_ends_sessions_and_is_told)
{
    new_person(store(), "root", true);
    const auto ann = new_person(store(), "ann");
    EXPECT_SUCCEEDS(run(store().sessions().add({"session", ann.id, 1, "192.0.2.1", 20, 900})));
    auto before = access_version(store());
    EXPECT_SUCCEEDS(run(store().people().set_disabled(ann.id, true, {1, 30})));
    EXPECT_TRUE(run(store().accounts().find("ann"))->disabled);
    EXPECT_FAILS(Errc::not_found, run(store().sessions().find("session")));
    EXPECT_TRUE(tells_of(store(), before, ann.id));
    before = access_version(store());
    EXPECT_SUCCEEDS(run(store().people().set_disabled(ann.id, false, {1, 31})));
    EXPECT_TRUE(tells_of(store(), before, ann.id));
    EXPECT_FAILS(Errc::not_found, run(store().people().set_disabled(ann.id + 9, true, {1, 30})));
}

TEST_P(MetadataStoreContract, a_cli_secret_stands_beside_the_password_and_changes_the_version)
{
    const auto ann = new_person(store(), "ann");
    const auto before = access_version(store());
    EXPECT_SUCCEEDS(run(store().accounts().set_cli_secret(ann.id, "cli one", {})));
    EXPECT_SUCCEEDS(run(store().accounts().set_cli_secret(ann.id, "cli two", {})));
    const auto found = run(store().accounts().find("ann"));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->cli_hash, "cli two");
    EXPECT_EQ(found->password_hash, "$argon2id$ann");
    EXPECT_EQ(found->credential_version, 3);
    EXPECT_TRUE(tells_of(store(), before, ann.id));
    EXPECT_FAILS(Errc::not_found, run(store().accounts().set_cli_secret(ann.id + 9, "cli", {})));
}

TEST_P(MetadataStoreContract, keeps_access_tokens_with_their_scopes)
{
    const auto ann = new_person(store(), "ann");
    const auto bob = new_person(store(), "bob");
    AccessToken token;
    token.user_id = ann.id;
    token.name = "laptop";
    token.hash = "h1";
    token.created_at = 20;
    token.expires_at = 500;
    AccessTokenScope scope;
    scope.name = "team";
    scope.limit.kind = ObjectKind::project;
    scope.limit.id = 7;
    scope.limit.permissions.add(*find_permission(ObjectKind::project, "repository", "pull"));
    token.scopes = {scope};
    const auto before = access_version(store());
    const auto made = run(store().access_tokens().add(token, 100));
    ASSERT_TRUE(made);
    EXPECT_FAILS(Errc::conflict, run(store().access_tokens().add(token, 100)));
    EXPECT_TRUE(tells_of(store(), before, ann.id));
    host().reopen();
    for (const auto& found :
         {run(store().access_tokens().find("h1")), run(store().access_tokens().find_by_id(made->id))}) {
        ASSERT_TRUE(found);
        EXPECT_EQ(found->id, made->id);
        EXPECT_EQ(found->user_id, ann.id);
        EXPECT_EQ(found->name, "laptop");
        EXPECT_EQ(found->expires_at, 500);
        EXPECT_EQ(found->last_used_at, 0);
        ASSERT_TRUE(found->scopes);
        ASSERT_EQ(found->scopes->size(), 1U);
        EXPECT_EQ(found->scopes->front().name, "team");
        EXPECT_EQ(found->scopes->front().limit.id, 7);
        EXPECT_EQ(found->scopes->front().limit.permissions, scope.limit.permissions);
    }
    EXPECT_FALSE(new_access_token(store(), ann.id, "all").scopes);
    EXPECT_FALSE(run(store().access_tokens().find("hash of all"))->scopes);
    EXPECT_EQ(run(store().access_tokens().of_user(ann.id))->size(), 2U);
    EXPECT_EQ(run(store().access_tokens().of_user(ann.id))->front().name, "all");
    EXPECT_FAILS(Errc::not_found, run(store().access_tokens().remove(bob.id, made->id, {})));
    const auto after = access_version(store());
    EXPECT_SUCCEEDS(run(store().access_tokens().remove(ann.id, made->id, {})));
    EXPECT_TRUE(tells_of(store(), after, ann.id));
    EXPECT_FAILS(Errc::not_found, run(store().access_tokens().find("h1")));
}

TEST_P(MetadataStoreContract, nobody_has_more_access_tokens_than_the_limit_however_many_are_made_at_once)
{
    const auto ann = new_person(store(), "ann");
    const auto bob = new_person(store(), "bob");
    const auto add = [&](std::int64_t user, int number, std::int64_t most) {
        AccessToken token;
        token.user_id = user;
        token.name = "token " + std::to_string(number);
        token.hash = "hash " + std::to_string(user) + "/" + std::to_string(number);
        return run(store().access_tokens().add(token, most));
    };
    EXPECT_FAILS(Errc::not_found, add(ann.id + 1000, 1, 100));
    for (int round = 0; round < 10; ++round) {
        std::atomic<int> made = 0;
        std::atomic<int> refused = 0;
        Crowd crowd;
        for (int i = 0; i < 4; ++i) {
            crowd.add([&, number = 4 * round + i] {
                const auto done = add(ann.id, number, round + 1);
                ++(done ? made : refused);
                if (!done) EXPECT_EQ(done.error().code(), Errc::precondition_failed) << done.error().detail();
            });
        }
        crowd.join();
        ASSERT_EQ(made, 1) << "in round " << round;
        ASSERT_EQ(refused, 3);
    }
    EXPECT_EQ(run(store().access_tokens().of_user(ann.id))->size(), 10U);
    EXPECT_SUCCEEDS(add(bob.id, 1, 1));
    const auto first = run(store().access_tokens().of_user(ann.id))->front().id;
    EXPECT_SUCCEEDS(run(store().access_tokens().remove(ann.id, first, {})));
    EXPECT_SUCCEEDS(add(ann.id, 1000, 10));
}

TEST_P(MetadataStoreContract, access_tokens_that_expired_go_and_uses_only_move_forward)
{
    const auto ann = new_person(store(), "ann");
    const auto kept = new_access_token(store(), ann.id, "kept");
    AccessToken token;
    token.user_id = ann.id;
    token.name = "short";
    token.hash = "h2";
    token.expires_at = 500;
    EXPECT_SUCCEEDS(run(store().access_tokens().add(token, 100)));
    EXPECT_SUCCEEDS(run(store().access_tokens().remove_expired(499)));
    EXPECT_SUCCEEDS(run(store().access_tokens().find("h2")));
    EXPECT_SUCCEEDS(run(store().access_tokens().remove_expired(500)));
    EXPECT_FAILS(Errc::not_found, run(store().access_tokens().find("h2")));
    using enum CredentialUse::Kind;
    EXPECT_SUCCEEDS(run(store().access_tokens().record_use({{access_token, kept.id, 70}, {robot, 9999, 70}})));
    EXPECT_SUCCEEDS(run(store().access_tokens().record_use({{access_token, kept.id, 60}})));
    EXPECT_EQ(run(store().access_tokens().find_by_id(kept.id))->last_used_at, 70);
}

TEST_P(MetadataStoreContract, keeps_sessions_until_they_expire)
{
    const auto ann = new_person(store(), "ann");
    EXPECT_SUCCEEDS(run(store().sessions().add({"one", ann.id, 3, "192.0.2.1", 20, 500})));
    EXPECT_SUCCEEDS(run(store().sessions().add({"two", ann.id, 3, "192.0.2.1", 20, 500})));
    EXPECT_SUCCEEDS(run(store().sessions().extend("one", 600)));
    const auto found = run(store().sessions().find("one"));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->user_id, ann.id);
    EXPECT_EQ(found->credential_version, 3);
    EXPECT_EQ(found->client, "192.0.2.1");
    EXPECT_EQ(found->created_at, 20);
    EXPECT_EQ(found->expires_at, 600);
    EXPECT_SUCCEEDS(run(store().sessions().remove_expired(500)));
    EXPECT_SUCCEEDS(run(store().sessions().find("one")));
    EXPECT_FAILS(Errc::not_found, run(store().sessions().find("two")));
    EXPECT_SUCCEEDS(run(store().sessions().remove("one")));
    EXPECT_SUCCEEDS(run(store().sessions().remove("one")));
    EXPECT_FAILS(Errc::not_found, run(store().sessions().find("one")));
}

}  // namespace entrepot::contract
