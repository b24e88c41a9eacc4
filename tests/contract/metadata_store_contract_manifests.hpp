#pragma once

#include "tests/contract/metadata_store_contract.hpp"

#include <algorithm>

namespace entrepot::contract {

TEST_P(MetadataStoreContract, gives_a_manifest_back_by_tag_and_by_digest_byte_for_byte)
{
    const Image image{.blobs = {"config", "layer"}};
    push(repository("p/app"), image, {"v1", "latest"});
    for (const std::string& text : {std::string{"v1"}, std::string{"latest"}, digest_of(image.bytes()).text()}) {
        const auto loaded = run(store().manifests().load(repository("p/app"), reference(text)));
        ASSERT_TRUE(loaded);
        EXPECT_EQ((*loaded)->bytes, image.bytes());
        EXPECT_EQ((*loaded)->media_type, media::oci_manifest);
        EXPECT_EQ((*loaded)->digest, digest_of(image.bytes()));
        EXPECT_GT((*loaded)->id, 0);
        EXPECT_GT((*loaded)->repository_id, 0);
    }
}

TEST_P(MetadataStoreContract, keeps_opaque_bytes_with_zeros_and_no_text_encoding)
{
    const std::string bytes{"\0\xff\xfe not json \0", 14};
    EXPECT_SUCCEEDS(run(store().manifests().commit(pushed(repository("p/odd"), bytes, "application/x-odd", {"t"}))));
    const auto loaded = run(store().manifests().load(repository("p/odd"), reference("t")));
    ASSERT_TRUE(loaded);
    EXPECT_EQ((*loaded)->bytes, bytes);
    EXPECT_EQ((*loaded)->media_type, "application/x-odd");
}

TEST_P(MetadataStoreContract, keeps_everything_when_it_is_opened_again)
{
    push(repository("p/app"), {.blobs = {"config"}}, {"v1"});
    host().reopen();
    EXPECT_SUCCEEDS(run(store().manifests().load(repository("p/app"), reference("v1"))));
    EXPECT_SUCCEEDS(run(store().blobs().load(repository("p/app"), digest_of("config"))));
}

TEST_P(MetadataStoreContract, names_what_is_unknown)
{
    EXPECT_FAILS(Errc::name_unknown, run(store().manifests().load(repository("p/none"), reference("v1"))));
    push(repository("p/app"), {.blobs = {"config"}}, {"v1"});
    EXPECT_FAILS(Errc::manifest_unknown, run(store().manifests().load(repository("p/app"), reference("v2"))));
    EXPECT_FAILS(Errc::manifest_unknown, run(store().manifests().load(repository("p/app"), Reference{digest_of("x")})));
    EXPECT_FAILS(
        Errc::manifest_unknown, run(store().manifests().remove(repository("p/app"), reference("v2"), someone))
    );
    EXPECT_FAILS(
        Errc::manifest_unknown, run(store().manifests().remove(repository("p/app"), Reference{digest_of("x")}, someone))
    );
    EXPECT_FAILS(Errc::name_unknown, run(store().manifests().commit(pushed(repository("q/app"), Image{}))));
}

TEST_P(MetadataStoreContract, refuses_a_manifest_whose_blob_is_only_in_another_repository)
{
    arrive(repository("p/other"), "config");
    const auto refused =
        run(store().manifests().commit(pushed(repository("p/app"), Image{.blobs = {"config"}}, {"v1"})));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::manifest_blob_unknown);
    EXPECT_NE(refused.error().message().find(digest_of("config").text()), std::string::npos);
    EXPECT_FALSE(run(store().manifests().load(repository("p/app"), reference("v1"))));
}

TEST_P(MetadataStoreContract, accepts_an_index_whose_children_are_missing_and_a_missing_subject)
{
    const std::string index = R"({"schemaVersion":2,"mediaType":")" + std::string{media::oci_index} +
                              R"(","manifests":[)" + descriptor(media::oci_manifest, digest_of("nowhere")) + "]}";
    EXPECT_SUCCEEDS(run(store().manifests().commit(pushed(repository("p/app"), index, media::oci_index, {"multi"}))));
    push(repository("p/app"), {.blobs = {"config"}, .subject = digest_of("nowhere")});
}

