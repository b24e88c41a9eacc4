#include "core/ascii.hpp"
#include "core/percent.hpp"
#include "drivers/upstream/answer_fields.hpp"
#include "drivers/upstream/referrer_index.hpp"
#include "drivers/upstream/registry_site.hpp"
#include "drivers/upstream/remote_problem.hpp"
#include "oci/manifest.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {
namespace {

constexpr std::size_t longest_place = 8 * 1024;

bool is_one_of(unsigned status, std::initializer_list<unsigned> wanted)
{
    return std::ranges::find(wanted, status) != wanted.end();
}

std::string with_query(std::string url, std::string_view field)
{
    url += url.contains('?') ? '&' : '?';
    return url.append(field);
}

// 404 of a registry that has neither the upload nor the repository.
std::unexpected<Error> upload_error(const ClientResponse& answer)
{
    auto error = remote_error(answer, answer.body, Errc::upload_unknown);
    const auto code = error.code();
    const bool gone = answer.status == 404 && (code == Errc::blob_unknown || code == Errc::upload_invalid);
    if (!gone) return std::unexpected{std::move(error)};
    return fail(Errc::upload_unknown, error.message(), error.detail());
}

}  // namespace

Task<> RegistrySite::prepare(RepositoryName repository)
{
    if (adapter_.prepare == nullptr) co_return Result<>{};
    {
        const std::lock_guard lock{mutex_};
        if (prepared_.contains(repository.text())) co_return Result<>{};
    }
    CO_CHECK(co_await adapter_.prepare({calls_, endpoint_}, repository));
    constexpr std::size_t most_prepared = 10'000;
    const std::lock_guard lock{mutex_};
    if (prepared_.size() >= most_prepared) prepared_.clear();
    prepared_.insert(repository.text());
    co_return Result<>{};
}

Task<bool> RegistrySite::holds(RepositoryName repository, Digest digest)
{
    // By the token that the upload will need.
    auto call = write_call(repository, "HEAD", url_of(repository, "/blobs/" + digest.text()));
    // A redirect is to where its bytes are, often signed for GET alone.
    call.follow = false;
    CO_TRY(const auto answer, co_await calls_.send(std::move(call)));
    if (is_one_of(answer.status, {200, 301, 302, 303, 307, 308})) co_return true;
    if (answer.status == 404) co_return false;
    co_return std::unexpected{remote_error(answer, answer.body, Errc::blob_unknown)};
}

Task<bool> RegistrySite::mount(RepositoryName into, RepositoryName from, Digest digest)
{
    auto call = write_call(into, "POST", url_of(into, "/blobs/uploads/?mount=" + percent_encoded(digest.text())));
    call.url += "&from=" + percent_encoded(remote(from));
    call.scope += " " + scope_of(from, "pull");
    auto sending = calls_.send(std::move(call));
    const auto answer = co_await std::move(sending);
    if (!answer && answer.error().code() == Errc::denied) co_return false;
    if (!answer) co_return std::unexpected{answer.error()};
    if (answer->status == 201) co_return true;
    if (answer->status == 202) {
        // It began an ordinary upload instead.
        if (auto upload = upload_in(*answer, {})) (void)co_await cancel(std::move(into), std::move(upload->place));
        co_return false;
    }
    if (is_one_of(answer->status, {400, 403, 404, 405})) co_return false;
    co_return std::unexpected{remote_error(*answer, answer->body, Errc::blob_unknown)};
}

Task<> RegistrySite::put(RepositoryName repository, Digest digest, std::string bytes)
{
    const auto named = "digest=" + percent_encoded(digest.text());
    auto begin = write_call(repository, "POST", url_of(repository, "/blobs/uploads/"));
    if (adapter_.single_post) {
        begin.url += "?" + named;
        begin.fields.push_back({"Content-Type", std::string{media::octets}});
        begin.body = bytes;
    }
    for (std::size_t left = bytes.size(); left > 0;) {
        CO_TRY(const auto granted, co_await calls_.limiter()->pace(left));
        left -= granted;
    }
    CO_TRY(const auto begun, co_await calls_.send(std::move(begin)));
    if (begun.status == 201) co_return Result<>{};
    if (begun.status != 202) co_return std::unexpected{remote_error(begun, begun.body, Errc::name_unknown)};
    CO_TRY(const auto upload, upload_in(begun, {}));
    CO_TRY(auto url, url_at(upload.place));
    auto call = write_call(repository, "PUT", with_query(std::move(url), named));
    call.fields.push_back({"Content-Type", std::string{media::octets}});
    call.body = std::move(bytes);
    CO_TRY(const auto answer, co_await calls_.send(std::move(call)));
    if (is_one_of(answer.status, {200, 201, 204})) co_return Result<>{};
    co_return upload_error(answer);
}

