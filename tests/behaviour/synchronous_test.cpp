// Pushes that several sites have to hold: sites in memory that can be away, and the rows of a real store.
#include "core/run_to_end.hpp"
#include "drivers/memory/memory_blobs.hpp"
#include "drivers/memory/memory_site.hpp"
#include "exchange/synchronous/synchronous_pushes.hpp"
#include "tests/support/access_entries_of.hpp"
#include "tests/support/open_store.hpp"
#include "tests/support/troubled_site.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

constexpr Actor someone{7, 1'000};

RepositoryName repository(std::string_view text = "p/web")
{
    return RepositoryName::parse(text).value();
}

Tag tag(std::string_view text)
{
    return Tag::parse(text).value();
}

class Sites final : public HomeSites {
public:
    struct Site {
        std::shared_ptr<MemorySite> memory = std::make_shared<MemorySite>();
        std::atomic<bool> away{false};
        std::atomic<bool> knows_another{false};
        std::atomic<int> told{0};
        std::shared_ptr<TroubledSite> troubled{};  // where it is set, before the first push
    };
    Site& at(std::int64_t id) { return sites_[id]; }

    Task<std::shared_ptr<CopySite>> open_as_home(std::int64_t id, HomeClaim) override
    {
        auto& site = sites_.at(id);
        if (site.away) co_return fail(Errc::unavailable, "the site is away");
        if (site.knows_another) co_return fail(Errc::precondition_failed, "another home");
        if (site.troubled) co_return site.troubled;
        co_return site.memory;
    }
    Task<> announce(std::int64_t id, std::string, HomeClaim) override
    {
        auto& site = sites_.at(id);
        if (site.away) co_return fail(Errc::unavailable, "the site is away");
        if (site.knows_another) co_return fail(Errc::conflict, "the home is another one");
        ++site.told;
        co_return Result<>{};
    }
    Task<> dismiss(std::int64_t, std::string, HomeClaim) override { co_return Result<>{}; }

private:
    std::map<std::int64_t, Site> sites_;
};

class SynchronousPush : public testing::Test {
protected:
    SynchronousPush()
    {
        project_ = run_to_end((*store_).projects().create({.name = ProjectName::parse("p").value()}, someone))->id;
        for (const auto* name : {"one", "two"}) {
            RegistryEndpoint endpoint;
            endpoint.name = name;
            endpoint.type = "entrepot";
            endpoint.url = "https://" + endpoint.name + ".example";
            const auto id = run_to_end((*store_).endpoints().create(endpoint, someone))->id;
            ids_.push_back(id);
            (void)sites_.at(id);
        }
        (void)run_to_end(here_->prepare(repository()));
    }
    void lead(std::int64_t required, bool degrades = false, bool takes_over = false)
    {
        Synchronisation wanted{.project_id = project_, .home = "https://home.example", .required = required};
        wanted.degrades = degrades;
        wanted.patience = 20;
        for (const auto id : ids_) wanted.sites.push_back({.registry_id = id, .project = "there"});
        const auto made = run_to_end((*store_).synchronous().lead(wanted, takes_over, someone));
        ASSERT_TRUE(made) << made.error().message();
        learn();
        if (pushes_) return;
        pushes_.emplace(SynchronousPushes::Needs{.policy = policy_, .copier = copier_parts()});
    }
    SiteCopier::Parts copier_parts()
    {
        return {
            .loop = loop_,
            .catalog = (*store_).synchronous(),
            .sites = sites_,
            .make_local = [this](std::int64_t) { return here_; },
            .catch_up = [this]() -> Task<> {
                learn();
                co_return Result<>{};
            },
            .views = bytes_,
            .reading = reading_,
            .clock = clock_,
            .random = random_,
        };
    }
    // The policy knows what the store does.
    void learn()
    {
        auto known = run_to_end((*store_).access().changes_since(0));
        if (known) policy_.apply(*std::move(known));
    }
    // As a client's push goes: what the manifest's PUT answers.
    Result<std::string> push(const std::string& name, const std::string& content, const UploadId& upload = {})
    {
        const auto blob = digest_of(content);
        const Descriptor layer{
            .media_type = "application/vnd.oci.image.layer.v1.tar", .digest = blob, .size = content.size()
        };
        const std::string described =
            R"("digest":")" + blob.text() + R"(","size":)" + std::to_string(content.size()) + "}";
        const std::string bytes = R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",)"
                                  R"("config":{"mediaType":"application/vnd.oci.image.config.v1+json",)" +
                                  described + R"(,"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar",)" +
                                  described + "]}";
        (void)run_to_end(here_->put(repository(), blob, content));
        BlobCatalog::Arrival arrival{.repository = repository(), .digest = blob};
        arrival.size = content.size();
        arrival.actor = someone;
        (void)run_to_end((*store_).blobs().arrive(arrival));
        const std::string type{media::oci_manifest};
        const auto manifest = Manifest::parse(type, bytes).value();
        const auto copied = std::make_shared<const CopiedPush>(CopiedPush{
            .repository = repository(),
            .digest = digest_of(bytes),
            .media_type = type,
            .bytes = bytes,
            .blobs = manifest.required_blobs(),
            .children = {},
            .tags = {tag(name)},
            .actor = someone,
        });
        pushes_->blob_came(repository(), upload, blob, content.size());
        auto brought = run_to_end(pushes_->bring_content(copied));
        if (!brought) return std::unexpected{brought.error()};
        auto committed = run_to_end(
            (*store_).manifests().commit({repository(), copied->digest, bytes, manifest, copied->tags, someone})
        );
        if (!committed) return std::unexpected{committed.error()};
        (void)run_to_end(here_->push(repository(), Reference{tag(name)}, {copied->digest, type, bytes}));
        return run_to_end(pushes_->bring_tags(copied));
    }
    // Some more of an upload comes, as the home tells it.
    void comes(const UploadId& upload, const std::string& more)
    {
        auto& written = written_[upload.text];
        auto writer = run_to_end(bytes_.resume(upload, DigestAlgorithm::sha256, written, {}));
        ASSERT_TRUE(writer) << writer.error().message();
        for (std::size_t at = 0; at < more.size();) {
            Buffer chunk;
            at += chunk.fill(as_bytes(std::string_view{more}.substr(at)));
            ASSERT_TRUE(run_to_end((*writer)->append(std::move(chunk))));
        }
        written += more.size();
        pushes_->blob_comes(repository(), DigestAlgorithm::sha256, upload, written);
    }
    std::uint64_t received(std::size_t site) { return sites_.at(ids_[site]).memory->counts().received; }
    std::size_t uploads(std::size_t site) { return sites_.at(ids_[site]).memory->uploads(); }
    TroubledSite& trouble(std::size_t site)
    {
        auto& at = sites_.at(ids_[site]);
        at.troubled = std::make_shared<TroubledSite>(*at.memory);
        return *at.troubled;
    }
    template <class Condition>
    static bool soon(Condition done)
    {
        for (int tries = 0; tries < 2'000; ++tries) {
            if (done()) return true;
            std::this_thread::sleep_for(5ms);
        }
        return false;
    }

    // A tag that only the site has.
    void has_of_its_own(std::size_t site, const std::string& name)
    {
        const auto there = sites_.at(ids_[site]).memory;
        const std::string bytes =
            R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]})";
        const CopiedManifest own{digest_of(bytes), std::string{media::oci_index}, bytes};
        ASSERT_TRUE(run_to_end(there->prepare(repository("there/web"))));
        ASSERT_TRUE(run_to_end(there->push(repository("there/web"), Reference{tag(name)}, own)));
    }
    bool holds(std::size_t site, const std::string& name)
    {
        const auto there = sites_.at(ids_[site]).memory;
        const Reference reference{tag(name)};
        const auto here = run_to_end(here_->look(repository(), reference));
        const auto head = run_to_end(there->look(repository("there/web"), reference));
        return here && head && head->digest == here->digest && there->is_whole(repository("there/web"), reference);
    }
    std::size_t lacking(std::size_t site)
    {
        return run_to_end((*store_).synchronous().lacking(project_, ids_[site], "", "", 100))->size();
    }
    SiteRole role() { return run_to_end((*store_).synchronous().find(project_))->role; }
    // What is called every second.
    template <class Condition>
    bool catches_up(Condition done)
    {
        for (int tries = 0; tries < 3'000; ++tries) {
            if (done()) return true;
            (void)run_to_end(pushes_->catch_up());
            std::this_thread::sleep_for(10ms);
        }
        return false;
    }

    // The system's, and as far ahead as the test wants.
    class AheadClock final : public Clock {
    public:
        Micros now() const noexcept override { return system_.now(); }
        std::chrono::steady_clock::time_point steady() const noexcept override
        {
            return system_.steady() + std::chrono::seconds{ahead};
        }
        std::atomic<int> ahead{0};

    private:
        SystemClock system_;
    };
    AheadClock clock_;
    SystemRandom random_;
    OpenStore store_{clock_};
    AccessPolicy policy_{ProjectCreation::nobody, clock_};
    Sites sites_;
    std::shared_ptr<MemorySite> here_ = std::make_shared<MemorySite>();
    MemoryBlobs bytes_;
    std::map<std::string, std::uint64_t> written_;
    asio::thread_pool reading_{1};
    asio::io_context loop_{1};
    std::int64_t project_ = 0;
    std::vector<std::int64_t> ids_;
    std::optional<SynchronousPushes> pushes_;
};

