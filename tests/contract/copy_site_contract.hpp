#pragma once

#include "core/run_to_end.hpp"
#include "ports/copy_site.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

// What every site to copy from and to promises (ports/copy_site.hpp). A driver's test instantiates the suite with a
// type that is default-constructible and has
//   CopySite& site();                                  empty, or with repositories of other names
//   RepositoryName repository(const std::string& name);   where it may put things, another one for each name
//   static constexpr bool pages, removes_tags, mounts, resumes_broken_uploads, tells_states;
namespace entrepot::copy_site_contract {

// So much of `bytes`, and then the failure, or the end.
class BreakingBytes final : public ByteSource {
public:
    BreakingBytes(std::string bytes, bool breaks) : bytes_{std::move(bytes)}, breaks_{breaks} {}
    std::optional<std::uint64_t> size() const override { return std::nullopt; }
    Task<std::size_t> read(std::span<std::byte> into) override
    {
        if (at_ == bytes_.size() && breaks_) co_return fail(Errc::request_timeout, "the source is stuck");
        const auto count = std::min(into.size(), bytes_.size() - at_);
        std::memcpy(into.data(), bytes_.data() + at_, count);
        at_ += count;
        co_return count;
    }

private:
    std::string bytes_;
    std::size_t at_ = 0;
    bool breaks_;
};

inline std::string bytes_of_size(std::size_t size, unsigned seed = 1)
{
    std::string bytes(size, '\0');
    for (auto& each : bytes) {
        seed = seed * 1'664'525U + 1'013'904'223U;
        each = static_cast<char>(seed >> 24U);
    }
    return bytes;
}

// Calls that need two of a site's on one loop.
inline Task<std::string> read_blob(CopySite& site, RepositoryName repository, Digest digest, std::uint64_t first)
{
    CO_TRY(auto stream, co_await site.blob(std::move(repository), std::move(digest), first));
    CO_TRY(auto bytes, co_await read_all(*stream.body, std::size_t{64} << 20U));
    if (stream.first > first) co_return fail(Errc::internal, "it begins too late");
    bytes.erase(0, static_cast<std::size_t>(first - stream.first));
    co_return bytes;
}

template <class Harness>
class CopySiteContract : public testing::Test {
protected:
    CopySite& site() { return harness_.site(); }
    RepositoryName repository(const std::string& name = "web")
    {
        auto found = harness_.repository(name);
        EXPECT_TRUE(run_to_end(site().prepare(found)));
        return found;
    }

    Digest put(const RepositoryName& repository, const std::string& bytes)
    {
        const auto digest = digest_of(bytes);
        const auto done = run_to_end(site().put(repository, digest, bytes));
        EXPECT_TRUE(done) << (done ? "" : done.error().message());
        return digest;
    }

    // An image whose blobs are there, with `extra` among its fields.
    CopiedManifest image(const RepositoryName& repository, const std::string& content, const std::string& extra = {})
    {
        const std::string config = R"({"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}})";
        const auto config_digest = put(repository, config);
        const auto layer = put(repository, content);
        return of(
            R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",)" + extra +
            R"("config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":")" + config_digest.text() +
            R"(","size":)" + std::to_string(config.size()) +
            R"(},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":")" + layer.text() +
            R"(","size":)" + std::to_string(content.size()) + "}]}"
        );
    }
    static CopiedManifest of(std::string bytes, const char* type = "application/vnd.oci.image.manifest.v1+json")
    {
        return {digest_of(bytes), type, std::move(bytes)};
    }
    static Reference tag(const char* name) { return Reference{Tag::parse(name).value()}; }

    void push(const RepositoryName& repository, const Reference& reference, const CopiedManifest& manifest)
    {
        const auto done = run_to_end(site().push(repository, reference, manifest));
        EXPECT_TRUE(done) << (done ? "" : done.error().message() + " " + done.error().detail());
    }

    // All names of a list that is asked for in pages of two.
    template <class Ask>
    std::vector<std::string> walk(Ask ask)
    {
        std::vector<std::string> names;
        std::string last;
        for (int pages = 0; pages < 100; ++pages) {
            const auto page = run_to_end(ask(PageRequest{.limit = 2, .last = last}));
            EXPECT_TRUE(page) << (page ? "" : page.error().message());
            if (!page) break;
            if (Harness::pages) EXPECT_LE(page->names.size(), 2U);
            names.insert(names.end(), page->names.begin(), page->names.end());
            last = page->next;
            if (last.empty()) return names;
        }
        ADD_FAILURE() << "the list has no end";
        return names;
    }

    Harness harness_;
};

