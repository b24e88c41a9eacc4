// The copier between two sites in memory, and what it makes of links and registries that misbehave.
#include "core/random.hpp"
#include "drivers/memory/memory_site.hpp"
#include "exchange/copy/artifact_copier.hpp"
#include "exchange/copy/at_once.hpp"
#include "exchange/copy/blob_copier.hpp"
#include "exchange/copy/index_children.hpp"
#include "tests/support/copy_words.hpp"
#include "tests/support/pattern.hpp"
#include "tests/support/troubled_site.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace entrepot {
namespace {

constexpr std::uint64_t kib = 1024;

std::string descriptor(std::string_view type, std::string_view bytes, std::string_view more = {})
{
    return R"({"mediaType":")" + std::string{type} + R"(","digest":")" + digest_of(bytes).text() + R"(","size":)" +
           std::to_string(bytes.size()) + std::string{more} + "}";
}

struct Image {
    std::string config;
    std::vector<std::string> layers;
    std::string manifest;

    Digest digest() const { return digest_of(manifest); }
};

Image image(
    unsigned seed,
    const std::vector<std::size_t>& layers,
    std::string_view platform = "amd64",
    std::string_view subject = {},
    std::string_view artifact_type = {}
)
{
    Image made;
    made.config =
        R"({"os":"linux","architecture":")" + std::string{platform} + R"(","seed":)" + std::to_string(seed) + "}";
    made.manifest = R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",)";
    if (!artifact_type.empty()) made.manifest += R"("artifactType":")" + std::string{artifact_type} + R"(",)";
    made.manifest +=
        R"("config":)" + descriptor("application/vnd.oci.image.config.v1+json", made.config) + R"(,"layers":[)";
    for (std::size_t index = 0; index < layers.size(); ++index) {
        made.layers.push_back(pattern(layers[index], seed * 100 + static_cast<unsigned>(index)));
        if (index > 0) made.manifest += ",";
        made.manifest += descriptor("application/vnd.oci.image.layer.v1.tar+gzip", made.layers.back());
    }
    made.manifest += "]";
    if (!subject.empty()) made.manifest += R"(,"subject":)" + descriptor(media::oci_manifest, subject);
    made.manifest += "}";
    return made;
}

void put_image(MemorySite& site, const std::string& repository, const Image& made, std::optional<std::string> tag = {})
{
    auto blobs = made.layers;
    blobs.push_back(made.config);
    for (const auto& blob : blobs) ASSERT_TRUE(run(site.put(name(repository), digest_of(blob), blob)));
    const CopiedManifest manifest{made.digest(), std::string{media::oci_manifest}, made.manifest};
    const auto as = tag ? tagged(*tag) : Reference{made.digest()};
    ASSERT_TRUE(run(site.push(name(repository), as, manifest)));
}

CopiedManifest index_of(const std::vector<std::pair<Image, std::string>>& children)
{
    std::string text = R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)";
    for (std::size_t at = 0; at < children.size(); ++at) {
        if (at > 0) text += ",";
        text += descriptor(media::oci_manifest, children[at].first.manifest, "," + children[at].second);
    }
    text += "]}";
    return {digest_of(text), std::string{media::oci_index}, text};
}

std::string platform(std::string_view os, std::string_view architecture)
{
    return R"("platform":{"os":")" + std::string{os} + R"(","architecture":")" + std::string{architecture} + R"("})";
}

class Copying : public testing::Test {
protected:
    Copying()
    {
        options.first_chunk = options.longest_chunk = 64 * kib;
        options.shortest_chunk = 16 * kib;
        options.first_wait = std::chrono::milliseconds{1};
        options.longest_wait = std::chrono::milliseconds{2};
    }

