#include "core/ascii.hpp"
#include "core/percent.hpp"
#include "drivers/upstream/answer_fields.hpp"
#include "drivers/upstream/referrer_index.hpp"
#include "drivers/upstream/registry_site.hpp"
#include "drivers/upstream/remote_problem.hpp"
#include "oci/json_fields.hpp"
#include "oci/manifest.hpp"
#include "oci/media_type.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace entrepot {
namespace {

constexpr std::size_t largest_manifest = std::size_t{4} * 1024 * 1024;
constexpr unsigned most_referrer_pages = 64;
constexpr std::size_t most_referrers = 10'000;
constexpr std::int64_t largest_page = 1'000;  // of lists: more is refused by some
constexpr auto referrers_recheck = std::chrono::minutes{10};

constexpr std::string_view accepted =
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.artifact.manifest.v1+json, */*;q=0.1";

std::optional<Digest> digest_field(const ClientAnswerHead& answer)
{
    auto digest = Digest::parse(answer.field("docker-content-digest"));
    return digest ? std::optional{*std::move(digest)} : std::nullopt;
}

bool is_vague(std::string_view type)
{
    return type.empty() || type == "application/json" || type == "text/plain" || type == media::octets;
}

// The media type of a manifest that was answered, of the header or else of its own words.
Result<std::string> manifest_type(const ClientAnswerHead& answer, std::string_view bytes)
{
    const auto said = MediaType::of_content_type(answer.field("content-type"));
    auto type = said ? said->text() : std::string{};
    if (!is_vague(type)) return type;
    type = media_type_within(bytes);
    if (!type.empty()) return type;
    const auto object = parse_object(bytes);
    if (object && find_array(*object, "manifests") != nullptr) return std::string{media::oci_index};
    if (object && find_array(*object, "layers") != nullptr) return std::string{media::oci_manifest};
    return fail(Errc::manifest_invalid, "the registry's answer is no manifest", answer.url);
}

Result<CopiedManifest> manifest_in(const ClientAnswerHead& answer, std::string bytes, const Reference& reference)
{
    const auto start = bytes.find_first_not_of(" \t\r\n");
    if (is_web_page(answer.field("content-type")) || start == std::string::npos || bytes[start] != '{')
        return fail(Errc::manifest_invalid, "the registry answers with something else than a manifest", answer.url);
    const auto said = reference.digest() != nullptr ? std::optional{*reference.digest()} : digest_field(answer);
    auto digest = digest_of(bytes, said ? said->algorithm() : DigestAlgorithm::sha256);
    if (said && *said != digest) {
        return fail(
            Errc::digest_mismatch, "the registry sends a manifest of another digest than " + said->text(), answer.url
        );
    }
    TRY(auto type, manifest_type(answer, bytes));
    if (Manifest::is_understood(type)) CHECK(Manifest::parse(type, bytes));
    return CopiedManifest{std::move(digest), std::move(type), std::move(bytes)};
}

// Where the bytes of an answer to "from `first` on" stand. Nothing but the blob itself counts as one.
Result<BlobStream> place_blob(const ClientAnswerHead& answer, const ByteSource& body, std::uint64_t first)
{
    if (is_web_page(answer.field("content-type")))
        return fail(Errc::unavailable, "the registry answers with a web page instead of the blob", answer.url);
    BlobStream stream{.body = nullptr};
    if (answer.status == 200) {
        stream.size = body.size();
        return stream;
    }
    const auto range = parse_content_range(answer.field("content-range"));
    const bool fits = range && range->first == first && (!range->size || range->last + 1 == *range->size);
    const bool counted = range && range->first && (!body.size() || *body.size() == range->last + 1 - *range->first);
    if (!fits || !counted)
        return fail(Errc::unavailable, "the registry sends another part of the blob than it was asked for", answer.url);
    stream.first = first;
    stream.size = range->last + 1;
    return stream;
}

class NoBytes final : public ByteSource {
public:
    std::optional<std::uint64_t> size() const override { return 0; }
    Task<std::size_t> read(std::span<std::byte> /*into*/) override { co_return std::size_t{0}; }
};

}  // namespace

Task<ManifestHead> RegistrySite::look(RepositoryName repository, Reference reference)
{
    auto call = call_of(repository, "HEAD", "/manifests/" + reference.text());
    call.fields.push_back({"Accept", std::string{accepted}});
    CO_TRY(const auto answer, co_await calls_.send(std::move(call)));
    if (answer.status == 200 && !is_web_page(answer.field("content-type"))) {
        const auto said = digest_field(answer);
        const auto type = MediaType::of_content_type(answer.field("content-type"));
        const auto size = parse_decimal(answer.field("content-length"));
        const bool agrees = said && (reference.digest() == nullptr || *reference.digest() == *said);
        if (agrees && type && !is_vague(type->text()) && size) co_return ManifestHead{*said, type->text(), *size};
    }
    // Some have no HEAD, or say too little in its answer.
    const bool may_have_get = answer.status == 200 || answer.status == 400 || answer.status == 403 ||
                              answer.status == 405 || answer.status == 501;
    if (!may_have_get) co_return std::unexpected{remote_error(answer, {}, Errc::manifest_unknown)};
    CO_TRY(auto whole, co_await fetch_manifest(std::move(repository), std::move(reference)));
    co_return ManifestHead{whole.digest, std::move(whole.media_type), whole.bytes.size()};
}