TYPED_TEST_SUITE_P(CopySiteContract);

TYPED_TEST_P(CopySiteContract, is_there)
{
    const auto there = run_to_end(this->site().ping());
    EXPECT_TRUE(there) << there.error().message();
    EXPECT_EQ(this->site().rests_until(), 0);
}

TYPED_TEST_P(CopySiteContract, what_is_pushed_is_seen_and_read_by_tag_and_digest)
{
    const auto repository = this->repository();
    const auto image = this->image(repository, "a layer");
    this->push(repository, Reference{image.digest}, image);
    this->push(repository, this->tag("v1"), image);
    for (const auto& reference : {Reference{image.digest}, this->tag("v1")}) {
        const auto head = run_to_end(this->site().look(repository, reference));
        ASSERT_TRUE(head) << head.error().message();
        EXPECT_EQ(head->digest, image.digest);
        EXPECT_EQ(head->media_type, image.media_type);
        EXPECT_EQ(head->size, image.bytes.size());
        const auto read = run_to_end(this->site().manifest(repository, reference));
        ASSERT_TRUE(read) << read.error().message();
        EXPECT_EQ(read->digest, image.digest);
        EXPECT_EQ(read->media_type, image.media_type);
        EXPECT_EQ(read->bytes, image.bytes);
    }
}

TYPED_TEST_P(CopySiteContract, what_is_not_there_is_unknown)
{
    const auto repository = this->repository();
    const auto image = this->image(repository, "a layer");
    this->push(repository, this->tag("v1"), image);
    const auto nothing = digest_of("nobody pushed this");
    for (const auto& reference : {Reference{nothing}, this->tag("v2")}) {
        EXPECT_EQ(run_to_end(this->site().look(repository, reference)).error().code(), Errc::manifest_unknown);
        EXPECT_EQ(run_to_end(this->site().manifest(repository, reference)).error().code(), Errc::manifest_unknown);
    }
    EXPECT_EQ(run_to_end(read_blob(this->site(), repository, nothing, 0)).error().code(), Errc::blob_unknown);
    EXPECT_FALSE(run_to_end(this->site().holds(repository, nothing)).value());
    const auto elsewhere = this->harness_.repository("nowhere");
    const auto looked = run_to_end(this->site().look(elsewhere, this->tag("v1")));
    ASSERT_FALSE(looked);
    EXPECT_TRUE(looked.error().code() == Errc::manifest_unknown || looked.error().code() == Errc::name_unknown);
}