    // One run, as of one process: what it knows at the end is its ledger as it was saved last.
    Result<CopiedArtifact>
    copy(CopySite& from, CopySite& to, std::string_view tag = "1", std::string_view into = "there/app")
    {
        CopyRun copies{
            {from, to, limit, clock, random},
            options,
            {[this](std::string line) { log.push_back(std::move(line)); },
             [this] { return halt; },
             [this]() -> Task<> {
                 ++saves;
                 saved = running->ledger().json();
                 co_return Result<>{};
             }},
            CopyLedger::parse(saved)
        };
        running = &copies;
        ArtifactCopier copier{copies, {name("here/app"), tagged(tag), name(into), Tag::parse(tag).value()}};
        auto done = run(copier());
        tally = copies.tally();
        running = nullptr;
        return done;
    }
    bool logged(std::string_view what) const
    {
        return std::ranges::any_of(log, [&](const std::string& line) { return line.contains(what); });
    }

    SystemClock clock;
    SystemRandom random;
    std::shared_ptr<AdaptiveLimit> limit = std::make_shared<AdaptiveLimit>(AdaptiveLimit::Bounds{}, clock);
    MemorySite source;
    MemorySite target;
    CopyOptions options;
    std::vector<std::string> log;
    CopyHalt halt = CopyHalt::no;
    CopyRun* running = nullptr;
    boost::json::array saved;
    int saves = 0;
    CopyTally tally;
};