Task<CopiedManifest> RegistrySite::manifest(RepositoryName repository, Reference reference)
{
    co_return co_await fetch_manifest(std::move(repository), std::move(reference));
}

Task<CopiedManifest> RegistrySite::fetch_manifest(RepositoryName repository, Reference reference)
{
    auto call = call_of(repository, "GET", "/manifests/" + reference.text());
    call.fields.push_back({"Accept", std::string{accepted}});
    auto sending = calls_.send(std::move(call), largest_manifest);
    auto answer = co_await std::move(sending);
    if (!answer && answer.error().code() == Errc::payload_too_large)
        co_return fail(Errc::manifest_invalid, "the registry's manifest is larger than 4 MiB");
    if (!answer) co_return std::unexpected{std::move(answer).error()};
    if (answer->status != 200) co_return std::unexpected{remote_error(*answer, answer->body, Errc::manifest_unknown)};
    auto bytes = std::move(answer->body);
    co_return manifest_in(*answer, std::move(bytes), reference);
}

Task<BlobStream> RegistrySite::blob(RepositoryName repository, Digest digest, std::uint64_t first)
{
    auto call = call_of(repository, "GET", "/blobs/" + digest.text());
    if (first > 0) call.fields.push_back({"Range", "bytes=" + std::to_string(first) + "-"});
    CO_TRY(auto answer, co_await calls_.open(std::move(call)));
    const auto status = answer.stream.status;
    if (status == 416 && first > 0) {
        const auto range = parse_content_range(answer.stream.field("content-range"));
        if (range && range->size == first)
            co_return BlobStream{.body = std::make_unique<NoBytes>(), .first = first, .size = first};
        co_return fail(Errc::range_invalid, "the blob ends before the byte that it was asked from");
    }
    if (status != 200 && (status != 206 || first == 0)) {
        auto explaining = calls_.error_of(std::move(answer), Errc::blob_unknown);
        co_return std::unexpected{co_await std::move(explaining)};
    }
    const auto said = digest_field(answer.stream);
    if (said && *said != digest)
        co_return fail(Errc::digest_mismatch, "the registry answers with the blob " + said->text());
    CO_TRY(auto stream, place_blob(answer.stream, *answer.stream.body, first));
    const auto length = stream.size ? std::optional{*stream.size - stream.first} : std::nullopt;
    stream.body =
        std::make_unique<PacedBody>(std::move(answer.stream.body), length, calls_.limiter(), std::move(answer.slot));
    co_return stream;
}

bool RegistrySite::lacks_referrers() const
{
    return calls_.clock().steady().time_since_epoch().count() < no_referrers_until_.load(std::memory_order_relaxed);
}

Task<ReferrerPage> RegistrySite::referrers(RepositoryName repository, Digest subject, PageRequest page)
{
    // Registries page in their own ways and the fallback not at all, so the order of digests is made here.
    CO_TRY(auto all, co_await all_referrers(std::move(repository), std::move(subject)));
    std::map<std::string, Referrer> sorted;
    for (auto& each : all) sorted.emplace(each.digest.text(), each);
    ReferrerPage answer;
    for (auto place = sorted.upper_bound(page.last); place != sorted.end(); ++place) {
        answer.more = static_cast<std::int64_t>(answer.referrers.size()) >= page.limit;
        if (answer.more) break;
        answer.referrers.push_back(std::move(place->second));
    }
    co_return answer;
}

Task<std::vector<Referrer>> RegistrySite::all_referrers(RepositoryName repository, Digest subject)
{
    std::vector<Referrer> found;
    auto call = call_of(repository, "GET", "/referrers/" + subject.text());
    call.fields.push_back({"Accept", std::string{media::oci_index}});
    for (unsigned page = 0; !lacks_referrers() && page < most_referrer_pages; ++page) {
        CO_TRY(const auto answer, co_await calls_.send(call));
        const auto object = answer.status == 200 ? parse_object(answer.body) : std::nullopt;
        if (!object || find_array(*object, "manifests") == nullptr) {
            if (page > 0) co_return fail(Errc::unavailable, "the list of referrers breaks off", answer.url);
            // Where even the error is not a registry's, there is no such API; it may come with an upgrade.
            if (answer.status == 404 && parse_remote_problem(answer.body).code.empty()) {
                const auto until = calls_.clock().steady() + referrers_recheck;
                no_referrers_until_.store(until.time_since_epoch().count(), std::memory_order_relaxed);
            }
            break;
        }
        auto listed = referrers_in(answer.body);
        found.insert(found.end(), std::make_move_iterator(listed.begin()), std::make_move_iterator(listed.end()));
        if (found.size() > most_referrers) co_return fail(Errc::unavailable, "the list of referrers has no end");
        const auto next = next_link(answer.field("link"));
        if (!next) co_return found;
        CO_TRY(const auto asked, parse_http_url(answer.url));
        CO_TRY(const auto url, resolve_http_url(asked, *next));
        if (!url.same_origin(calls_.registry())) co_return fail(Errc::unavailable, "the list goes on elsewhere");
        call.url = url.text();
    }
    co_return co_await fallback_referrers(std::move(repository), std::move(subject));
}