TEST_P(MetadataStoreContract, pushing_again_is_success_and_moves_the_tag)
{
    const Image first{.blobs = {"config"}, .annotation = "1"};
    const Image second{.blobs = {"config"}, .annotation = "2"};
    push(repository("p/app"), first, {"v"});
    push(repository("p/app"), second, {"v"});
    push(repository("p/app"), second, {"v"});
    EXPECT_EQ((*run(store().manifests().load(repository("p/app"), reference("v"))))->bytes, second.bytes());
    push(repository("p/app"), first, {"v"});
    EXPECT_EQ((*run(store().manifests().load(repository("p/app"), reference("v"))))->bytes, first.bytes());
    const auto bytes = static_cast<std::int64_t>(first.bytes().size() + second.bytes().size() + 6);
    EXPECT_EQ(bytes_of("p"), bytes);
}

TEST_P(MetadataStoreContract, a_digest_pushed_under_another_media_type_answers_the_new_one)
{
    const Image image{.blobs = {"config"}};
    const Reference by_digest{digest_of(image.bytes())};
    EXPECT_SUCCEEDS(run(store().manifests().commit(pushed(repository("p/app"), image.bytes(), "application/x-odd"))));
    EXPECT_EQ((*run(store().manifests().load(repository("p/app"), by_digest)))->media_type, "application/x-odd");
    push(repository("p/app"), image);
    if (const auto peeked = store().manifests().peek(repository("p/app"), by_digest)) {
        EXPECT_EQ((*peeked)->media_type, media::oci_manifest);
    }
    EXPECT_EQ((*run(store().manifests().load(repository("p/app"), by_digest)))->media_type, media::oci_manifest);
    EXPECT_FAILS(Errc::blob_in_use, run(store().blobs().remove(repository("p/app"), digest_of("config"), someone)));
}

TEST_P(MetadataStoreContract, a_stored_image_is_never_taken_for_something_else)
{
    const Image image{.blobs = {"config"}};
    push(repository("p/app"), image);
    const auto odd = pushed(repository("p/app"), image.bytes(), "application/x-odd");
    EXPECT_FAILS(Errc::manifest_invalid, run(store().manifests().commit(odd)));
    EXPECT_FAILS(Errc::blob_in_use, run(store().blobs().remove(repository("p/app"), digest_of("config"), someone)));
}

TEST_P(MetadataStoreContract, refuses_a_descriptor_that_lies_about_its_blobs_size)
{
    arrive(repository("p/app"), "config");
    const auto bytes = R"({"schemaVersion":2,"config":)" + descriptor("a/b", digest_of("config"), 7) + "}";
    const auto lying = pushed(repository("p/app"), bytes, media::oci_manifest);
    EXPECT_FAILS(Errc::size_invalid, run(store().manifests().commit(lying)));
}

TEST_P(MetadataStoreContract, a_page_of_referrers_ends_before_it_grows_without_bound)
{
    const auto subject = digest_of("subject");
    for (int number = 0; number < 4; ++number) {
        const auto note = std::string(2'000'000, 'x') + std::to_string(number);
        push(repository("p/app"), Image{.blobs = {"config"}, .annotation = note, .subject = subject});
    }
    std::size_t found = 0;
    PageRequest page{.limit = 100, .last = {}};
    for (bool more = true; more;) {
        const auto answer = run(store().manifests().referrers(repository("p/app"), subject, "", page));
        ASSERT_TRUE(answer);
        ASSERT_FALSE(answer->referrers.empty());
        EXPECT_LE(answer->referrers.size(), 3U);
        found += answer->referrers.size();
        page.last = answer->referrers.back().digest.text();
        more = answer->more;
    }
    EXPECT_EQ(found, 4U);
}

TEST_P(MetadataStoreContract, removing_a_tag_leaves_the_manifest_and_removing_the_manifest_takes_all_its_tags)
{
    const Image image{.blobs = {"config"}};
    const Reference by_digest{digest_of(image.bytes())};
    push(repository("p/app"), image, {"a", "b", "c"});
    EXPECT_SUCCEEDS(run(store().manifests().remove(repository("p/app"), reference("a"), someone)));
    EXPECT_FAILS(Errc::manifest_unknown, run(store().manifests().load(repository("p/app"), reference("a"))));
    EXPECT_SUCCEEDS(run(store().manifests().load(repository("p/app"), by_digest)));
    EXPECT_SUCCEEDS(run(store().manifests().remove(repository("p/app"), by_digest, someone)));
    EXPECT_FAILS(Errc::manifest_unknown, run(store().manifests().load(repository("p/app"), by_digest)));
    EXPECT_FAILS(Errc::manifest_unknown, run(store().manifests().load(repository("p/app"), reference("b"))));
    EXPECT_FAILS(Errc::manifest_unknown, run(store().manifests().remove(repository("p/app"), by_digest, someone)));
    EXPECT_EQ(run(store().manifests().tags(repository("p/app"), {10, ""})).value()->names.size(), 0U);
    EXPECT_EQ(bytes_of("p"), 6) << "the blob stays";
}