TEST_F(SynchronousPush, is_acknowledged_when_all_that_have_to_hold_it_do)
{
    lead(2);
    EXPECT_TRUE(pushes_->concerns(repository()));
    EXPECT_FALSE(pushes_->concerns(repository("other/web")));
    const auto pushed = push("v1", "content");
    ASSERT_TRUE(pushed) << pushed.error().message();
    EXPECT_EQ(*pushed, "");
    EXPECT_TRUE(holds(0, "v1"));
    EXPECT_TRUE(holds(1, "v1"));
    EXPECT_EQ(lacking(0) + lacking(1), 0U);
    ASSERT_TRUE(push("v1", "other content"));
    EXPECT_TRUE(holds(0, "v1"));
    EXPECT_EQ(sites_.at(ids_[0]).memory->counts().received, std::string{"contentother content"}.size())
        << "each blob travels once, though it is asked for when it comes and with its manifest";
}

TEST_F(SynchronousPush, that_too_few_hold_is_refused_and_nobody_sees_it)
{
    lead(2);
    sites_.at(ids_[1]).away = true;
    const auto pushed = push("v1", "content");
    ASSERT_FALSE(pushed);
    EXPECT_EQ(pushed.error().code(), Errc::unavailable);
    EXPECT_NE(pushed.error().message().find("two"), std::string::npos) << pushed.error().message();
    EXPECT_EQ(pushed.error().message().find("one ("), std::string::npos);
    EXPECT_FALSE(run_to_end((*store_).manifests().load(repository(), Reference{tag("v1")})));
    EXPECT_EQ(lacking(0) + lacking(1), 0U);
    sites_.at(ids_[1]).away = false;
    EXPECT_TRUE(push("v1", "content"));
}