// OCI distribution-spec, "Referrers tag schema".
Task<std::vector<Referrer>> RegistrySite::fallback_referrers(RepositoryName repository, Digest subject)
{
    CO_TRY(auto tag, Tag::parse(referrers_tag(subject)));
    auto fetching = fetch_manifest(std::move(repository), Reference{std::move(tag)});
    auto index = co_await std::move(fetching);
    if (index) co_return referrers_in(index->bytes);
    const auto code = index.error().code();
    const bool absent = code == Errc::manifest_unknown || code == Errc::name_unknown;
    if (absent) co_return std::vector<Referrer>{};
    co_return std::unexpected{std::move(index).error()};
}

Task<CopySource::Listing> RegistrySite::repositories(PageRequest page)
{
    if (adapter_.repositories != nullptr)
        co_return co_await adapter_.repositories({calls_, endpoint_}, std::move(page));
    if (!adapter_.info.lists_repositories)
        co_return fail(Errc::unsupported, adapter_.info.title + " does not list its repositories");
    RegistryCall call{.url = base_ + "/v2/_catalog", .scope = "registry:catalog:*"};
    co_return co_await list(std::move(call), "repositories", Errc::unsupported, std::move(page));
}

Task<CopySource::Listing> RegistrySite::tags(RepositoryName repository, PageRequest page)
{
    auto call = call_of(repository, "GET", "/tags/list");
    call.scope = scope_of(repository, adapter_.list_actions);
    co_return co_await list(std::move(call), "tags", Errc::name_unknown, std::move(page));
}

Task<TagSummary> RegistrySite::tag_summary(TagRange range)
{
    if (adapter_.tag_summary == nullptr) co_return co_await CopySite::tag_summary(std::move(range));
    co_return co_await adapter_.tag_summary({calls_, endpoint_}, std::move(range));
}

Task<std::vector<TagState>> RegistrySite::tag_states(TagRange range)
{
    if (adapter_.tag_states == nullptr) co_return co_await CopySite::tag_states(std::move(range));
    co_return co_await adapter_.tag_states({calls_, endpoint_}, std::move(range));
}

// A place to go on from is what the last answer's link leads to, from its path on: some put more into it than the last
// name. A registry that knows no pages answers with everything at once.
Task<CopySource::Listing> RegistrySite::list(RegistryCall call, const char* key, Errc unknown, PageRequest page)
{
    const auto& registry = calls_.registry();
    CO_TRY(const auto list_url, parse_http_url(call.url));
    if (page.last.starts_with('/')) {
        CO_TRY(const auto url, resolve_http_url(registry, page.last));
        if (!url.same_origin(registry) || !url.target.starts_with(list_url.target + "?"))
            co_return fail(Errc::page_invalid, "that is no place in this list");
        call.url = url.text();
    } else {
        if (page.limit > 0) call.url += "?n=" + std::to_string(std::min(page.limit, largest_page));
        if (!page.last.empty()) call.url += (page.limit > 0 ? "&last=" : "?last=") + percent_encoded(page.last);
    }
    CO_TRY(const auto answer, co_await calls_.send(std::move(call)));
    if (answer.status != 200) co_return std::unexpected{remote_error(answer, answer.body, unknown)};
    const auto object = parse_object(answer.body);
    if (!object) co_return fail(Errc::unavailable, "the registry answers with something else than a list", answer.url);
    Listing listing;
    if (const auto* names = find_array(*object, key)) {
        for (const auto& name : *names) {
            if (name.is_string()) listing.names.emplace_back(name.get_string());
        }
    }
    const auto next = next_link(answer.field("link"));
    if (!next) co_return listing;
    CO_TRY(const auto asked, parse_http_url(answer.url));
    CO_TRY(const auto url, resolve_http_url(asked, *next));
    if (!url.target.starts_with(list_url.target + "?"))
        co_return fail(Errc::unavailable, "the list goes on elsewhere", url.text());
    if (url.target == page.last) co_return fail(Errc::unavailable, "the list goes in a circle", url.text());
    listing.next = url.target;
    co_return listing;
}

}  // namespace entrepot
