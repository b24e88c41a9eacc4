#pragma once

#include "tests/contract/metadata_store_contract.hpp"

namespace entrepot::contract {

TEST_P(MetadataStoreContract, keeps_users_and_ends_what_was_remembered_of_an_old_password)
{
    EXPECT_EQ(run(store().accounts().count()).value(), 0);
    Account admin;
    admin.name = "admin";
    admin.password_hash = "$argon2id$one";
    admin.created_at = 42;
    const auto made = run(store().accounts().create(admin));
    ASSERT_TRUE(made);
    EXPECT_GT(made->id, 0);
    EXPECT_FAILS(Errc::conflict, run(store().accounts().create(admin)));
    const auto found = run(store().accounts().find("admin"));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->password_hash, "$argon2id$one");
    EXPECT_EQ(found->kind, PrincipalKind::user);
    EXPECT_FALSE(found->disabled);
    EXPECT_EQ(found->created_at, 42);
    EXPECT_EQ(found->credential_version, made->credential_version);
    EXPECT_SUCCEEDS(run(store().accounts().set_password(made->id, "$argon2id$two", {})));
    const auto changed = run(store().accounts().find_by_id(made->id));
    ASSERT_TRUE(changed);
    EXPECT_EQ(changed->password_hash, "$argon2id$two");
    EXPECT_GT(changed->credential_version, found->credential_version);
    EXPECT_EQ(run(store().accounts().count()).value(), 1);
    EXPECT_FAILS(Errc::not_found, run(store().accounts().find("nobody")));
    EXPECT_FAILS(Errc::not_found, run(store().accounts().find_by_id(made->id + 1)));
    EXPECT_FAILS(Errc::not_found, run(store().accounts().set_password(made->id + 1, "x", {})));
}

TEST_P(MetadataStoreContract, keeps_signing_keys_sealed_bytes_and_all)
{
    const SealedKey second{"kid-b", std::string{"\0\x01sealed\xff", 9}, 200, 900};
    EXPECT_SUCCEEDS(run(store().keys().add(second)));
    EXPECT_SUCCEEDS(run(store().keys().add({"kid-a", "sealed", 100, 800})));
    EXPECT_FAILS(Errc::conflict, run(store().keys().add(second)));
    host().reopen();
    const auto keys = run(store().keys().signing_keys());
    ASSERT_EQ(keys->size(), 2U);
    EXPECT_EQ(keys->front().id, "kid-a");
    EXPECT_EQ(keys->back().sealed, second.sealed);
    EXPECT_EQ(keys->back().retires_at, 900);
    EXPECT_SUCCEEDS(run(store().keys().remove("kid-a")));
    EXPECT_SUCCEEDS(run(store().keys().remove("kid-a")));
    EXPECT_EQ(run(store().keys().signing_keys())->size(), 1U);
}

TEST_P(MetadataStoreContract, keeps_refresh_tokens_until_they_expire)
{
    Account user;
    user.name = "u";
    const auto made = run(store().accounts().create(user));
    ASSERT_TRUE(made);
    const RefreshToken token{"hash", made->id, "registry", "docker", 4, 1000};
    EXPECT_SUCCEEDS(run(store().refresh_tokens().add(token)));
    EXPECT_FAILS(Errc::conflict, run(store().refresh_tokens().add(token)));
    const auto found = run(store().refresh_tokens().find("hash"));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->user_id, made->id);
    EXPECT_EQ(found->service, "registry");
    EXPECT_EQ(found->client_id, "docker");
    EXPECT_EQ(found->credential_version, 4);
    EXPECT_EQ(found->expires_at, 1000);
    EXPECT_SUCCEEDS(run(store().refresh_tokens().remove_expired(999)));
    EXPECT_SUCCEEDS(run(store().refresh_tokens().find("hash")));
    EXPECT_SUCCEEDS(run(store().refresh_tokens().remove_expired(1000)));
    EXPECT_FAILS(Errc::not_found, run(store().refresh_tokens().find("hash")));
}

TEST_P(MetadataStoreContract, is_healthy)
{
    EXPECT_SUCCEEDS(run(store().health().probe()));
}

TEST_P(MetadataStoreContract, answers_unavailable_once_it_has_stopped)
{
    store().stop();
    EXPECT_FAILS(Errc::unavailable, run(store().health().probe()));
    EXPECT_FAILS(Errc::unavailable, run(store().projects().create({.name = project("late")}, someone)));
}

}  // namespace entrepot::contract