TEST_F(SynchronousPush, k_of_n_are_enough_and_the_others_catch_up)
{
    lead(1);
    sites_.at(ids_[1]).away = true;
    const auto pushed = push("v1", "content");
    ASSERT_TRUE(pushed) << pushed.error().message();
    EXPECT_EQ(*pushed, "");
    EXPECT_TRUE(holds(0, "v1"));
    EXPECT_EQ(lacking(1), 1U);
    sites_.at(ids_[1]).away = false;
    EXPECT_TRUE(catches_up([&] { return lacking(1) == 0; }));
    EXPECT_TRUE(holds(1, "v1"));
    // A tag that goes, goes there too.
    ASSERT_TRUE(run_to_end((*store_).manifests().remove(repository(), Reference{tag("v1")}, someone)));
    ASSERT_TRUE(run_to_end(here_->remove(repository(), Reference{tag("v1")})));
    EXPECT_TRUE(catches_up([&] { return lacking(0) + lacking(1) == 0; }));
    EXPECT_FALSE(run_to_end(sites_.at(ids_[1]).memory->look(repository("there/web"), Reference{tag("v1")})));
}

TEST_F(SynchronousPush, degraded_is_told_and_brought_over)
{
    lead(2, true);
    sites_.at(ids_[0]).away = true;
    sites_.at(ids_[1]).away = true;
    const auto pushed = push("v1", "content");
    ASSERT_TRUE(pushed) << pushed.error().message();
    EXPECT_NE(pushed->find("0 of the 2"), std::string::npos) << *pushed;
    EXPECT_EQ(lacking(0), 1U);
    MetricsText text;
    (void)run_to_end(pushes_->catch_up());
    pushes_->add_metrics(text);
    EXPECT_NE(text.text().find("entrepot_synchronous_degraded_projects 1"), std::string::npos);
    sites_.at(ids_[0]).away = false;
    sites_.at(ids_[1]).away = false;
    EXPECT_TRUE(catches_up([&] { return lacking(0) + lacking(1) == 0; }));
    EXPECT_TRUE(holds(0, "v1"));
    EXPECT_TRUE(holds(1, "v1"));
}

