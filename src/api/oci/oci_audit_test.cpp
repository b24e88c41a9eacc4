#include "api/oci/oci_audit.hpp"

#include "core/run_to_end.hpp"
#include "tests/support/access_entries_of.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_request.hpp"
#include "tests/support/memory_audit.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

const std::string digest = digest_of("x").text();

class OciTrail : public testing::Test {
protected:
    OciTrail()
    {
        AccessChanges changes;
        changes.version = 1;
        changes.projects = {project_entry(12, "team")};
        policy.apply(std::move(changes));
    }
    static OciRoute route_of(const Request& request)
    {
        const auto route = match_oci_route(request.path);
        EXPECT_TRUE(route) << request.path;
        return route.value_or(OciRoute{});
    }
    static std::optional<OciAudit::Change> change_of(const Request& request)
    {
        return OciAudit::change_of(request, route_of(request));
    }
    static Response answer(unsigned status)
    {
        Response response;
        response.status = status;
        return response;
    }
    // What a client is told of a request that has this outcome.
    Result<Response> settle(const Request& request, Result<Response> outcome)
    {
        auto change = change_of(request);
        EXPECT_TRUE(change);
        return run_to_end(audit.settle(request, *change, std::string{route_of(request).name}, alice, std::move(outcome))
        );
    }
    void refuse(const Request& request, std::optional<Caller> known, Errc code)
    {
        EXPECT_TRUE(run_to_end(audit.refused(request, route_of(request), std::move(known), Error{code, "no"})));
    }
    AuditRecord only_record() const
    {
        const auto records = trail.records();
        EXPECT_EQ(records.size(), 1U);
        return records.empty() ? AuditRecord{} : records.front();
    }

    MemoryTrail trail;
    FakeClock clock;
    AccessPolicy policy{ProjectCreation::admins, clock};
    OciAudit audit{trail, policy, clock};
    std::shared_ptr<const Identity> alice = std::make_shared<Identity>(Identity{7, "alice", PrincipalKind::user});
    Caller caller{.identity = alice, .scopes = nullptr};
    FakeRequest push{Method::put, "/v2/team/app/manifests/1.0"};
    FakeRequest mount{Method::post, "/v2/team/app/blobs/uploads/?mount=" + digest + "&from=team/base"};
};

TEST_F(OciTrail, has_a_push_before_its_answer_with_digest_project_and_tenant)
{
    auto created = answer(201);
    created.add("Docker-Content-Digest", digest);
    const auto settled = settle(push, std::move(created));
    ASSERT_TRUE(settled);
    EXPECT_EQ(settled->status, 201U);
    EXPECT_EQ(trail.durable, 1);
    const auto record = only_record();
    EXPECT_EQ(record.operation, "create");
    EXPECT_EQ(record.resource_type, "artifact");
    EXPECT_EQ(record.resource, "team/app:1.0");
    EXPECT_EQ(record.result, "ok");
    EXPECT_EQ(record.user_id, 7);
    EXPECT_EQ(record.project_id, 12);
    EXPECT_EQ(record.tenant_id, project_entry(12, "team").tenant_id);
    EXPECT_EQ(record.client, "192.0.2.1");
    EXPECT_EQ(record.after, R"({"digest":")" + digest + R"("})");
}

TEST_F(OciTrail, makes_a_push_without_a_record_an_error)
{
    trail.full = true;
    const auto settled = settle(push, answer(201));
    ASSERT_FALSE(settled);
    EXPECT_EQ(settled.error().code(), Errc::storage_full);
}

TEST_F(OciTrail, has_pushes_that_failed_and_those_that_were_denied)
{
    const auto failed = settle(push, fail(Errc::manifest_invalid, "no manifest"));
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code(), Errc::manifest_invalid);
    EXPECT_FALSE(settle(push, fail(Errc::denied, "read-only")));
    ASSERT_EQ(trail.records().size(), 2U);
    EXPECT_EQ(trail.records()[0].result, "failed");
    EXPECT_EQ(trail.records()[0].detail, "no manifest");
    EXPECT_EQ(trail.records()[1].result, "denied");
    EXPECT_EQ(trail.durable, 0);
}