TEST_P(MetadataStoreContract, lists_tags_in_ascii_order_page_by_page)
{
    const Image image{.blobs = {"config"}};
    push(repository("p/app"), image, {"b", "a", "B", "_x", "1.0", "1-0", "a.b"});
    const std::vector<std::string> sorted{"1-0", "1.0", "B", "_x", "a", "a.b", "b"};
    for (const std::int64_t limit : {1, 2, 3, 6, 7, 8}) {
        std::vector<std::string> all;
        std::string last;
        for (bool more = true; more;) {
            const auto page = run(store().manifests().tags(repository("p/app"), {limit, last}));
            ASSERT_TRUE(page);
            ASSERT_LE((*page)->names.size(), static_cast<std::size_t>(limit));
            all.insert(all.end(), (*page)->names.begin(), (*page)->names.end());
            more = (*page)->more;
            last = all.back();
        }
        EXPECT_EQ(all, sorted) << "in pages of " << limit;
    }
    const auto none = run(store().manifests().tags(repository("p/app"), {0, ""}));
    ASSERT_TRUE(none);
    EXPECT_TRUE((*none)->names.empty());
    EXPECT_FALSE((*none)->more);
    EXPECT_EQ(run(store().manifests().tags(repository("p/app"), {5, "zzz"})).value()->names.size(), 0U);
}

TEST_P(MetadataStoreContract, tags_of_a_repository_without_content_are_name_unknown)
{
    EXPECT_FAILS(Errc::name_unknown, run(store().manifests().tags(repository("p/app"), {10, ""})));
    EXPECT_SUCCEEDS(run(store().uploads().begin(upload(1, "p/app"), 10)));
    EXPECT_FAILS(Errc::name_unknown, run(store().manifests().tags(repository("p/app"), {10, ""})));
    arrive(repository("p/app"), "blob");
    EXPECT_SUCCEEDS(run(store().manifests().tags(repository("p/app"), {10, ""})));
}

TEST_P(MetadataStoreContract, lists_repositories_with_content_of_all_projects_or_of_some)
{
    const auto open = run(store().projects().create({.name = project("open"), .is_public = true}, someone));
    ASSERT_TRUE(open);
    arrive(repository("p/b"), "blob");
    arrive(repository("p"), "blob");
    arrive(repository("open/a-b"), "blob");
    push(repository("open/a"), Image{.blobs = {"c"}});
    EXPECT_SUCCEEDS(run(store().uploads().begin(upload(1, "p/empty"), 10)));
    using Names = std::vector<std::string>;
    using Ids = std::vector<std::int64_t>;
    EXPECT_EQ(
        run(store().manifests().repositories(std::nullopt, {10, ""}))->names, (Names{"open/a", "open/a-b", "p", "p/b"})
    );
    EXPECT_EQ(run(store().manifests().repositories(Ids{open->id}, {10, ""}))->names, (Names{"open/a", "open/a-b"}));
    EXPECT_TRUE(run(store().manifests().repositories(Ids{}, {10, ""}))->names.empty());
    // More ids than one statement takes.
    Ids many;
    for (std::int64_t id = 1; id < 3000; ++id) many.push_back(id);
    EXPECT_EQ(run(store().manifests().repositories(many, {3, ""}))->names, (Names{"open/a", "open/a-b", "p"}));
    EXPECT_TRUE(run(store().manifests().repositories(many, {3, ""}))->more);
    const auto page = run(store().manifests().repositories(std::nullopt, {2, "open/a"}));
    EXPECT_EQ(page->names, (Names{"open/a-b", "p"}));
    EXPECT_TRUE(page->more);
    EXPECT_FALSE(run(store().manifests().repositories(std::nullopt, {4, ""}))->more);
    EXPECT_TRUE(run(store().manifests().repositories(std::nullopt, {0, ""}))->names.empty());
}