TEST_F(SynchronousPush, to_a_home_that_was_taken_over_is_refused_and_it_is_fenced)
{
    lead(1);
    ASSERT_TRUE(push("v1", "content"));
    sites_.at(ids_[0]).knows_another = true;
    sites_.at(ids_[1]).away = true;
    EXPECT_FALSE(push("v2", "more"));
    EXPECT_EQ(role(), SiteRole::fenced);
    EXPECT_FALSE(pushes_->concerns(repository()));
    const auto denied = push("v3", "still more");
    ASSERT_FALSE(denied);
    EXPECT_EQ(denied.error().code(), Errc::denied);
}

TEST_F(SynchronousPush, what_only_a_site_has_goes_when_a_new_home_takes_over)
{
    has_of_its_own(0, "own");
    ASSERT_TRUE(run_to_end((*store_).synchronous().follow(project_, 1, "https://former.example", someone)));
    lead(1, false, true);
    const auto there = sites_.at(ids_[0]).memory;
    EXPECT_TRUE(catches_up([&] {
        return !run_to_end(there->look(repository("there/web"), Reference{tag("own")})) && lacking(0) == 0;
    }));
}

TEST_F(SynchronousPush, what_a_site_had_before_it_was_one_stays)
{
    has_of_its_own(0, "own");
    lead(1);
    EXPECT_TRUE(catches_up([&] {
        const auto known = run_to_end((*store_).synchronous().find(project_));
        return std::ranges::all_of(known->sites, [](const auto& site) { return site.followed_epoch == 1; });
    }));
    ASSERT_TRUE(push("v1", "content"));
    EXPECT_TRUE(catches_up([&] { return lacking(0) + lacking(1) == 0; }));
    const auto there = sites_.at(ids_[0]).memory;
    EXPECT_TRUE(run_to_end(there->look(repository("there/web"), Reference{tag("own")})));
    EXPECT_TRUE(holds(0, "v1"));
}

const UploadId first_upload{std::string(32, 'a')};
const UploadId second_upload{std::string(32, 'b')};
constexpr std::size_t mebibyte = 1U << 20U;

std::string some_bytes(std::size_t size)
{
    std::string bytes(size, '\0');
    for (std::size_t at = 0; at < size; ++at) bytes[at] = static_cast<char>('a' + at * 7 / 5 % 26);
    return bytes;
}

TEST_F(SynchronousPush, sends_a_blob_on_while_it_comes)
{
    lead(2);
    const auto content = some_bytes(5 * mebibyte);
    comes(first_upload, content.substr(0, mebibyte - 1));
    EXPECT_EQ(sites_.at(ids_[0]).told, 0) << "so little is brought when it is a blob";
    comes(first_upload, content.substr(mebibyte - 1, mebibyte + 1));
    // Less than a mebibyte is not worth a request.
    EXPECT_TRUE(soon([&] { return received(0) > mebibyte && received(1) > mebibyte; }));
    comes(first_upload, content.substr(2 * mebibyte, 2 * mebibyte));
    EXPECT_TRUE(soon([&] { return received(0) > 3 * mebibyte && received(1) > 3 * mebibyte; }));
    const auto there = sites_.at(ids_[0]).memory;
    EXPECT_EQ(there->bytes(), 0U) << "nothing is a blob before its digest is known";
    comes(first_upload, content.substr(4 * mebibyte));
    const auto pushed = push("v1", content, first_upload);
    ASSERT_TRUE(pushed) << pushed.error().message();
    EXPECT_TRUE(holds(0, "v1"));
    EXPECT_TRUE(holds(1, "v1"));
    EXPECT_EQ(received(0), content.size()) << "no byte goes twice";
    EXPECT_EQ(there->counts().begun, 1U);
    EXPECT_EQ(uploads(0) + uploads(1), 0U);
}

