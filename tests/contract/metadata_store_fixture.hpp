#pragma once

#include "tests/contract/metadata_store_contract.hpp"
#include "tests/support/swarm_rows.hpp"

namespace entrepot::contract {

// The rows that every fixture of an old schema version holds, as a store of today shows them; those of the swarm are
// there from version 16 on, and preheats from 17 on.
inline void write_fixture_rows(MetadataStore& store)
{
    const RepositoryName name = repository("old/app");
    Account admin;
    admin.name = "admin";
    admin.password_hash = "$argon2id$fixture";
    const auto made = run(store.accounts().create_admin(admin));
    ASSERT_TRUE(made);
    ASSERT_TRUE(run(store.projects().create({.name = project("old"), .is_public = true}, {made->id, 1})));
    const Image image{.blobs = {"config", "layer"}};
    for (const std::string& blob : image.blobs) ASSERT_TRUE(run(store.blobs().arrive(arrival(name, blob))));
    ASSERT_TRUE(run(store.manifests().commit(pushed(name, image, {"v1", "latest"}))));
    const Image signature{
        .blobs = {"config"}, .artifact_type = "application/x-sig", .subject = digest_of(image.bytes())
    };
    ASSERT_TRUE(run(store.manifests().commit(pushed(name, signature))));
    ASSERT_TRUE(run(store.uploads().begin(upload(1, "old/app"), 5)));
    ASSERT_TRUE(run(store.keys().add({"kid", "sealed", 1, 2})));
    ASSERT_TRUE(run(store.refresh_tokens().add({"hash", made->id, "registry", "docker", 0, 9})));
    write_swarm_rows(store);
    write_preheat_rows(store);
}

inline void expect_fixture_rows(MetadataStore& store)
{
    const RepositoryName name = repository("old/app");
    const Image image{.blobs = {"config", "layer"}};
    const auto loaded = run(store.manifests().load(name, reference("v1")));
    ASSERT_TRUE(loaded) << loaded.error().detail();
    EXPECT_EQ((*loaded)->bytes, image.bytes());
    EXPECT_EQ(run(store.manifests().tags(name, {10, ""})).value()->names, (std::vector<std::string>{"latest", "v1"}));
    EXPECT_EQ(
        run(store.manifests().referrers(name, digest_of(image.bytes()), "application/x-sig", {9, ""}))
            ->referrers.size(),
        1U
    );
    EXPECT_EQ(run(store.blobs().load(name, digest_of("layer"))).value(), 5U);
    EXPECT_TRUE(run(store.projects().find(project("old")))->is_public);
    EXPECT_GT(run(store.projects().find(project("old")))->bytes, 11);
    EXPECT_EQ(run(store.uploads().find(name, upload_id(1)))->hash_state, upload(1).hash_state);
    EXPECT_EQ(run(store.accounts().find("admin"))->password_hash, "$argon2id$fixture");
    EXPECT_EQ(run(store.keys().signing_keys())->size(), 1U);
    EXPECT_TRUE(run(store.refresh_tokens().find("hash")));
    // Version 1 knew an admin and an owner: both are grants now.
    const auto access = run(store.access().changes_since(0)).value();
    const SubjectKey admin{SubjectKind::principal, run(store.accounts().find("admin"))->id};
    ASSERT_EQ(access.platform_grants->size(), 1U);
    EXPECT_EQ(access.platform_grants->front().subject, admin);
    EXPECT_EQ(access.platform_grants->front().role_id, role::platform_admin);
    ASSERT_EQ(access.projects.size(), 1U);
    EXPECT_EQ(access.projects.front().tenant_id, default_tenant_id);
    ASSERT_EQ(access.projects.front().grants.size(), 1U);
    EXPECT_EQ(access.projects.front().grants.front().subject, admin);
    EXPECT_EQ(access.projects.front().grants.front().role_id, role::project_admin);
    ASSERT_EQ(access.principals.size(), 1U);
    EXPECT_EQ(access.principals.front().tenants, std::vector{default_tenant_id});
    EXPECT_TRUE(run(store.manifests().remove(name, reference("v1"), {1, 1})));
}

}  // namespace entrepot::contract