TEST_F(OciTrail, knows_changes_from_what_is_not_recorded_by_itself)
{
    const auto change = [](Method method, const std::string& path) {
        const auto found = change_of(FakeRequest{method, path});
        return found ? std::string{found->operation} + " " + found->type + " " + found->resource : std::string{};
    };
    EXPECT_EQ(change(Method::put, "/v2/team/app/manifests/" + digest), "create artifact team/app@" + digest);
    EXPECT_EQ(change(Method::del, "/v2/team/app/manifests/" + digest), "delete artifact team/app@" + digest);
    EXPECT_EQ(change(Method::del, "/v2/team/app/manifests/1.0"), "delete tag team/app:1.0");
    EXPECT_EQ(change(Method::del, "/v2/team/app/blobs/" + digest), "delete blob team/app@" + digest);
    EXPECT_EQ(
        change(Method::post, "/v2/team/app/blobs/uploads/?mount=" + digest), "create blob-mount team/app@" + digest
    );
    EXPECT_EQ(change(Method::post, "/v2/team/app/blobs/uploads/"), "") << "blobs come with their manifest";
    EXPECT_EQ(change(Method::post, "/v2/team/app/blobs/uploads/?digest=" + digest), "");
    EXPECT_EQ(change(Method::patch, "/v2/team/app/blobs/uploads/abc"), "");
    EXPECT_EQ(change(Method::get, "/v2/team/app/manifests/1.0"), "") << "pulls are gathered";
    EXPECT_EQ(change(Method::get, "/v2/team/app/blobs/" + digest), "");
}

TEST_F(OciTrail, has_a_mount_that_was_done_and_none_that_became_an_upload_or_failed)
{
    const auto upload = settle(mount, answer(202));
    ASSERT_TRUE(upload);
    EXPECT_EQ(upload->status, 202U);
    EXPECT_FALSE(settle(mount, fail(Errc::digest_invalid, "no digest")));
    EXPECT_TRUE(trail.records().empty());
    ASSERT_TRUE(settle(mount, answer(201)));
    EXPECT_EQ(only_record().resource_type, "blob-mount");
    EXPECT_EQ(trail.durable, 1);
}

TEST_F(OciTrail, has_no_challenge_to_a_client_without_credentials)
{
    refuse(push, std::nullopt, Errc::unauthorized);
    refuse(FakeRequest{Method::get, "/v2/"}, std::nullopt, Errc::unauthorized);
    EXPECT_TRUE(trail.records().empty());
}

TEST_F(OciTrail, has_wrong_credentials_as_a_failed_log_in)
{
    FakeRequest request{Method::get, "/v2/team/app/manifests/1.0"};
    request.with_basic("mallory", "guess");
    refuse(request, std::nullopt, Errc::unauthorized);
    const auto record = only_record();
    EXPECT_EQ(record.operation, "login");
    EXPECT_EQ(record.result, "failed");
    EXPECT_EQ(record.user, "mallory");
}

TEST_F(OciTrail, has_what_a_known_caller_was_denied)
{
    FakeRequest request{Method::get, "/v2/team/app/manifests/1.0"};
    request.with("Authorization", "Bearer token");
    refuse(request, caller, Errc::denied);
    const auto record = only_record();
    EXPECT_EQ(record.operation, "pull");
    EXPECT_EQ(record.resource_type, "repository");
    EXPECT_EQ(record.resource, "team/app");
    EXPECT_EQ(record.result, "denied");
    EXPECT_EQ(record.user_id, 7);
    EXPECT_EQ(record.project_id, 12);
    FakeRequest catalog{Method::get, "/v2/_catalog"};
    catalog.with("Authorization", "Bearer token");
    refuse(catalog, std::nullopt, Errc::unauthorized);
    EXPECT_EQ(trail.records().back().resource_type, "catalog");
    EXPECT_EQ(trail.records().back().user, "");
}

TEST_F(OciTrail, has_no_errors_that_are_no_denials)
{
    FakeRequest request{Method::get, "/v2/team/app/manifests/1.0"};
    request.with("Authorization", "Bearer token");
    for (const auto code : {Errc::manifest_unknown, Errc::unavailable, Errc::name_invalid}) {
        refuse(request, caller, code);
    }
    EXPECT_TRUE(trail.records().empty());
}

TEST_F(OciTrail, counts_pulls_by_tag_and_by_digest_from_where_they_came)
{
    FakeRequest request{Method::get, "/v2/team/app/manifests/1.0"};
    request.from("198.51.100.9");
    const auto app = RepositoryName::parse("team/app").value();
    const StoredManifest manifest{digest_of("x"), "application/json", "x"};
    audit.pulled(request, caller, app, Reference::parse("1.0").value(), manifest);
    audit.pulled(request, caller, app, Reference{digest_of("x")}, manifest);
    EXPECT_EQ(trail.pulls(), (std::vector<std::string>{"team/app:1.0 by 198.51.100.9", "team/app: by 198.51.100.9"}));
}

}  // namespace
}  // namespace entrepot