TEST_F(SynchronousPush, an_upload_that_fails_leaves_nothing_at_the_sites)
{
    lead(2);
    comes(first_upload, some_bytes(3 * mebibyte));
    EXPECT_TRUE(soon([&] { return received(0) > 0 && received(1) > 0; }));
    pushes_->blob_fails(first_upload);
    EXPECT_TRUE(soon([&] { return uploads(0) + uploads(1) == 0; }));
    // And one that nobody goes on with.
    comes(second_upload, some_bytes(3 * mebibyte));
    EXPECT_TRUE(soon([&] { return uploads(0) == 1 && uploads(1) == 1; }));
    clock_.ahead = 61;
    EXPECT_TRUE(soon([&] { return uploads(0) + uploads(1) == 0; }));
    EXPECT_EQ(sites_.at(ids_[0]).memory->bytes(), 0U);
    // Which comes after all.
    const auto content = some_bytes(4 * mebibyte);
    comes(second_upload, content.substr(3 * mebibyte));
    const auto pushed = push("v1", content, second_upload);
    ASSERT_TRUE(pushed) << pushed.error().message();
    EXPECT_TRUE(holds(0, "v1"));
    EXPECT_TRUE(soon([&] { return uploads(0) + uploads(1) == 0; }));
}

TEST_F(SynchronousPush, other_bytes_than_the_blob_has_become_none_at_the_sites)
{
    lead(2);
    const auto content = some_bytes(3 * mebibyte);
    comes(first_upload, std::string(3 * mebibyte, 'x'));
    EXPECT_TRUE(soon([&] { return received(0) > 2 * mebibyte && received(1) > 2 * mebibyte; }));
    const auto pushed = push("v1", content, first_upload);
    ASSERT_TRUE(pushed) << pushed.error().message();
    EXPECT_TRUE(holds(0, "v1"));
    EXPECT_TRUE(holds(1, "v1"));
    EXPECT_EQ(sites_.at(ids_[0]).memory->bytes(), content.size());
    EXPECT_EQ(uploads(0) + uploads(1), 0U);
}

TEST_F(SynchronousPush, a_site_that_breaks_while_a_blob_comes_gets_it_all_the_same)
{
    std::atomic<bool> broken{false};
    std::atomic<int> refused{0};
    trouble(0).before = [&](const std::string& method) -> std::optional<Error> {
        if (!broken || (method != "append" && method != "resume")) return std::nullopt;
        ++refused;
        return Error{Errc::connection_lost, "the connection broke"};
    };
    trouble(1).breaks_every = mebibyte + 12'345;
    lead(2);
    const auto content = some_bytes(6 * mebibyte);
    comes(first_upload, content.substr(0, 2 * mebibyte));
    EXPECT_TRUE(soon([&] { return received(0) > mebibyte; }));
    broken = true;
    comes(first_upload, content.substr(2 * mebibyte, 2 * mebibyte));
    EXPECT_TRUE(soon([&] { return refused > 0 && uploads(0) == 0; })) << "its upload is given up";
    EXPECT_TRUE(soon([&] { return received(1) > 3 * mebibyte; })) << "the other one goes on where it broke";
    const auto given_up = refused.load();
    comes(first_upload, content.substr(4 * mebibyte));
    EXPECT_TRUE(soon([&] { return received(1) > content.size() - mebibyte; }));
    EXPECT_EQ(refused, given_up) << "nobody tries again before it is a blob";
    broken = false;
    const auto before = received(0);
    const auto pushed = push("v1", content, first_upload);
    ASSERT_TRUE(pushed) << pushed.error().message();
    EXPECT_TRUE(holds(0, "v1"));
    EXPECT_TRUE(holds(1, "v1"));
    EXPECT_EQ(received(0), before + content.size());
    EXPECT_TRUE(soon([&] { return uploads(0) + uploads(1) == 0; }));
}