Task<CopyUpload>
RegistrySite::begin(RepositoryName repository, DigestAlgorithm /*algorithm*/, std::optional<std::uint64_t> /*size*/)
{
    CO_TRY(
        const auto answer, co_await calls_.send(write_call(repository, "POST", url_of(repository, "/blobs/uploads/")))
    );
    if (answer.status != 202) co_return std::unexpected{remote_error(answer, answer.body, Errc::name_unknown)};
    CO_TRY(auto upload, upload_in(answer, {}));
    upload.offset = 0;
    co_return upload;
}

Task<CopyUpload> RegistrySite::resume(RepositoryName repository, std::string place)
{
    CO_TRY(auto url, url_at(place));
    CO_TRY(const auto answer, co_await calls_.send(write_call(repository, "GET", std::move(url))));
    if (!is_one_of(answer.status, {200, 202, 204})) co_return upload_error(answer);
    if (!parse_upload_range(answer.field("range")))
        co_return fail(Errc::unavailable, "the registry doesn't say how much of the upload it has", answer.url);
    co_return upload_in(answer, std::move(place));
}

Task<CopyUpload>
RegistrySite::append(RepositoryName repository, CopyUpload upload, ByteSource& body, std::uint64_t length)
{
    if (length == 0) co_return upload;
    const auto end = upload.offset + length;
    CO_TRY(auto url, url_at(upload.place));
    PacedPart part{body, length, *calls_.limiter()};
    auto call = write_call(repository, "PATCH", std::move(url));
    call.fields.push_back({"Content-Type", std::string{media::octets}});
    call.fields.push_back({"Content-Range", std::to_string(upload.offset) + "-" + std::to_string(end - 1)});
    call.source = &part;
    auto sending = calls_.send(std::move(call));
    const auto answer = co_await std::move(sending);
    if (part.failure()) co_return std::unexpected{*part.failure()};
    if (!answer) co_return std::unexpected{answer.error()};
    if (!is_one_of(answer->status, {200, 201, 202, 204})) co_return upload_error(*answer);
    CO_TRY(auto next, upload_in(*answer, upload.place));
    if (!parse_upload_range(answer->field("range")) || (end == 1 && next.offset == 0)) next.offset = end;
    if (next.offset != end) {
        co_return fail(
            Errc::upload_offset,
            "the registry says that it has " + std::to_string(next.offset) + " bytes of " + std::to_string(end)
        );
    }
    if (next.shortest_chunk == 0) next.shortest_chunk = upload.shortest_chunk;
    co_return next;
}

Task<> RegistrySite::finish(RepositoryName repository, CopyUpload upload, Digest digest)
{
    CO_TRY(auto url, url_at(upload.place));
    auto call = write_call(repository, "PUT", with_query(std::move(url), "digest=" + percent_encoded(digest.text())));
    call.fields.push_back({"Content-Type", std::string{media::octets}});
    auto sending = calls_.send(std::move(call));
    const auto answer = co_await std::move(sending);
    if (answer && is_one_of(answer->status, {200, 201, 204})) co_return Result<>{};
    // The answer to a PUT that succeeded may be what was lost; the next one finds no upload then.
    const auto error = answer ? upload_error(*answer) : std::unexpected{answer.error()};
    const auto code = error.error().code();
    if (code == Errc::upload_unknown || code == Errc::connection_lost || code == Errc::request_timeout) {
        auto asking = holds(std::move(repository), std::move(digest));
        const auto held = co_await std::move(asking);
        if (held && *held) co_return Result<>{};
    }
    co_return error;
}

Task<> RegistrySite::cancel(RepositoryName repository, std::string place)
{
    CO_TRY(auto url, url_at(place));
    CO_TRY(const auto answer, co_await calls_.send(write_call(repository, "DELETE", std::move(url))));
    // Where uploads can't be cancelled they end by themselves.
    if (answer.status < 300 || is_one_of(answer.status, {404, 405})) co_return Result<>{};
    co_return upload_error(answer);
}