TEST_P(MetadataStoreContract, finds_referrers_in_digest_order_filtered_and_paged)
{
    const Digest subject = digest_of("subject");
    std::vector<std::string> all;
    std::vector<std::string> signatures;
    for (int i = 0; i < 9; ++i) {
        const std::string type = i % 3 == 0 ? "application/x-sig" : "application/x-sbom";
        const Image image{.blobs = {"c"}, .annotation = std::to_string(i), .artifact_type = type, .subject = subject};
        push(repository("p/app"), image);
        all.push_back(digest_of(image.bytes()).text());
        if (i % 3 == 0) signatures.push_back(all.back());
    }
    push(repository("p/app"), {.blobs = {"c"}, .subject = digest_of("another")});
    std::ranges::sort(all);
    std::ranges::sort(signatures);
    std::vector<std::string> seen;
    for (bool more = true; more;) {
        const auto page =
            run(store().manifests().referrers(repository("p/app"), subject, "", {4, seen.empty() ? "" : seen.back()}));
        ASSERT_TRUE(page);
        for (const Referrer& referrer : page->referrers) seen.push_back(referrer.digest.text());
        more = page->more;
    }
    EXPECT_EQ(seen, all);
    const auto some = run(store().manifests().referrers(repository("p/app"), subject, "application/x-sig", {10, ""}));
    ASSERT_EQ(some->referrers.size(), signatures.size());
    EXPECT_EQ(some->referrers.front().digest.text(), signatures.front());
    EXPECT_EQ(some->referrers.front().artifact_type, "application/x-sig");
    EXPECT_EQ(some->referrers.front().media_type, media::oci_manifest);
    EXPECT_TRUE(some->referrers.front().annotations.contains("note"));
    EXPECT_GT(some->referrers.front().size, 100U);
    EXPECT_TRUE(run(store().manifests().referrers(repository("p/none"), subject, "", {10, ""}))->referrers.empty());
}

TEST_P(MetadataStoreContract, merges_what_a_fallback_tag_lists_into_the_referrers)
{
    const Digest subject = digest_of("subject");
    const Image known{.blobs = {"c"}, .artifact_type = "application/x-sig", .subject = subject};
    push(repository("p/app"), known);
    const std::string index = R"({"schemaVersion":2,"mediaType":")" + std::string{media::oci_index} +
                              R"(","manifests":[)" + descriptor(media::oci_manifest, digest_of(known.bytes())) + "," +
                              R"({"mediaType":"application/x-m","digest":")" + digest_of("listed").text() +
                              R"(","size":12,"artifactType":"application/x-old","annotations":{"k":"v"}}]})";
    const std::string fallback = "sha256-" + std::string{subject.hex()};
    EXPECT_SUCCEEDS(run(store().manifests().commit(pushed(repository("p/app"), index, media::oci_index, {fallback}))));
    const auto all = run(store().manifests().referrers(repository("p/app"), subject, "", {10, ""}));
    ASSERT_EQ(all->referrers.size(), 2U);
    EXPECT_LT(all->referrers[0].digest, all->referrers[1].digest);
    const auto old = run(store().manifests().referrers(repository("p/app"), subject, "application/x-old", {10, ""}));
    ASSERT_EQ(old->referrers.size(), 1U);
    EXPECT_EQ(old->referrers[0].digest, digest_of("listed"));
    EXPECT_EQ(old->referrers[0].size, 12U);
    EXPECT_EQ(old->referrers[0].annotations.at("k"), "v");
    const auto first = run(store().manifests().referrers(repository("p/app"), subject, "", {1, ""}));
    ASSERT_EQ(first->referrers.size(), 1U);
    EXPECT_TRUE(first->more);
    const auto second =
        run(store().manifests().referrers(repository("p/app"), subject, "", {1, first->referrers[0].digest.text()}));
    ASSERT_EQ(second->referrers.size(), 1U);
    EXPECT_FALSE(second->more);
    EXPECT_EQ(second->referrers[0].digest, all->referrers[1].digest);
}

TEST_P(MetadataStoreContract, adds_pulls_up)
{
    push(repository("p/app"), {.blobs = {"c"}}, {"v"});
    const auto manifest = *run(store().manifests().load(repository("p/app"), reference("v")));
    const PullCount three{manifest->id, manifest->repository_id, 3, 500};
    const PullCount four{manifest->id, manifest->repository_id, 4, 400};
    const PullCount gone{manifest->id + 1000, manifest->repository_id + 1000, 1, 1};
    EXPECT_SUCCEEDS(run(store().pulls().add({three, gone, four})));
    EXPECT_SUCCEEDS(run(store().pulls().add({four})));
    EXPECT_EQ(host().number("SELECT pull_count FROM artifacts"), 11);
    EXPECT_EQ(host().number("SELECT pulled_at FROM artifacts"), 500);
    EXPECT_EQ(host().number("SELECT pull_count FROM repositories"), 11);
}