TEST_F(SynchronousPush, two_uploads_of_one_blob_leave_one_there)
{
    lead(2);
    const auto content = some_bytes(3 * mebibyte);
    for (const auto& upload : {first_upload, second_upload}) comes(upload, content);
    EXPECT_TRUE(soon([&] { return received(0) > 4 * mebibyte && received(1) > 4 * mebibyte; }));
    // Both become it before any site has it.
    (void)run_to_end(here_->put(repository(), digest_of(content), content));
    pushes_->blob_came(repository(), second_upload, digest_of(content), content.size());
    const auto pushed = push("v1", content, first_upload);
    ASSERT_TRUE(pushed) << pushed.error().message();
    EXPECT_TRUE(holds(0, "v1"));
    EXPECT_TRUE(holds(1, "v1"));
    EXPECT_TRUE(soon([&] { return uploads(0) + uploads(1) == 0; }));
    EXPECT_EQ(sites_.at(ids_[0]).memory->bytes(), content.size());
}

TEST_F(SynchronousPush, a_site_that_asks_for_long_chunks_gets_them)
{
    sites_.at(ids_[0]).memory = std::make_shared<MemorySite>(MemorySite::Options{.shortest_chunk = 3 * mebibyte});
    sites_.at(ids_[1]).memory = std::make_shared<MemorySite>(MemorySite::Options{.takes_chunks = false});
    lead(2);
    const auto content = some_bytes(5 * mebibyte);
    comes(first_upload, content.substr(0, 2 * mebibyte));
    comes(first_upload, content.substr(2 * mebibyte, 2 * mebibyte));
    EXPECT_TRUE(soon([&] { return received(0) >= 3 * mebibyte; }));
    comes(first_upload, content.substr(4 * mebibyte));
    const auto pushed = push("v1", content, first_upload);
    ASSERT_TRUE(pushed) << pushed.error().message();
    EXPECT_TRUE(holds(0, "v1"));
    EXPECT_TRUE(holds(1, "v1"));
    EXPECT_TRUE(soon([&] { return uploads(0) + uploads(1) == 0; }));
}

TEST_F(SynchronousPush, a_site_that_throws_is_one_that_lacks_it)
{
    trouble(0).before = [](const std::string& method) -> std::optional<Error> {
        if (method == "push") throw std::runtime_error{"a bug"};
        return std::nullopt;
    };
    lead(2);
    const auto pushed = push("v1", "content");
    ASSERT_FALSE(pushed);
    EXPECT_NE(pushed.error().message().find("one ("), std::string::npos) << pushed.error().message();
}

TEST_F(SynchronousPush, a_site_that_was_dismissed_is_not_told_again)
{
    lead(1);
    SiteCopier copier{copier_parts()};
    SiteOrder order{.project_id = project_, .registry_id = ids_[0], .registry = "one", .there = "there", .claim = {}};
    order.claim = {.epoch = 1, .home = "https://home.example"};
    ASSERT_TRUE(run_to_end((*store_).synchronous().stop(project_, someone)));
    EXPECT_EQ(run_to_end(copier.announce(order)).error().code(), Errc::cancelled);
    lead(1);
    EXPECT_EQ(run_to_end(copier.announce(order)).error().code(), Errc::cancelled) << "the epoch is another one";
    EXPECT_EQ(sites_.at(ids_[0]).told, 0);
    order.claim.epoch = 2;
    EXPECT_TRUE(run_to_end(copier.announce(order)));
    EXPECT_EQ(sites_.at(ids_[0]).told, 1);
    order.there = "elsewhere";
    order.claim.epoch = 2;
    SiteCopier another{copier_parts()};
    EXPECT_EQ(run_to_end(another.announce(order)).error().code(), Errc::cancelled);
}

}  // namespace
}  // namespace entrepot