TEST_F(Copying, brings_an_image_with_all_of_its_bytes)
{
    const auto made = image(1, {1000, 300'000, 0});
    put_image(source, "here/app", made, "1");
    const auto done = copy(source, target);
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_EQ(done->end, CopiedArtifact::End::copied);
    EXPECT_TRUE(target.is_whole(name("there/app"), tagged("1")));
    EXPECT_EQ(target.counts().received, 301'000 + made.config.size());
    EXPECT_EQ(tally.again, 0U);
    EXPECT_TRUE(saved.empty() || CopyLedger::parse(saved).json().size() <= 1);
}

TEST_F(Copying, what_is_there_costs_looks_alone)
{
    put_image(source, "here/app", image(1, {1000}), "1");
    ASSERT_TRUE(copy(source, target));
    const auto before = target.counts();
    const auto given = source.counts();
    const auto done = copy(source, target);
    ASSERT_TRUE(done);
    EXPECT_EQ(done->end, CopiedArtifact::End::already_there);
    EXPECT_EQ(target.counts().pushes, before.pushes);
    EXPECT_EQ(target.counts().received, before.received);
    EXPECT_EQ(source.counts().manifests, given.manifests);
}

TEST_F(Copying, a_tag_that_differs_is_moved_or_left_as_it_is_told)
{
    put_image(source, "here/app", image(1, {1000}), "1");
    put_image(target, "there/app", image(2, {1000}), "1");
    options.overrides = false;
    EXPECT_EQ(copy(source, target)->end, CopiedArtifact::End::differs);
    EXPECT_EQ(run(target.look(name("there/app"), tagged("1")))->digest, image(2, {1000}).digest());
    options.overrides = true;
    EXPECT_EQ(copy(source, target)->end, CopiedArtifact::End::copied);
    EXPECT_EQ(run(target.look(name("there/app"), tagged("1")))->digest, image(1, {1000}).digest());
}

TEST_F(Copying, a_blob_that_two_repositories_need_travels_once)
{
    const auto made = image(1, {300'000, 5'000});
    put_image(source, "here/app", made, "1");
    CopyRun copies{
        {source, target, limit, clock, random},
        options,
        {[](std::string) {}, [] { return CopyHalt::no; }, []() -> Task<> { co_return Result<>{}; }},
        {}
    };
    for (const auto* into : {"there/a", "there/b"}) {
        ArtifactCopier copier{copies, {name("here/app"), tagged("1"), name(into), Tag::parse("1").value()}};
        ASSERT_TRUE(run(copier()));
        EXPECT_TRUE(target.is_whole(name(into), tagged("1")));
    }
    EXPECT_EQ(copies.tally().blobs, 3U);
    EXPECT_EQ(copies.tally().mounted, 3U);
    EXPECT_EQ(target.counts().received, 305'000 + made.config.size());
}

// The bound of the whole thing: per break no more than the chunk that broke.
TEST_F(Copying, a_link_that_breaks_costs_a_chunk_each_time)
{
    for (const bool keeps : {true, false}) {
        for (const std::uint64_t every : {70'001U, 150'000U, 333'333U}) {
            MemorySite there{{.keeps_partial_chunks = keeps}};
            TroubledSite link{there};
            link.breaks_every = every;
            put_image(source, "here/app", image(1, {2'000'000}), "1");
            limit = std::make_shared<AdaptiveLimit>(AdaptiveLimit::Bounds{}, clock);
            const auto done = copy(source, link);
            ASSERT_TRUE(done) << done.error().message() << " every " << every;
            EXPECT_TRUE(there.is_whole(name("there/app"), tagged("1")));
            EXPECT_GT(link.breaks, 3U);
            EXPECT_LE(tally.bytes, 2'000'000 + 1000 + link.breaks * options.longest_chunk) << every;
            if (keeps) EXPECT_LE(there.counts().received, 2'000'000 + 1000U) << "what arrived is not sent again";
            EXPECT_EQ(there.counts().begun, 1U);
        }
    }
}

TEST_F(Copying, a_source_that_breaks_off_is_read_on_from_there)
{
    class Short final : public ByteSource {
    public:
        Short(std::unique_ptr<ByteSource> whole, std::uint64_t most) : whole_{std::move(whole)}, left_{most} {}
        std::optional<std::uint64_t> size() const override { return whole_->size(); }
        Task<std::size_t> read(std::span<std::byte> into) override
        {
            if (left_ == 0) co_return std::size_t{0};  // as a truncated body ends
            CO_TRY(const auto count, co_await whole_->read(into.first(std::min<std::size_t>(into.size(), left_))));
            left_ -= count;
            co_return count;
        }

    private:
        std::unique_ptr<ByteSource> whole_;
        std::uint64_t left_;
    };
    for (const bool ranges : {true, false}) {
        MemorySite here{{.knows_ranges = ranges}};
        MemorySite there;
        put_image(here, "here/app", image(1, {1'000'000}), "1");
        TroubledSite link{here};
        std::uint64_t most = 200'000;
        link.with_blob = [&](BlobStream& stream) {
            stream.body = std::make_unique<Short>(std::move(stream.body), most);
            if (!ranges) most += 200'000;
        };
        const auto done = copy(link, there);
        ASSERT_TRUE(done) << done.error().message();
        EXPECT_TRUE(there.is_whole(name("there/app"), tagged("1")));
        EXPECT_LE(there.counts().received, 1'000'000 + 1000U);
        EXPECT_EQ(tally.skipped > 0, !ranges);
        EXPECT_GE(tally.breaks, 3U);
    }
}

TEST_F(Copying, a_process_killed_between_any_two_calls_is_gone_on_from)
{
    options.shortest_chunk = options.first_chunk = options.longest_chunk = 64 * kib;
    const auto base = image(1, {300'000, 2'000});
    put_image(source, "here/app", base, "1");
    put_image(source, "here/app", image(2, {500}, "amd64", base.manifest, "application/vnd.cncf.notary.signature"));
    TroubledSite counting{target};
    ASSERT_TRUE(copy(source, counting));
    const auto calls = counting.calls;
    ASSERT_GT(calls, 15U);
    for (std::uint64_t dies = 1; dies <= calls; ++dies) {
        MemorySite there;
        TroubledSite first{there};
        first.dies_at = dies;
        saved.clear();
        EXPECT_FALSE(copy(source, first)) << dies;
        if (run(there.look(name("there/app"), tagged("1")))) {
            EXPECT_TRUE(there.is_whole(name("there/app"), tagged("1"))) << "a tag that can't be pulled, " << dies;
        }
        const auto done = copy(source, there);
        ASSERT_TRUE(done) << dies << ": " << done.error().message();
        EXPECT_TRUE(there.is_whole(name("there/app"), tagged("1"))) << dies;
        const auto referrers = run(there.referrers(name("there/app"), base.digest(), {.limit = 10, .last = {}}));
        ASSERT_EQ(referrers->referrers.size(), 1U) << dies;
        EXPECT_LE(there.counts().begun, 2U) << "a session that was not saved yet is begun again, no other";
        EXPECT_LE(there.counts().received, 300'000 + 2'000 + 500 + 1'000U) << dies << ": nothing is sent twice";
    }
}

TEST_F(Copying, a_source_that_lies_never_becomes_content)
{
    class Lying final : public ByteSource {
    public:
        explicit Lying(std::unique_ptr<ByteSource> honest) : honest_{std::move(honest)} {}
        std::optional<std::uint64_t> size() const override { return honest_->size(); }
        Task<std::size_t> read(std::span<std::byte> into) override
        {
            CO_TRY(const auto count, co_await honest_->read(into));
            if (count > 0) into[0] ^= std::byte{1};
            co_return count;
        }

    private:
        std::unique_ptr<ByteSource> honest_;
    };
    for (const std::size_t size : {1'000U, 300'000U}) {
        MemorySite here;
        MemorySite there;
        put_image(here, "here/app", image(1, {size}), "1");
        TroubledSite link{here};
        link.with_blob = [](BlobStream& stream) { stream.body = std::make_unique<Lying>(std::move(stream.body)); };
        saved.clear();
        const auto done = copy(link, there);
        ASSERT_FALSE(done);
        EXPECT_EQ(done.error().code(), Errc::digest_mismatch);
        EXPECT_EQ(there.bytes(), 0U);
        EXPECT_FALSE(run(there.look(name("there/app"), tagged("1"))));
    }
    MemorySite here;
    put_image(here, "here/app", image(1, {300'000}), "1");
    TroubledSite link{here};
    link.with_blob = [](BlobStream& stream) { stream.size = *stream.size + 1; };
    EXPECT_EQ(copy(link, target).error().code(), Errc::size_invalid);
}

TEST_F(Copying, a_target_that_is_full_ends_it_with_its_own_words)
{
    put_image(source, "here/app", image(1, {300'000}), "1");
    MemorySite there{{.room = 200'000}};
    const auto done = copy(source, there);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code(), Errc::storage_full);
    EXPECT_LE(there.counts().begun, 1U) << "trying again would not help";
}

TEST_F(Copying, a_target_that_forgets_an_upload_gets_it_anew)
{
    put_image(source, "here/app", image(1, {400'000}), "1");
    MemorySite there;
    TroubledSite link{there};
    int appends = 0;
    link.before = [&](const std::string& method) -> std::optional<Error> {
        if (method != "append" || ++appends != 4) return std::nullopt;
        there.forget_uploads();
        return Error{Errc::connection_lost, "the connection broke"};
    };
    const auto done = copy(source, link);
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_TRUE(there.is_whole(name("there/app"), tagged("1")));
    EXPECT_EQ(there.counts().begun, 2U);
    EXPECT_TRUE(logged("begins anew"));
}

TEST_F(Copying, an_answer_that_got_lost_after_the_last_byte_is_found_out)
{
    put_image(source, "here/app", image(1, {400'000}), "1");
    TroubledSite link{target};
    bool lost = false;
    link.after_finish = [&]() -> std::optional<Error> {
        if (std::exchange(lost, true)) return std::nullopt;
        return Error{Errc::connection_lost, "the connection broke"};
    };
    const auto done = copy(source, link);
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_EQ(target.counts().begun, 1U);
    EXPECT_EQ(tally.present, 1U);
    EXPECT_TRUE(target.is_whole(name("there/app"), tagged("1")));
}

TEST_F(Copying, a_target_without_chunks_gets_blobs_as_a_whole)
{
    put_image(source, "here/app", image(1, {400'000}), "1");
    MemorySite there{{.takes_chunks = false}};
    const auto done = copy(source, there);
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_TRUE(there.is_whole(name("there/app"), tagged("1")));
    EXPECT_TRUE(logged("takes no chunks"));
}

TEST_F(Copying, chunks_are_as_long_as_the_target_wants_them)
{
    put_image(source, "here/app", image(1, {400'000}), "1");
    MemorySite there{{.shortest_chunk = 150'000}};
    ASSERT_TRUE(copy(source, there));
    EXPECT_TRUE(there.is_whole(name("there/app"), tagged("1")));
}

TEST_F(Copying, two_copiers_at_once_of_the_same_image_both_succeed)
{
    put_image(source, "here/app", image(1, {400'000, 300}), "1");
    const CopyHooks hooks{[](std::string) {}, [] { return CopyHalt::no; }, []() -> Task<> { co_return Result<>{}; }};
    CopyRun one{{source, target, limit, clock, random}, options, hooks, {}};
    CopyRun other{{source, target, limit, clock, random}, options, hooks, {}};
    const auto done = run(at_once(2, 2, [&](std::size_t which) -> Task<> {
        ArtifactCopier copier{
            which == 0 ? one : other, {name("here/app"), tagged("1"), name("there/app"), Tag::parse("1").value()}
        };
        CO_TRY(const auto copied, co_await copier());
        (void)copied;
        co_return Result<>{};
    }));
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_TRUE(target.is_whole(name("there/app"), tagged("1")));
}

TEST_F(Copying, an_index_keeps_its_digest_though_only_some_platforms_go)
{
    const auto amd = image(1, {1000}, "amd64");
    const auto arm = image(2, {1000}, "arm64");
    const auto windows = image(3, {1000}, "amd64");
    const auto about_amd = image(4, {200}, "unknown");
    const auto about_arm = image(5, {200}, "unknown");
    const auto attests = [](const Image& made) {
        return platform("unknown", "unknown") +
               R"(,"annotations":{"vnd.docker.reference.type":"attestation-manifest","vnd.docker.reference.digest":")" +
               made.digest().text() + R"("})";
    };
    for (const auto& made : {amd, arm, windows, about_amd, about_arm}) put_image(source, "here/app", made);
    const auto index = index_of(
        {{amd, platform("linux", "amd64")},
         {arm, platform("linux", "arm64")},
         {windows, platform("windows", "amd64")},
         {about_amd, attests(amd)},
         {about_arm, attests(arm)}}
    );
    ASSERT_TRUE(run(source.push(name("here/app"), tagged("1"), index)));
    options.platforms = {"linux/arm64"};
    const auto done = copy(source, target);
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_EQ(run(target.manifest(name("there/app"), tagged("1")))->bytes, index.bytes);
    const auto is_there = [&](const Image& made) {
        return target.is_whole(name("there/app"), Reference{made.digest()});
    };
    EXPECT_TRUE(is_there(arm) && is_there(about_arm));
    EXPECT_FALSE(is_there(amd) || is_there(windows) || is_there(about_amd));

    put_image(source, "here/app", image(9, {10}, "s390x"), "2");
    EXPECT_EQ(copy(source, target, "2")->end, CopiedArtifact::End::no_platform);
    options.platforms.clear();
    ASSERT_TRUE(copy(source, target, "1", "there/all"));
    EXPECT_TRUE(target.is_whole(name("there/all"), tagged("1")));
}

TEST_F(Copying, what_comes_to_refer_to_it_on_the_way_is_brought_by_its_copy)
{
    options.referrers_again = true;
    const auto base = image(1, {1000});
    put_image(source, "here/app", base, "1");
    const auto signature = image(2, {10}, "amd64", base.manifest, "application/x-sig");
    TroubledSite there{target};
    // Who signs it looks at the target a moment before it is there, and leaves the signature to this copy.
    there.before = [&](const std::string& method) -> std::optional<Error> {
        if (method == "push") put_image(source, "here/app", signature);
        return std::nullopt;
    };
    ASSERT_TRUE(copy(source, there));
    const auto referrers = run(target.referrers(name("there/app"), base.digest(), {.limit = 10, .last = {}}));
    ASSERT_EQ(referrers->referrers.size(), 1U);
    EXPECT_EQ(referrers->referrers[0].digest, signature.digest());
}

TEST_F(Copying, what_refers_to_an_artifact_goes_along)
{
    const auto base = image(1, {1000});
    const auto signature = image(2, {10}, "", base.manifest, "application/vnd.dev.cosign.artifact.sig.v1+json");
    const auto about_signature = image(3, {10}, "", signature.manifest, "application/x-note");
    const auto by_tag = image(4, {10});
    put_image(source, "here/app", base, "1");
    auto cosign = base.digest().text() + ".sig";
    std::ranges::replace(cosign, ':', '-');

    options.signed_only = true;
    EXPECT_EQ(copy(source, target)->end, CopiedArtifact::End::not_signed);
    EXPECT_EQ(target.counts().pushes, 0U);
    put_image(source, "here/app", by_tag, cosign);
    ASSERT_EQ(copy(source, target)->end, CopiedArtifact::End::copied);
    EXPECT_TRUE(target.is_whole(name("there/app"), tagged(cosign)));

    // Signed later: the artifact is there, what is new about it comes.
    options.signed_only = false;
    for (const auto& made : {signature, about_signature}) put_image(source, "here/app", made);
    const auto before = target.counts().pushes;
    EXPECT_EQ(copy(source, target)->end, CopiedArtifact::End::copied);
    EXPECT_EQ(target.counts().pushes, before + 2);
    EXPECT_TRUE(target.is_whole(name("there/app"), Reference{about_signature.digest()}));
    EXPECT_EQ(copy(source, target)->end, CopiedArtifact::End::already_there);

    options.with_referrers = false;
    MemorySite plain;
    ASSERT_TRUE(copy(source, plain));
    EXPECT_FALSE(plain.is_whole(name("there/app"), Reference{signature.digest()}));
}

TEST_F(Copying, what_is_sparse_at_the_source_is_sparse_at_the_target)
{
    const auto amd = image(1, {1000}, "amd64");
    const auto arm = image(2, {1000}, "arm64");
    put_image(source, "here/app", amd);
    const auto index = index_of({{amd, platform("linux", "amd64")}, {arm, platform("linux", "arm64")}});
    ASSERT_TRUE(run(source.push(name("here/app"), tagged("1"), index)));
    const auto done = copy(source, target);
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_TRUE(done->note.contains("lacks"));
    EXPECT_TRUE(target.is_whole(name("there/app"), Reference{amd.digest()}));
}

TEST_F(Copying, a_tag_that_is_moved_and_whose_past_is_gone_begins_anew_once)
{
    const auto before = image(1, {300'000});
    const auto after = image(2, {300'000});
    put_image(source, "here/app", before, "1");
    MemorySite later;
    put_image(later, "here/app", after, "1");
    TroubledSite link{source};
    link.before = [&](const std::string& method) -> std::optional<Error> {
        if (method == "blob") link.lead_to(later);
        return std::nullopt;
    };
    const auto done = copy(link, target);
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_EQ(done->digest, after.digest());
    EXPECT_TRUE(target.is_whole(name("there/app"), tagged("1")));
    EXPECT_EQ(run(target.look(name("there/app"), tagged("1")))->digest, after.digest());
    EXPECT_TRUE(logged("was changed while it was copied"));

    // Not moved: the source lacks what it names, and that is what is said.
    TroubledSite lacking{source};
    lacking.before = [](const std::string& method) -> std::optional<Error> {
        if (method != "blob") return std::nullopt;
        return Error{Errc::blob_unknown, "no such blob"};
    };
    MemorySite there;
    EXPECT_EQ(copy(lacking, there).error().code(), Errc::blob_unknown);
}

TEST_F(Copying, ends_between_chunks_when_it_is_told_to_and_goes_on_later)
{
    put_image(source, "here/app", image(1, {600'000}), "1");
    TroubledSite link{target};
    int appends = 0;
    link.before = [&](const std::string& method) -> std::optional<Error> {
        if (method == "append" && ++appends == 3) halt = CopyHalt::after_chunk;
        return std::nullopt;
    };
    const auto stopped = copy(source, link);
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code(), Errc::cancelled);
    EXPECT_EQ(link.passed, 3 * 64 * kib);
    halt = CopyHalt::no;
    ASSERT_TRUE(copy(source, target));
    EXPECT_EQ(target.counts().begun, 1U);
    EXPECT_TRUE(logged("goes on at 192.0 KiB"));
    EXPECT_LE(target.counts().received, 600'000 + 1'000U);
}

TEST_F(Copying, keeps_to_its_bandwidth)
{
    put_image(source, "here/app", image(1, {300'000}), "1");
    options.rates = {std::make_shared<ByteRate>(1'000'000)};
    const auto began = clock.steady();
    ASSERT_TRUE(copy(source, target));
    const auto took = std::chrono::duration<double>(clock.steady() - began).count();
    EXPECT_GT(took, 0.15);
    EXPECT_LT(took, 2.0);
}

TEST_F(Copying, gives_up_where_no_try_brings_a_byte_and_rests_when_it_is_asked_to)
{
    put_image(source, "here/app", image(1, {300'000}), "1");
    TroubledSite link{target};
    int tries = 0;
    link.before = [&](const std::string& method) -> std::optional<Error> {
        if (method != "append") return std::nullopt;
        ++tries;
        return Error{Errc::connection_lost, "the connection broke"};
    };
    EXPECT_EQ(copy(source, link).error().code(), Errc::connection_lost);
    EXPECT_EQ(tries, options.most_tries + 1);

    TroubledSite resting{target};
    resting.rests = clock.now() + 3'600'000'000;
    resting.before = [](const std::string&) -> std::optional<Error> {
        return Error{Errc::too_many_requests, "too many requests"};
    };
    const auto sent_away = copy(source, resting);
    ASSERT_FALSE(sent_away);
    EXPECT_GT(sent_away.error().retry_after(), std::chrono::seconds{3'500}) << "not waited for here";
}

TEST(AdaptiveLimits, shrink_with_trouble_and_hand_places_on)
{
    SystemClock clock;
    const auto limit = std::make_shared<AdaptiveLimit>(AdaptiveLimit::Bounds{.first = 4, .least = 1, .most = 8}, clock);
    limit->trouble();
    limit->trouble();
    EXPECT_EQ(limit->limit(), 2) << "troubles at once are one";
    int running = 0;
    int most = 0;
    const auto done = run(at_once(20, 20, [&](std::size_t) -> Task<> {
        CO_TRY(const auto place, co_await limit->enter());
        most = std::max(most, ++running);
        asio::steady_timer timer{co_await asio::this_coro::executor};
        timer.expires_after(std::chrono::milliseconds{1});
        co_await timer.async_wait(asio::use_awaitable);
        --running;
        co_return Result<>{};
    }));
    ASSERT_TRUE(done);
    EXPECT_EQ(most, 2);
}

TEST(Platforms, are_written_and_matched_with_and_without_a_variant)
{
    for (const auto* good : {"linux/amd64", "linux/arm/v7", "windows/amd64"}) EXPECT_TRUE(check_platform(good)) << good;
    for (const auto* bad : {"", "linux", "/amd64", "linux/", "a//b", "a/b/c/d", "linux/a b"}) {
        EXPECT_FALSE(check_platform(bad)) << bad;
    }
    EXPECT_TRUE(wants_platform({"linux/arm64"}, "linux/arm64/v8"));
    EXPECT_FALSE(wants_platform({"linux/arm"}, "linux/arm64"));
    EXPECT_FALSE(wants_platform({"linux/arm64/v8"}, "linux/arm64"));
    EXPECT_TRUE(wants_platform({}, "plan9/mips"));
}

}  // namespace
}  // namespace entrepot