Task<> RegistrySite::push(RepositoryName repository, Reference reference, CopiedManifest manifest)
{
    auto call = write_call(repository, "PUT", url_of(repository, "/manifests/" + reference.text()));
    call.fields.push_back({"Content-Type", manifest.media_type});
    call.body = manifest.bytes;
    CO_TRY(const auto answer, co_await calls_.send(std::move(call)));
    if (!is_one_of(answer.status, {200, 201, 202})) {
        auto error = remote_error(answer, answer.body, Errc::name_unknown);
        const auto code = error.code();
        // Of an index, what is missing are manifests.
        if (code != Errc::blob_unknown && code != Errc::manifest_unknown) co_return std::unexpected{std::move(error)};
        co_return fail(Errc::manifest_blob_unknown, error.message(), error.detail());
    }
    const auto said = answer.field("docker-content-digest");
    if (!said.empty() && said != manifest.digest.text() && manifest.digest.algorithm() == DigestAlgorithm::sha256)
        co_return fail(Errc::digest_mismatch, "the registry has stored another manifest than it was sent", answer.url);
    if (!answer.field("oci-subject").empty()) co_return Result<>{};
    co_return co_await note_referrer(std::move(repository), manifest);
}

// A registry that doesn't know of subjects has their referrers listed by who pushes them (OCI distribution-spec,
// "Pushing Manifests with Subject").
Task<> RegistrySite::note_referrer(RepositoryName repository, const CopiedManifest& manifest)
{
    const auto parsed = Manifest::parse(manifest.media_type, manifest.bytes);
    if (!parsed || !parsed->subject) co_return Result<>{};
    CO_TRY(const auto listed, co_await all_referrers(repository, parsed->subject->digest));
    auto index = index_with_referrer(listed, manifest, *parsed);
    if (!index) co_return Result<>{};
    CO_TRY(auto tag, Tag::parse(referrers_tag(parsed->subject->digest)));
    auto call = write_call(repository, "PUT", url_of(repository, "/manifests/" + tag.text()));
    call.fields.push_back({"Content-Type", std::string{media::oci_index}});
    call.body = *std::move(index);
    CO_TRY(const auto answer, co_await calls_.send(std::move(call)));
    if (is_one_of(answer.status, {200, 201, 202})) co_return Result<>{};
    co_return std::unexpected{remote_error(answer, answer.body, Errc::name_unknown)};
}

Task<> RegistrySite::remove(RepositoryName repository, Reference reference)
{
    if (reference.tag() != nullptr && adapter_.remove_tag != nullptr)
        co_return co_await adapter_.remove_tag({calls_, endpoint_}, std::move(repository), *reference.tag());
    auto call = write_call(repository, "DELETE", url_of(repository, "/manifests/" + reference.text()));
    call.scope = scope_of(repository, "delete,pull");
    CO_TRY(const auto answer, co_await calls_.send(std::move(call)));
    if (answer.status < 300) co_return Result<>{};
    auto error = remote_error(answer, answer.body, Errc::manifest_unknown);
    // docker-registry 2.8 takes a tag for a digest that it can't read.
    const bool no_tags = reference.tag() != nullptr && is_one_of(answer.status, {400, 405});
    if (no_tags) co_return fail(Errc::unsupported, error.message(), error.detail());
    if (error.code() == Errc::digest_mismatch) co_return fail(Errc::manifest_unknown, error.message(), error.detail());
    co_return std::unexpected{std::move(error)};
}

// Where an answer says that the upload goes on, kept as a path where that is the registry itself. Behind a proxy some
// write their addresses with the wrong scheme.
Result<std::string> RegistrySite::place_in(const ClientAnswerHead& answer) const
{
    const auto location = answer.field("location");
    TRY(const auto asked, parse_http_url(answer.url));
    TRY(const auto url, resolve_http_url(asked, location));
    const auto& registry = calls_.registry();
    const bool downgraded = registry.tls && !url.tls;
    if (url.same_origin(registry) || (downgraded && url.host == registry.host)) {
        if (url.target.size() <= longest_place) return url.target;
    } else if (!downgraded && url.text().size() <= longest_place) {
        return url.text();
    }
    return fail(Errc::unavailable, "the registry sends the upload to where it can't go on", url.text());
}

Result<std::string> RegistrySite::url_at(const std::string& place) const
{
    TRY(const auto url, resolve_http_url(calls_.registry(), place));
    if (place.empty() || (calls_.registry().tls && !url.tls)) return fail(Errc::upload_unknown, "that is no upload");
    return url.text();
}

Result<CopyUpload> RegistrySite::upload_in(const ClientAnswerHead& answer, std::string place_before) const
{
    CopyUpload upload{.place = std::move(place_before)};
    if (!answer.field("location").empty()) {
        TRY(upload.place, place_in(answer));
    }
    if (upload.place.empty()) return fail(Errc::unavailable, "the registry doesn't say where the upload goes on");
    upload.offset = parse_upload_range(answer.field("range")).value_or(0);
    upload.shortest_chunk = parse_decimal(answer.field("oci-chunk-min-length")).value_or(0);
    return upload;
}

}  // namespace entrepot