TEST_P(MetadataStoreContract, says_what_tags_point_at_range_by_range)
{
    const Image image{.blobs = {"config"}};
    const Image other{.blobs = {"config", "other"}};
    push(repository("p/app"), image, {"a", "b", "v1"});
    push(repository("p/app"), other, {"B"});
    push(repository("p/app-2"), image, {"a"});
    push(repository("p/zoo"), other, {"v1"});
    const auto digest = digest_of(image.bytes());
    const auto second = digest_of(other.bytes());
    const auto states = [&](TagRange range, std::optional<std::vector<std::int64_t>> projects = {}) {
        std::string text;
        const auto found = run(store().manifests().tag_states(std::move(projects), std::move(range)));
        EXPECT_TRUE(found);
        for (const auto& state : found.value()) {
            EXPECT_EQ(state.digest, state.place.tag == "B" || state.place.repository == "p/zoo" ? second : digest);
            text += state.place.repository + ":" + state.place.tag + " ";
        }
        return text;
    };
    EXPECT_EQ(states({.limit = 10}), "p/app:B p/app:a p/app:b p/app:v1 p/app-2:a p/zoo:v1 ");
    EXPECT_EQ(states({.limit = 2}), "p/app:B p/app:a ");
    EXPECT_EQ(states({.after = {"p/app", "a"}, .limit = 3}), "p/app:b p/app:v1 p/app-2:a ");
    EXPECT_EQ(states({.after = {"p/app", "zz"}, .limit = 9}), "p/app-2:a p/zoo:v1 ");
    EXPECT_EQ(states({.after = {"p/app", ""}, .until = {"p/app", "b"}, .limit = 9}), "p/app:B p/app:a p/app:b ");
    EXPECT_EQ(states({.after = {"p/app", "b"}, .until = {"p/zoo", ""}, .limit = 9}), "p/app:v1 p/app-2:a ");
    EXPECT_EQ(states({.after = {"q", ""}, .limit = 9}), "");
    EXPECT_EQ(states({.limit = 9}, std::vector<std::int64_t>{}), "");
    EXPECT_EQ(states({.limit = 0}), "");
    const auto project = run(store().projects().find(ProjectName::parse("p").value())).value().id;
    std::vector<std::int64_t> many(3000, 0);
    for (std::size_t i = 0; i < many.size(); ++i) many[i] = 1'000'000 + static_cast<std::int64_t>(i);
    many.push_back(project);
    EXPECT_EQ(states({.after = {"p/app", "v1"}, .limit = 1}, many), "p/app-2:a ");
}

TEST_P(MetadataStoreContract, says_what_refers_to_what_tags_point_at_level_by_level)
{
    const Image image{.blobs = {"config"}};
    push(repository("p/app"), image, {"a", "b"});
    push(repository("p/other"), image, {"a"});
    const auto states = [&](TagRange range) {
        std::vector<std::optional<Digest>> referrers;
        const auto found = run(store().manifests().tag_states(std::nullopt, std::move(range)));
        EXPECT_TRUE(found);
        for (const auto& state : found.value()) referrers.push_back(state.referrers);
        return referrers;
    };
    std::vector<std::string> digests;
    auto subject = digest_of(image.bytes());
    for (int level = 1; level <= tags_referrers_deep + 1; ++level) {
        const Image next{.blobs = {"config"}, .annotation = std::to_string(level), .subject = subject};
        push(repository("p/app"), next);
        subject = digest_of(next.bytes());
        if (level <= tags_referrers_deep) digests.push_back(subject.text());
    }
    const Image second{.blobs = {"config"}, .annotation = "second", .subject = digest_of(image.bytes())};
    push(repository("p/app"), second);
    digests.push_back(digest_of(second.bytes()).text());
    const auto sum = digest_of_referrers(digests);
    std::ranges::reverse(digests);
    EXPECT_EQ(digest_of_referrers(digests), sum) << "their order does not count";
    using All = std::vector<std::optional<Digest>>;
    EXPECT_EQ(states({.limit = 9}), (All{sum, sum, std::nullopt})) << "of each repository its own";
    EXPECT_EQ(states({.limit = 9, .prefix = {}, .with_referrers = false}), (All{{}, {}, {}}));
    // What refers to something may have a tag of its own, and two may refer to each other by way of it.
    push(repository("p/app"), second, {"signature"});
    EXPECT_EQ(states({.limit = 9}), (All{sum, sum, std::nullopt, std::nullopt}));
}

}  // namespace entrepot::contract