TYPED_TEST_P(CopySiteContract, a_blob_is_read_from_any_byte_on)
{
    const auto repository = this->repository();
    const auto bytes = bytes_of_size(300'000);
    const auto digest = this->put(repository, bytes);
    EXPECT_TRUE(run_to_end(this->site().holds(repository, digest)).value());
    for (const auto first : std::initializer_list<std::size_t>{0, 1, 65'536, 299'999, 300'000}) {
        const auto read = run_to_end(read_blob(this->site(), repository, digest, first));
        ASSERT_TRUE(read) << first << ": " << read.error().message();
        EXPECT_EQ(*read, bytes.substr(first)) << first;
    }
}

TYPED_TEST_P(CopySiteContract, small_and_empty_blobs_go_in_one_step)
{
    const auto repository = this->repository();
    for (const auto size : std::initializer_list<std::size_t>{0, 1, 70'000}) {
        const auto bytes = bytes_of_size(size);
        const auto digest = this->put(repository, bytes);
        EXPECT_EQ(run_to_end(read_blob(this->site(), repository, digest, 0)).value(), bytes) << size;
    }
    const auto wrong = run_to_end(this->site().put(repository, digest_of("this"), "that"));
    EXPECT_EQ(wrong.error().code(), Errc::digest_mismatch);
    EXPECT_FALSE(run_to_end(this->site().holds(repository, digest_of("this"))).value());
}

TYPED_TEST_P(CopySiteContract, a_large_blob_goes_in_pieces_and_outlives_its_connection)
{
    const auto repository = this->repository();
    const auto bytes = bytes_of_size(1'000'000);
    const auto digest = digest_of(bytes);
    auto upload = run_to_end(this->site().begin(repository, digest.algorithm(), bytes.size()));
    ASSERT_TRUE(upload) << upload.error().message();
    EXPECT_EQ(upload->offset, 0U);
    while (upload->offset < bytes.size()) {
        const auto length = std::min<std::size_t>(400'000, bytes.size() - upload->offset);
        BreakingBytes piece{bytes.substr(upload->offset, length), false};
        const auto before = upload->offset;
        upload = run_to_end(this->site().append(repository, *upload, piece, length));
        ASSERT_TRUE(upload) << upload.error().message();
        EXPECT_EQ(upload->offset, before + length);
        // By its name alone, as after a restart.
        upload = run_to_end(this->site().resume(repository, upload->place));
        ASSERT_TRUE(upload) << upload.error().message();
        EXPECT_EQ(upload->offset, before + length);
    }
    EXPECT_FALSE(run_to_end(this->site().holds(repository, digest)).value());
    const auto done = run_to_end(this->site().finish(repository, *upload, digest));
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_EQ(run_to_end(read_blob(this->site(), repository, digest, 0)).value(), bytes);
}

TYPED_TEST_P(CopySiteContract, an_upload_whose_source_breaks_goes_on_where_it_stood)
{
    const auto repository = this->repository();
    const auto bytes = bytes_of_size(500'000, 7);
    const auto digest = digest_of(bytes);
    auto upload = run_to_end(this->site().begin(repository, digest.algorithm(), bytes.size())).value();
    BreakingBytes first{bytes.substr(0, 200'000), false};
    upload = run_to_end(this->site().append(repository, upload, first, 200'000)).value();
    BreakingBytes broken{bytes.substr(200'000, 100'000), true};
    const auto place = upload.place;
    const auto failed = run_to_end(this->site().append(repository, upload, broken, 300'000));
    // The reason is the source's.
    EXPECT_EQ(failed.error().code(), Errc::request_timeout);
    // What was sent before the break may arrive late, even after resume() was asked: then that is asked again.
    Result<CopyUpload> appended = fail(Errc::upload_offset, "not tried yet");
    for (int tries = 0; tries < 10 && !appended && appended.error().code() == Errc::upload_offset; ++tries) {
        auto again = run_to_end(this->site().resume(repository, place));
        if (!again && !TypeParam::resumes_broken_uploads) {
            EXPECT_EQ(again.error().code(), Errc::upload_unknown);
            again = run_to_end(this->site().begin(repository, digest.algorithm(), bytes.size()));
        }
        ASSERT_TRUE(again) << again.error().message();
        if (TypeParam::resumes_broken_uploads) EXPECT_GE(again->offset, 200'000U);
        ASSERT_LE(again->offset, 300'000U);
        const auto rest = bytes.substr(again->offset);
        BreakingBytes last{rest, false};
        appended = run_to_end(this->site().append(repository, *again, last, rest.size()));
    }
    ASSERT_TRUE(appended) << appended.error().message();
    ASSERT_TRUE(run_to_end(this->site().finish(repository, *appended, digest)));
    EXPECT_EQ(run_to_end(read_blob(this->site(), repository, digest, 0)).value(), bytes);
}

TYPED_TEST_P(CopySiteContract, a_wrong_digest_ends_an_upload)
{
    const auto repository = this->repository();
    const auto wrong = digest_of("something else");
    auto upload = run_to_end(this->site().begin(repository, wrong.algorithm(), std::nullopt)).value();
    BreakingBytes bytes{bytes_of_size(1'000), false};
    upload = run_to_end(this->site().append(repository, upload, bytes, 1'000)).value();
    const auto finished = run_to_end(this->site().finish(repository, upload, wrong));
    ASSERT_FALSE(finished);
    EXPECT_EQ(finished.error().code(), Errc::digest_mismatch);
    EXPECT_FALSE(run_to_end(this->site().holds(repository, wrong)).value());
}

TYPED_TEST_P(CopySiteContract, a_cancelled_upload_is_unknown)
{
    const auto repository = this->repository();
    const auto upload = run_to_end(this->site().begin(repository, DigestAlgorithm::sha256, 1)).value();
    ASSERT_TRUE(run_to_end(this->site().cancel(repository, upload.place)));
    EXPECT_EQ(run_to_end(this->site().resume(repository, upload.place)).error().code(), Errc::upload_unknown);
    EXPECT_TRUE(run_to_end(this->site().cancel(repository, upload.place)));
}

TYPED_TEST_P(CopySiteContract, a_blob_is_mounted_from_where_it_is)
{
    const auto from = this->repository("from");
    const auto into = this->repository("into");
    const auto digest = this->put(from, "shared");
    const auto mounted = run_to_end(this->site().mount(into, from, digest));
    ASSERT_TRUE(mounted) << mounted.error().message();
    EXPECT_EQ(*mounted, TypeParam::mounts);
    EXPECT_EQ(run_to_end(this->site().holds(into, digest)).value(), TypeParam::mounts);
    const auto nothing = run_to_end(this->site().mount(into, from, digest_of("nobody pushed this")));
    ASSERT_TRUE(nothing) << nothing.error().message();
    EXPECT_FALSE(*nothing);
}

TYPED_TEST_P(CopySiteContract, a_manifest_without_its_blobs_is_refused)
{
    const auto repository = this->repository();
    auto image = this->image(repository, "a layer");
    const auto at = image.bytes.find(digest_of("a layer").text());
    image.bytes.replace(at, digest_of("other").text().size(), digest_of("other").text());
    image = this->of(std::move(image.bytes));
    const auto pushed = run_to_end(this->site().push(repository, this->tag("v1"), image));
    ASSERT_FALSE(pushed);
    EXPECT_EQ(pushed.error().code(), Errc::manifest_blob_unknown);
}

TYPED_TEST_P(CopySiteContract, an_index_keeps_its_bytes)
{
    const auto repository = this->repository();
    const auto image = this->image(repository, "a layer");
    this->push(repository, Reference{image.digest}, image);
    const auto index = this->of(
        R"({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [{"mediaType":")" +
            image.media_type + R"(","digest":")" + image.digest.text() + R"(","size":)" +
            std::to_string(image.bytes.size()) + R"(,"platform":{"architecture":"amd64","os":"linux"}}] })",
        "application/vnd.oci.image.index.v1+json"
    );
    this->push(repository, this->tag("all"), index);
    const auto read = run_to_end(this->site().manifest(repository, this->tag("all"))).value();
    EXPECT_EQ(read.bytes, index.bytes);
    EXPECT_EQ(read.media_type, index.media_type);
}

TYPED_TEST_P(CopySiteContract, lists_tags_and_repositories_in_pages)
{
    const auto repository = this->repository();
    const auto image = this->image(repository, "a layer");
    const std::set<std::string> wanted{"a", "b", "c", "d", "e"};
    for (const auto& name : wanted) this->push(repository, this->tag(name.c_str()), image);
    const auto tags = this->walk([&](PageRequest page) { return this->site().tags(repository, std::move(page)); });
    EXPECT_EQ(tags.size(), wanted.size());
    EXPECT_EQ(std::set<std::string>(tags.begin(), tags.end()), wanted);
    const auto nowhere = this->harness_.repository("nowhere");
    EXPECT_EQ(run_to_end(this->site().tags(nowhere, {.limit = 2, .last = {}})).error().code(), Errc::name_unknown);
    const auto all = this->walk([&](PageRequest page) { return this->site().repositories(std::move(page)); });
    EXPECT_EQ(std::ranges::count(all, repository.text()), 1);
}

TYPED_TEST_P(CopySiteContract, referrers_are_found_by_their_subject)
{
    const auto repository = this->repository();
    const auto subject = this->image(repository, "a layer");
    this->push(repository, this->tag("v1"), subject);
    const auto none = run_to_end(this->site().referrers(repository, subject.digest, {.limit = 10, .last = {}}));
    ASSERT_TRUE(none) << none.error().message();
    EXPECT_TRUE(none->referrers.empty());
    std::set<std::string> wanted;
    for (const auto* content : {"signature 1", "signature 2", "signature 3"}) {
        const auto signature = this->image(
            repository,
            content,
            R"("artifactType":"application/example","annotations":{"k":"v"},"subject":{"mediaType":")" +
                subject.media_type + R"(","digest":")" + subject.digest.text() + R"(","size":)" +
                std::to_string(subject.bytes.size()) + "},"
        );
        this->push(repository, Reference{signature.digest}, signature);
        wanted.insert(signature.digest.text());
    }
    std::set<std::string> found;
    std::string last;
    for (bool more = true; more;) {
        const auto page = run_to_end(this->site().referrers(repository, subject.digest, {.limit = 2, .last = last}));
        ASSERT_TRUE(page) << page.error().message();
        ASSERT_FALSE(page->referrers.empty());
        EXPECT_LE(page->referrers.size(), 2U);
        for (const auto& each : page->referrers) {
            EXPECT_EQ(each.artifact_type, "application/example");
            EXPECT_EQ(each.annotations.at("k"), "v");
            last = each.digest.text();
            found.insert(last);
        }
        more = page->more;
    }
    EXPECT_EQ(found, wanted);
}

TYPED_TEST_P(CopySiteContract, tells_what_a_range_of_tags_points_at)
{
    const auto first = this->repository("first");
    const auto second = this->repository("second");
    const auto image = this->image(first, "a layer");
    for (const auto* name : {"a", "b", "c"}) this->push(first, this->tag(name), image);
    const auto other = this->image(second, "another layer");
    this->push(second, this->tag("a"), other);
    const TagPlace end{second.text() + "!", {}};
    const TagRange whole{.after = {first.text(), {}}, .until = end, .limit = 10};
    const auto states = run_to_end(this->site().tag_states(whole));
    const auto summary = run_to_end(this->site().tag_summary(whole));
    if (!TypeParam::tells_states) {
        EXPECT_EQ(states.error().code(), Errc::unsupported);
        EXPECT_EQ(summary.error().code(), Errc::unsupported);
        return;
    }
    ASSERT_TRUE(states) << states.error().message();
    ASSERT_TRUE(summary) << summary.error().message();
    std::string text;
    for (const auto& state : *states) {
        text += state.place.repository.substr(first.text().size() - 5) + ":" + state.place.tag + " ";
        EXPECT_EQ(state.digest, state.place.repository == first.text() ? image.digest : other.digest);
        EXPECT_FALSE(state.referrers);
    }
    EXPECT_EQ(text, "first:a first:b first:c second:a ");
    EXPECT_EQ(summary->tags, 4);
    EXPECT_FALSE(summary->more);
    EXPECT_EQ(summary->last, (TagPlace{second.text(), "a"}));
    EXPECT_EQ(summary->digest, digest_of_states(*states));

    const TagRange part{.after = {first.text(), "a"}, .until = end, .limit = 2};
    const auto of_part = run_to_end(this->site().tag_summary(part)).value();
    EXPECT_EQ(of_part.tags, 2);
    EXPECT_TRUE(of_part.more);
    EXPECT_EQ(of_part.last, (TagPlace{first.text(), "c"}));
    EXPECT_EQ(run_to_end(this->site().tag_states(part)).value().size(), 2U);
    const TagRange below{.after = {first.text(), {}}, .until = end, .limit = 10, .prefix = first.text()};
    EXPECT_EQ(run_to_end(this->site().tag_summary(below)).value().digest, digest_of_states(*states, first.text()));

    const TagRange nothing{.after = {second.text(), "a"}, .until = end, .limit = 10};
    const auto empty = run_to_end(this->site().tag_summary(nothing)).value();
    EXPECT_EQ(empty.tags, 0);
    EXPECT_FALSE(empty.more);
    EXPECT_EQ(empty.last, TagPlace{});
    EXPECT_TRUE(run_to_end(this->site().tag_states(nothing)).value().empty());
}

TYPED_TEST_P(CopySiteContract, a_tags_state_changes_with_what_refers_to_it)
{
    if (!TypeParam::tells_states) return;
    const auto repository = this->repository();
    const auto image = this->image(repository, "a layer");
    this->push(repository, this->tag("v1"), image);
    this->push(repository, this->tag("v2"), this->image(repository, "nobody signs this"));
    const auto referring_to = [&](const CopiedManifest& subject, const std::string& content) {
        const auto made = this->image(
            repository,
            content,
            R"("artifactType":"application/example","subject":{"mediaType":")" + subject.media_type +
                R"(","digest":")" + subject.digest.text() + R"(","size":)" + std::to_string(subject.bytes.size()) + "},"
        );
        this->push(repository, Reference{made.digest}, made);
        return made;
    };
    const auto states = [&](bool with_referrers) {
        return run_to_end(this->site().tag_states({
                              .after = {repository.text(), {}},
                              .until = {repository.text() + "!", {}},
                              .limit = 10,
                              .prefix = {},
                              .with_referrers = with_referrers,
                          }))
            .value();
    };
    std::vector<std::string> referring;
    auto subject = image;
    for (const auto* content : {"sbom", "its signature"}) {
        subject = referring_to(subject, content);
        referring.push_back(subject.digest.text());
        const auto found = states(true);
        ASSERT_EQ(found.size(), 2U);
        ASSERT_TRUE(found[0].referrers);
        EXPECT_EQ(*found[0].referrers, digest_of_referrers(referring));
        EXPECT_FALSE(found[1].referrers);
    }
    EXPECT_FALSE(states(false).at(0).referrers);
}

TYPED_TEST_P(CopySiteContract, removes_a_tag_alone_or_a_manifest_with_its_tags)
{
    const auto repository = this->repository();
    const auto image = this->image(repository, "a layer");
    this->push(repository, this->tag("v1"), image);
    this->push(repository, this->tag("v2"), image);
    const auto untagged = run_to_end(this->site().remove(repository, this->tag("v1")));
    EXPECT_EQ(untagged.has_value(), TypeParam::removes_tags);
    if (!untagged) EXPECT_EQ(untagged.error().code(), Errc::unsupported);
    if (untagged) EXPECT_FALSE(run_to_end(this->site().look(repository, this->tag("v1"))));
    EXPECT_TRUE(run_to_end(this->site().look(repository, this->tag("v2"))));
    const auto removed = run_to_end(this->site().remove(repository, Reference{image.digest}));
    ASSERT_TRUE(removed) << removed.error().message();
    EXPECT_FALSE(run_to_end(this->site().look(repository, Reference{image.digest})));
    EXPECT_FALSE(run_to_end(this->site().look(repository, this->tag("v2"))));
    EXPECT_EQ(
        run_to_end(this->site().remove(repository, Reference{digest_of("nothing")})).error().code(),
        Errc::manifest_unknown
    );
}

REGISTER_TYPED_TEST_SUITE_P(
    CopySiteContract,
    is_there,
    what_is_pushed_is_seen_and_read_by_tag_and_digest,
    what_is_not_there_is_unknown,
    a_blob_is_read_from_any_byte_on,
    small_and_empty_blobs_go_in_one_step,
    a_large_blob_goes_in_pieces_and_outlives_its_connection,
    an_upload_whose_source_breaks_goes_on_where_it_stood,
    a_wrong_digest_ends_an_upload,
    a_cancelled_upload_is_unknown,
    a_blob_is_mounted_from_where_it_is,
    a_manifest_without_its_blobs_is_refused,
    an_index_keeps_its_bytes,
    lists_tags_and_repositories_in_pages,
    referrers_are_found_by_their_subject,
    tells_what_a_range_of_tags_points_at,
    a_tags_state_changes_with_what_refers_to_it,
    removes_a_tag_alone_or_a_manifest_with_its_tags
);

}  // namespace entrepot::copy_site_contract
