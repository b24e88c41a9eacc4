// The verbs of the registry against a real SQLite catalog and blobs in memory: what a client sees of an upload's life,
// of mounts and of pushes, HTTP aside.
#include "core/run_to_end.hpp"
#include "drivers/memory/memory_blobs.hpp"
#include "drivers/sqlite/sqlite_store.hpp"
#include "registry/browse.hpp"
#include "registry/mount_blob.hpp"
#include "registry/pull.hpp"
#include "registry/push_manifest.hpp"
#include "registry/uploads.hpp"
#include "tenancy/access_directory.hpp"
#include "tests/support/pattern.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace entrepot {
namespace {

// A body that comes in pieces, and may break off.
class Body final : public ByteSource {
public:
    explicit Body(std::string text, std::optional<std::size_t> breaks_after = std::nullopt, bool announced = true)
        : text_{std::move(text)}, breaks_after_{breaks_after}, announced_{announced}
    {
    }
    std::optional<std::uint64_t> size() const override
    {
        return announced_ ? std::optional<std::uint64_t>{text_.size()} : std::nullopt;
    }
    Task<std::size_t> read(std::span<std::byte> into) override
    {
        const auto end = std::min(text_.size(), breaks_after_.value_or(text_.size()));
        if (at_ == end && breaks_after_) co_return fail(Errc::connection_lost, "the connection broke");
        const auto count = std::min({into.size(), end - at_, std::size_t{7'001}});
        std::copy_n(as_bytes(text_).begin() + static_cast<std::ptrdiff_t>(at_), count, into.begin());
        at_ += count;
        co_return count;
    }

private:
    std::string text_;
    std::optional<std::size_t> breaks_after_;
    bool announced_;
    std::size_t at_ = 0;
};

// Other sites, as a push sees them.
class CountedCopies final : public PushCopies {
public:
    bool concerns(const RepositoryName&) const override { return known; }
    Task<bool> concerns_now(RepositoryName) override
    {
        known = known || exist;
        co_return known;
    }
    void blob_comes(const RepositoryName&, DigestAlgorithm, const UploadId& upload, std::uint64_t bytes) override
    {
        coming[upload.text] = bytes;
    }
    void blob_fails(const UploadId& upload) override { coming.erase(upload.text); }
    void blob_came(const RepositoryName&, const UploadId& upload, const Digest&, std::uint64_t size) override
    {
        came[upload.text] = size;
        coming.erase(upload.text);
    }
    Task<> bring_content(CopiedPushPtr) override
    {
        ++contents;
        co_return Result<>{};
    }
    Task<std::string> bring_tags(CopiedPushPtr) override
    {
        ++tags;
        co_return std::string{};
    }
    bool known = false;
    bool exist = false;
    int contents = 0;
    int tags = 0;
    std::map<std::string, std::uint64_t> coming;  // bytes by upload
    std::map<std::string, std::uint64_t> came;
};

class TheRegistry : public testing::Test {
protected:
    ~TheRegistry() override
    {
        store->stop();
        store.reset();
        std::filesystem::remove_all(directory_);
    }
    static std::string make_directory()
    {
        std::string name = std::filesystem::temp_directory_path() / "entrepot-behaviour-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr) std::abort();
        return name;
    }
    std::unique_ptr<MetadataStore> open_store()
    {
        SqliteOptions options;
        options.file = directory_ + "/db";
        return open_sqlite_store(options, clock);
    }

    template <class T>
    static Result<T> run(Task<T> task)
    {
        return run_to_end(std::move(task));
    }
    static RepositoryName name(std::string_view text) { return RepositoryName::parse(text).value(); }

    // A new user, known to the policy.
    Caller caller_named(std::string user, bool is_admin)
    {
        Account account;
        account.name = std::move(user);
        account.credential_version = 1;
        const auto made = run(is_admin ? store->accounts().create_admin(account) : store->accounts().create(account));
        if (!run(directory.catch_up())) std::abort();
        Caller caller;
        caller.identity = std::make_shared<const Identity>(Identity{.user_id = made->id, .name = made->name});
        caller.credential_version = made->credential_version;
        return caller;
    }

    void has_blob(std::string_view repository, const std::string& bytes)
    {
        Body body{bytes};
        const auto digest = digest_of(bytes);
        ASSERT_TRUE(run(uploads.push(name(repository), digest, body, admin)));
    }

    std::string directory_ = make_directory();
    SystemClock clock;
    SystemRandom random;
    std::unique_ptr<MetadataStore> store{open_store()};
    MemoryBlobs blobs;
    AccessPolicy policy{ProjectCreation::admins, clock};
    AccessDirectory directory{store->access(), policy};
    ProjectGate gate{policy, store->projects(), [this] { return directory.catch_up(); }};
    PullLedger ledger{store->pulls(), clock};
    Pull pull{store->manifests(), store->blobs(), blobs, ledger, clock, 7'200'000'000};
    asio::thread_pool parsing{1};
    PushManifest push_manifest{{store->manifests(), store->blobs(), blobs}, gate, parsing, {}};
    MountBlob mount{store->blobs(), policy, gate};
    Uploads uploads{store->uploads(), store->blobs(), blobs, gate, random, clock, {}};
    Browse browse{store->manifests(), store->blobs(), policy};
    Caller admin = caller_named("admin", true);
    Caller stranger = caller_named("stranger", false);
};

TEST_F(TheRegistry, an_upload_in_chunks_becomes_the_blob)
{
    const auto bytes = pattern(300'000);
    const auto id = run(uploads.begin(name("p/r"), DigestAlgorithm::sha256, admin)).value();
    Body first{bytes.substr(0, 100'000)};
    EXPECT_EQ(run(uploads.append(name("p/r"), id, ChunkRange{0, 99'999}, first)).value(), 100'000U);
    Body second{bytes.substr(100'000, 150'000), std::nullopt, false};
    EXPECT_EQ(run(uploads.append(name("p/r"), id, std::nullopt, second)).value(), 250'000U);
    Body rest{bytes.substr(250'000)};
    ASSERT_TRUE(run(uploads.finish(name("p/r"), id, digest_of(bytes), std::nullopt, rest, admin)));

    const auto content = run(pull.load_blob(name("p/r"), digest_of(bytes)));
    ASSERT_TRUE(content);
    EXPECT_EQ(*content->bytes, bytes);
    EXPECT_EQ(run(uploads.offset(name("p/r"), id)).error().code(), Errc::upload_unknown);
}

TEST_F(TheRegistry, a_body_that_breaks_off_leaves_what_came)
{
    const auto bytes = pattern(200'000);
    const auto id = run(uploads.begin(name("p/r"), DigestAlgorithm::sha256, admin)).value();
    Body broken{bytes, 123'456};
    EXPECT_EQ(run(uploads.append(name("p/r"), id, std::nullopt, broken)).error().code(), Errc::connection_lost);
    EXPECT_EQ(run(uploads.offset(name("p/r"), id)).value(), 123'456U);
    Body rest{bytes.substr(123'456)};
    ASSERT_TRUE(run(uploads.finish(name("p/r"), id, digest_of(bytes), std::nullopt, rest, admin)));
}

TEST_F(TheRegistry, a_chunk_at_the_wrong_place_is_refused_and_changes_nothing)
{
    const auto id = run(uploads.begin(name("p/r"), DigestAlgorithm::sha256, admin)).value();
    Body first{"0123456789"};
    ASSERT_TRUE(run(uploads.append(name("p/r"), id, ChunkRange{0, 9}, first)));
    Body hole{"0123456789"};
    EXPECT_EQ(run(uploads.append(name("p/r"), id, ChunkRange{20, 29}, hole)).error().code(), Errc::upload_offset);
    Body again{"0123456789"};
    EXPECT_EQ(run(uploads.append(name("p/r"), id, ChunkRange{0, 9}, again)).error().code(), Errc::upload_offset);
    Body liar{"0123"};
    EXPECT_EQ(run(uploads.append(name("p/r"), id, ChunkRange{10, 19}, liar)).error().code(), Errc::size_invalid);
    EXPECT_EQ(run(uploads.offset(name("p/r"), id)).value(), 10U);
}

TEST_F(TheRegistry, what_comes_is_told_and_what_becomes_of_it)
{
    CountedCopies copies;
    uploads.tell(&copies);
    const auto bytes = pattern(600'000);
    const auto begun = [&] {
        const auto id = run(uploads.begin(name("p/r"), DigestAlgorithm::sha256, admin)).value();
        Body first{bytes.substr(0, 400'000)};
        EXPECT_TRUE(run(uploads.append(name("p/r"), id, std::nullopt, first)));
        EXPECT_EQ(copies.coming[id.text], 400'000U);
        return id;
    };
    const auto good = begun();
    Body rest{bytes.substr(400'000)};
    ASSERT_TRUE(run(uploads.finish(name("p/r"), good, digest_of(bytes), std::nullopt, rest, admin)));
    EXPECT_EQ(copies.came[good.text], bytes.size());

    const auto wrong = begun();
    Body nothing{{}};
    EXPECT_FALSE(run(uploads.finish(name("p/r"), wrong, digest_of("x"), std::nullopt, nothing, admin)));
    ASSERT_TRUE(run(uploads.cancel(name("p/r"), begun())));
    (void)begun();
    ASSERT_TRUE(run(uploads.expire(-1'000'000)));
    EXPECT_TRUE(copies.coming.empty());

    // Whole, in one request.
    Body whole{bytes};
    ASSERT_TRUE(run(uploads.push(name("p/r"), digest_of(bytes), whole, admin)));
    EXPECT_EQ(copies.came.size(), 2U);
    for (const auto& breaks_after : {std::optional<std::size_t>{}, std::optional<std::size_t>{500'000}}) {
        Body bad{bytes, breaks_after};
        EXPECT_FALSE(run(uploads.push(name("p/r"), digest_of("x"), bad, admin)));
    }
    EXPECT_TRUE(copies.coming.empty());
    EXPECT_EQ(copies.came.size(), 2U);
}

TEST_F(TheRegistry, bytes_of_another_digest_never_become_a_blob)
{
    for (const std::size_t size : {std::size_t{100}, std::size_t{200'000}}) {
        const auto id = run(uploads.begin(name("p/r"), DigestAlgorithm::sha256, admin)).value();
        Body body{pattern(size)};
        const auto lie = digest_of("something else");
        EXPECT_EQ(
            run(uploads.finish(name("p/r"), id, lie, std::nullopt, body, admin)).error().code(), Errc::digest_mismatch
        );
        EXPECT_EQ(run(pull.load_blob(name("p/r"), lie)).error().code(), Errc::blob_unknown);
        EXPECT_EQ(run(uploads.offset(name("p/r"), id)).error().code(), Errc::upload_unknown);
    }
}

TEST_F(TheRegistry, a_sha512_digest_may_end_an_upload_that_began_without_saying_so)
{
    const auto bytes = pattern(150'000);
    const auto digest = digest_of(bytes, DigestAlgorithm::sha512);
    const auto id = run(uploads.begin(name("p/r"), DigestAlgorithm::sha256, admin)).value();
    Body first{bytes.substr(0, 100'000)};
    ASSERT_TRUE(run(uploads.append(name("p/r"), id, std::nullopt, first)));
    Body rest{bytes.substr(100'000)};
    const auto finished = run(uploads.finish(name("p/r"), id, digest, std::nullopt, rest, admin));
    ASSERT_TRUE(finished) << finished.error().message();
    EXPECT_TRUE(run(pull.load_blob(name("p/r"), digest)));
}

// What a kill leaves between the store's commit and the catalog's: the blob is stored, the session stands, its bytes
// are used up.
TEST_F(TheRegistry, an_upload_that_was_killed_while_it_ended_can_be_ended_again)
{
    const auto bytes = pattern(200'000);
    const auto id = run(uploads.begin(name("p/r"), DigestAlgorithm::sha256, admin)).value();
    Body first{bytes.substr(0, 100'000)};
    ASSERT_TRUE(run(uploads.append(name("p/r"), id, std::nullopt, first)));
    const auto session = run(store->uploads().find(name("p/r"), id)).value();
    {
        const auto upload = run(blobs.resume(id, session.algorithm, session.offset, session.hash_state));
        Buffer rest;
        rest.fill(as_bytes(bytes).subspan(100'000));
        ASSERT_TRUE(run((*upload)->append(std::move(rest))));
        ASSERT_TRUE(run((*upload)->commit(digest_of(bytes))));
    }
    Body again{bytes.substr(100'000)};
    ASSERT_TRUE(run(uploads.finish(name("p/r"), id, digest_of(bytes), std::nullopt, again, admin)));
    EXPECT_TRUE(run(pull.load_blob(name("p/r"), digest_of(bytes))));
}

TEST_F(TheRegistry, a_session_whose_bytes_are_gone_gives_nobody_a_blob_that_they_did_not_send)
{
    const auto secret = pattern(200'000, 3);
    has_blob("p/other", secret);
    const auto id = run(uploads.begin(name("p/r"), DigestAlgorithm::sha256, admin)).value();
    Body first{pattern(100'000)};
    ASSERT_TRUE(run(uploads.append(name("p/r"), id, std::nullopt, first)));
    ASSERT_TRUE(run(blobs.discard(id)));
    Body rest{pattern(100'000)};
    const auto finished = run(uploads.finish(name("p/r"), id, digest_of(secret), std::nullopt, rest, admin));
    EXPECT_EQ(finished.error().code(), Errc::upload_unknown);
    EXPECT_EQ(run(pull.load_blob(name("p/r"), digest_of(secret))).error().code(), Errc::blob_unknown);
}

TEST_F(TheRegistry, a_session_belongs_to_its_repository)
{
    const auto id = run(uploads.begin(name("p/r"), DigestAlgorithm::sha256, admin)).value();
    Body body{"x"};
    EXPECT_EQ(run(uploads.append(name("p/other"), id, std::nullopt, body)).error().code(), Errc::upload_unknown);
    EXPECT_EQ(run(uploads.cancel(name("p/other"), id)).error().code(), Errc::upload_unknown);
    EXPECT_TRUE(run(uploads.cancel(name("p/r"), id)));
    EXPECT_EQ(run(uploads.cancel(name("p/r"), id)).error().code(), Errc::upload_unknown);
}

TEST_F(TheRegistry, sessions_that_nobody_touches_expire)
{
    const auto id = run(uploads.begin(name("p/r"), DigestAlgorithm::sha256, admin)).value();
    ASSERT_TRUE(run(uploads.expire(3'600'000'000)));
    EXPECT_TRUE(run(uploads.offset(name("p/r"), id)));
    ASSERT_TRUE(run(uploads.expire(-1'000'000)));
    EXPECT_EQ(run(uploads.offset(name("p/r"), id)).error().code(), Errc::upload_unknown);
}

TEST_F(TheRegistry, only_who_may_create_projects_creates_one_by_pushing)
{
    EXPECT_EQ(run(uploads.begin(name("new/r"), DigestAlgorithm::sha256, stranger)).error().code(), Errc::name_unknown);
    EXPECT_TRUE(run(uploads.begin(name("new/r"), DigestAlgorithm::sha256, admin)));
}

TEST_F(TheRegistry, a_blob_is_readable_only_where_it_is_linked)
{
    has_blob("p/a", "hello");
    EXPECT_TRUE(run(pull.load_blob(name("p/a"), digest_of("hello"))));
    EXPECT_EQ(run(pull.load_blob(name("p/b"), digest_of("hello"))).error().code(), Errc::blob_unknown);
}

TEST_F(TheRegistry, a_mount_needs_the_right_to_pull_from_the_source)
{
    has_blob("p/a", "hello");
    const auto digest = digest_of("hello");
    const Actor actor{.user_id = 1, .at = 1};
    auto narrow = admin;
    narrow.scopes = std::make_shared<TokenScopes>(TokenScopes{.entries = {{"p/b", all_actions}}});

    using Kind = MountOutcome::Kind;
    const auto mounting =
        [&](std::string_view into, std::optional<RepositoryName> from, const Digest& what, const Caller& who) {
            return run(mount(name(into), std::move(from), what, who, actor)).value().kind;
        };

    EXPECT_EQ(mounting("p/b", name("p/a"), digest, narrow), Kind::wider_token);
    EXPECT_EQ(mounting("p/b", std::nullopt, digest, narrow), Kind::wider_token);
    EXPECT_EQ(mounting("p/b", name("p/a"), digest, stranger), Kind::upload);
    EXPECT_EQ(mounting("p/b", std::nullopt, digest, stranger), Kind::upload);
    EXPECT_EQ(run(pull.load_blob(name("p/b"), digest)).error().code(), Errc::blob_unknown);

    EXPECT_EQ(mounting("p/b", std::nullopt, digest, admin), Kind::mounted);
    EXPECT_TRUE(run(pull.load_blob(name("p/b"), digest)));
    EXPECT_EQ(mounting("p/c", name("p/a"), digest, admin), Kind::mounted);
    EXPECT_EQ(mounting("p/c", name("p/a"), digest_of("absent"), admin), Kind::upload);
    EXPECT_EQ(mounting("p/c", name("p/a"), digest_of("absent"), narrow), Kind::upload);
}

TEST_F(TheRegistry, a_manifest_needs_its_blobs_and_keeps_its_bytes)
{
    const auto layer = pattern(1'000);
    const std::string config = "{}";
    const auto bytes =
        R"({ "schemaVersion":2, "config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":")" +
        digest_of(config).text() + R"(","size":2},"layers":[{"mediaType":"x","digest":")" + digest_of(layer).text() +
        R"(","size":1000}]})";
    const auto push = [&](std::string_view reference) {
        return run(push_manifest(ManifestPush{
            .repository = name("p/r"),
            .reference = Reference::parse(reference).value(),
            .extra_tags = {},
            .media_type = MediaType::parse(media::oci_manifest).value(),
            .bytes = bytes,
            .caller = admin,
            .actor = {.user_id = 1, .at = clock.now()},
        }));
    };
    has_blob("p/r", config);
    EXPECT_EQ(push("v1").error().code(), Errc::manifest_blob_unknown);
    has_blob("p/r", layer);
    ASSERT_TRUE(push("v1"));
    EXPECT_EQ(push(digest_of("other").text()).error().code(), Errc::digest_mismatch);

    const auto pulled = run(pull.load_manifest(name("p/r"), Reference::parse("v1").value(), Pull::Purpose::take));
    ASSERT_TRUE(pulled);
    EXPECT_EQ((*pulled)->bytes, bytes);
    EXPECT_EQ(run(browse.remove_blob(name("p/r"), digest_of(layer), {})).error().code(), Errc::blob_in_use);
    EXPECT_TRUE(run(ledger.flush()));
    EXPECT_EQ(ledger.pulls(), 1U);

    ASSERT_TRUE(run(browse.remove_manifest(name("p/r"), Reference{digest_of(bytes)}, {})));
    EXPECT_FALSE(pull.peek_manifest(name("p/r"), Reference::parse("v1").value(), Pull::Purpose::look));
    EXPECT_TRUE(run(browse.remove_blob(name("p/r"), digest_of(layer), {})));
}

TEST_F(TheRegistry, a_push_learns_at_its_commit_that_other_sites_have_to_hold_it)
{
    CountedCopies copies;
    push_manifest.copy_to(&copies);
    const std::string config = "{}";
    has_blob("p/r", config);
    const auto push = [&](std::string_view tag, const std::string& content) {
        const std::string bytes =
            R"({"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":")" +
            digest_of(content).text() + R"(","size":)" + std::to_string(content.size()) + R"(},"layers":[]})";
        return run(push_manifest(ManifestPush{
            .repository = name("p/r"),
            .reference = Reference::parse(tag).value(),
            .extra_tags = {},
            .media_type = MediaType::parse(media::oci_manifest).value(),
            .bytes = bytes,
            .caller = admin,
            .actor = {.user_id = 1, .at = clock.now()},
        }));
    };
    ASSERT_TRUE(push("v1", config));
    EXPECT_EQ(copies.contents, 0);
    RegistryEndpoint endpoint;
    endpoint.name = "one";
    endpoint.type = "entrepot";
    endpoint.url = "https://one.example";
    const auto site = run(store->endpoints().create(endpoint, {}))->id;
    Synchronisation wanted{.project_id = policy.project("p")->id, .home = "https://home.example"};
    wanted.sites.push_back({.registry_id = site, .project = "p"});
    ASSERT_TRUE(run(store->synchronous().lead(wanted, false, {})));

    EXPECT_EQ(push("v2", config).error().code(), Errc::unavailable) << "it knows of no sites";
    EXPECT_FALSE(run(store->manifests().load(name("p/r"), Reference::parse("v2").value())));
    copies.exist = true;
    EXPECT_TRUE(push("v2", config));
    EXPECT_EQ(copies.contents, 1);
    EXPECT_EQ(copies.tags, 1);
    EXPECT_EQ(push("v3", "nobody's").error().code(), Errc::manifest_blob_unknown);
    EXPECT_EQ(copies.contents, 1) << "sites are not asked for what can't be committed";
}

}  // namespace
}  // namespace entrepot
