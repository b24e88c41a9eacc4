#include "api/oci/upload_endpoints.hpp"

#include "access/scope.hpp"
#include "api/oci/byte_range.hpp"

namespace entrepot {
namespace {

Result<UploadId> upload_id(std::string_view text)
{
    auto id = UploadId::parse(text);
    if (!id) return fail(Errc::upload_unknown, "there is no such upload");
    return *std::move(id);
}

Result<std::optional<ChunkRange>> chunk_range(const Request& request)
{
    const auto header = request.header("content-range");
    if (!header) return std::optional<ChunkRange>{};
    TRY(const auto range, parse_chunk_range(*header));
    return std::optional{range};
}

Response created(const RepositoryName& repository, const Digest& digest)
{
    Response response;
    response.status = 201;
    response.add("Location", "/v2/" + repository.text() + "/blobs/" + digest.text());
    response.add("Docker-Content-Digest", digest.text());
    return response;
}

}  // namespace

Response UploadEndpoints::at(unsigned status, const OciCall& call, const UploadId& id, std::uint64_t offset) const
{
    Response response;
    response.status = status;
    response.add("Location", "/v2/" + call.repository.text() + "/blobs/uploads/" + id.text);
    response.add("Docker-Upload-UUID", id.text);
    // An inclusive end can't say "nothing yet"; clients know "0-0" as that.
    response.add("Range", "0-" + std::to_string(offset == 0 ? 0 : offset - 1));
    if (least_chunk_ != 0) response.add("OCI-Chunk-Min-Length", std::to_string(least_chunk_));
    return response;
}

Task<Response> UploadEndpoints::begin(OciCall call)
{
    CO_TRY(const auto query, Query::of(call.request));
    if (const auto digest_text = query.first("digest")) {
        CO_TRY(const auto digest, Digest::parse(*digest_text));
        CO_CHECK(co_await uploads_.push(call.repository, digest, call.body, call.caller));
        co_return created(call.repository, digest);
    }
    if (const auto mount = query.first("mount")) {
        CO_TRY(const auto digest, Digest::parse(*mount));
        CO_TRY(const auto outcome, co_await this->mount(call, digest, query.first("from")));
        if (outcome.kind == MountOutcome::Kind::mounted) co_return created(call.repository, digest);
        if (outcome.kind == MountOutcome::Kind::wider_token) co_return ask_for_wider_token(call, *outcome.source);
    }
    auto algorithm = DigestAlgorithm::sha256;
    if (const auto named = query.first("digest-algorithm")) {
        CO_TRY(algorithm, parse_digest_algorithm(*named));
    }
    CO_TRY(const auto id, co_await uploads_.begin(call.repository, algorithm, call.caller));
    co_return at(202, call, id, 0);
}

Task<MountOutcome> UploadEndpoints::mount(const OciCall& call, Digest digest, std::optional<std::string_view> from)
{
    std::optional<RepositoryName> source;
    if (from) {
        auto name = RepositoryName::parse(*from);
        if (!name) co_return MountOutcome{};
        source = *std::move(name);
    }
    const Actor actor{.user_id = call.caller.identity->user_id, .at = clock_.now()};
    co_return co_await mount_(call.repository, std::move(source), std::move(digest), call.caller, actor);
}

Response UploadEndpoints::ask_for_wider_token(const OciCall& call, const RepositoryName& source) const
{
    const auto scopes = scope_for(call.repository.text(), Action::push) + " " + scope_for(source.text(), Action::pull);
    return gate_.refuse(
        call.request, Error{Errc::unauthorized, "the token does not name the source of the mount"}, scopes
    );
}

Task<Response> UploadEndpoints::append(OciCall call)
{
    CO_TRY(const auto id, upload_id(call.last));
    CO_TRY(const auto range, chunk_range(call.request));
    CO_TRY(const auto offset, co_await uploads_.append(call.repository, id, range, call.body));
    co_return at(202, call, id, offset);
}

Task<Response> UploadEndpoints::finish(OciCall call)
{
    CO_TRY(const auto id, upload_id(call.last));
    CO_TRY(const auto query, Query::of(call.request));
    const auto digest_text = query.first("digest");
    if (!digest_text) co_return fail(Errc::digest_invalid, "the digest parameter is missing");
    CO_TRY(const auto digest, Digest::parse(*digest_text));
    CO_TRY(const auto range, chunk_range(call.request));
    CO_CHECK(co_await uploads_.finish(call.repository, id, digest, range, call.body, call.caller));
    co_return created(call.repository, digest);
}

Task<Response> UploadEndpoints::status(OciCall call)
{
    CO_TRY(const auto id, upload_id(call.last));
    CO_TRY(const auto offset, co_await uploads_.offset(call.repository, id));
    co_return at(204, call, id, offset);
}

Task<Response> UploadEndpoints::cancel(OciCall call)
{
    CO_TRY(const auto id, upload_id(call.last));
    CO_CHECK(co_await uploads_.cancel(call.repository, id));
    Response response;
    response.status = 204;
    co_return response;
}

}  // namespace entrepot
