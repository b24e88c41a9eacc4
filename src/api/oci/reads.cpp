#include "api/oci/reads.hpp"

#include "api/error_answer.hpp"
#include "api/oci/arriving_blob.hpp"
#include "api/oci/byte_range.hpp"

namespace entrepot {
namespace {

// Appends without add()'s checks: only for values that were checked when they were parsed.
void append_line(std::string& headers, std::string_view name, std::string_view value)
{
    headers.append(name).append(": ").append(value).append("\r\n");
}

void append_identity(std::string& headers, const Digest& digest)
{
    append_line(headers, "Docker-Content-Digest", digest.text());
    headers.append("ETag: \"").append(digest.text()).append("\"\r\n");
    // Pushers choose content and type: no browser may take them for a page of ours.
    headers.append("X-Content-Type-Options: nosniff\r\nContent-Security-Policy: sandbox; default-src 'none'\r\n");
    append_line(headers, "Docker-Distribution-Api-Version", "registry/2.0");
}

// If-None-Match (RFC 9110 section 13.1.2): entity tags here are quoted digests, so a search for one is exact.
bool not_modified(const Request& request, const Digest& digest)
{
    const auto header = request.header("if-none-match");
    if (!header) return false;
    return *header == "*" || header->find('"' + digest.text() + '"') != std::string_view::npos;
}

// A mirror says which upstream name space it answers for (distribution-spec after 1.1, "ns"): our own only.
void add_namespace(Response& response, const Request& request)
{
    if (request.query.find("ns=") == std::string_view::npos) return;
    const auto query = Query::of(request);
    if (!query) return;
    const auto name = query->first("ns");
    if (name && !name->empty() && *name == request.origin().authority) response.add("OCI-Namespace", *name);
}

Response unchanged(const Digest& digest)
{
    Response response;
    response.status = 304;
    append_identity(response.headers, digest);
    return response;
}

Response manifest_response(const Request& request, const ManifestPtr& manifest)
{
    if (not_modified(request, manifest->digest)) return unchanged(manifest->digest);
    Response response;
    response.headers.reserve(512);
    response.add("Content-Type", manifest->media_type);
    append_identity(response.headers, manifest->digest);
    add_namespace(response, request);
    const auto size = manifest->bytes.size();
    if (request.method == Method::head) {
        response.announced_length = size;
    } else {
        response.body = MemoryRange{.bytes = {manifest, &manifest->bytes}, .offset = 0, .length = size};
    }
    return response;
}

Response blob_head(const Request& request, const Digest& digest)
{
    Response response;
    response.headers.reserve(512);
    response.headers.append("Content-Type: application/octet-stream\r\nAccept-Ranges: bytes\r\n");
    append_identity(response.headers, digest);
    add_namespace(response, request);
    return response;
}

// The Range that counts: without If-Range, or with one that names this very content (RFC 9110 section 13.1.5).
Result<std::optional<ByteRange>> wanted_range(const Request& request, const Digest& digest, std::uint64_t size)
{
    const auto range = request.header("range");
    if (!range) return std::optional<ByteRange>{};
    const auto condition = request.header("if-range");
    if (condition && *condition != '"' + digest.text() + '"') return std::optional<ByteRange>{};
    return parse_range(*range, size);
}

// RFC 9110 section 15.5.17: the client learns how long the content is.
Response out_of_range(const Error& error, std::uint64_t size)
{
    auto response = error_response(error);
    response.add("Content-Range", "bytes */" + std::to_string(size));
    return response;
}

// `body_of`: the body of a stretch.
template <class BodyOf>
Response blob_response(const Request& request, const Digest& digest, std::uint64_t size, BodyOf body_of)
{
    if (not_modified(request, digest)) return unchanged(digest);
    const auto wanted = wanted_range(request, digest, size);
    if (!wanted) return out_of_range(wanted.error(), size);
    const auto& range = *wanted;
    auto response = blob_head(request, digest);
    const auto part = range.value_or(ByteRange{.offset = 0, .length = size});
    if (range) {
        response.status = 206;
        response.headers.append("Content-Range: bytes ").append(std::to_string(part.offset)).append("-");
        response.headers.append(std::to_string(part.offset + part.length - 1)).append("/");
        response.headers.append(std::to_string(size)).append("\r\n");
    }
    body_of(response, part);
    return response;
}

Response blob_response(const Request& request, const Digest& digest, const BlobContent& content)
{
    return blob_response(request, digest, content.size, [&content](Response& response, const ByteRange& part) {
        if (content.bytes) {
            response.body = MemoryRange{.bytes = content.bytes, .offset = part.offset, .length = part.length};
        } else {
            response.body = FileRange{.file = content.file, .offset = part.offset, .length = part.length};
        }
    });
}

Response blob_size_response(const Request& request, const Digest& digest, std::uint64_t size)
{
    if (not_modified(request, digest)) return unchanged(digest);
    auto response = blob_head(request, digest);
    response.announced_length = size;
    return response;
}

// Bytes that were handed out, and not a word that nothing has changed.
bool is_pull(const Request& request, const Response& response)
{
    return request.method == Method::get && response.status == 200;
}

Pull::Purpose purpose_of(const Request& request)
{
    return request.method == Method::head ? Pull::Purpose::look : Pull::Purpose::take;
}

}  // namespace

std::optional<Response> OciReads::peek_manifest(
    const Request& request, const Caller& caller, const RepositoryName& repository, std::string_view reference
)
{
    const auto parsed = Reference::parse(reference);
    if (!parsed) return std::nullopt;
    if (proxy_ != nullptr && !proxy_->may_peek(repository, *parsed)) return std::nullopt;
    const auto manifest = pull_.peek_manifest(repository, *parsed, purpose_of(request));
    if (!manifest) return std::nullopt;
    auto response = manifest_response(request, *manifest);
    if (is_pull(request, response)) audit_.pulled(request, caller, repository, *parsed, **manifest);
    return response;
}

std::optional<Response>
OciReads::peek_blob(const Request& request, const RepositoryName& repository, std::string_view digest)
{
    const auto parsed = Digest::parse(digest);
    if (!parsed) return std::nullopt;
    if (request.method == Method::head) {
        const auto size = pull_.peek_blob_size(repository, *parsed);
        if (!size) return std::nullopt;
        return blob_size_response(request, *parsed, *size);
    }
    const auto content = pull_.peek_blob(repository, *parsed);
    if (!content) return std::nullopt;
    return blob_response(request, *parsed, *content);
}

Task<Response> OciReads::manifest(OciCall call)
{
    auto reference = Reference::parse(call.last);
    // What can't be a tag names no manifest: asking for it is no malformed request, clients expect 404.
    if (!reference && reference.error().code() == Errc::tag_invalid) {
        co_return fail(Errc::manifest_unknown, "there is no such manifest");
    }
    if (!reference) co_return std::unexpected{reference.error()};
    CO_TRY(const auto manifest, co_await fresh_manifest(call, *reference));
    auto response = manifest_response(call.request, manifest);
    if (is_pull(call.request, response)) {
        audit_.pulled(call.request, call.caller, call.repository, *reference, *manifest);
    }
    co_return response;
}

// What is here and needs no look at an upstream costs none.
Task<ManifestPtr> OciReads::fresh_manifest(const OciCall& call, const Reference& reference)
{
    const bool proxied = proxy_ != nullptr && proxy_->covers(call.repository);
    if (!proxied || proxy_->may_peek(call.repository, reference)) {
        auto here = co_await pull_.load_manifest(call.repository, reference, purpose_of(call.request));
        const auto code = here ? Errc::internal : here.error().code();
        const bool missing = code == Errc::manifest_unknown || code == Errc::name_unknown;
        if (!proxied || !missing) co_return here;
    }
    CO_TRY(auto passed, co_await proxy_->bring(call.repository, reference));
    if (passed) co_return passed;
    co_return co_await pull_.load_manifest(call.repository, reference, purpose_of(call.request));
}

Task<Response> OciReads::blob(OciCall call)
{
    CO_TRY(auto digest, Digest::parse(call.last));
    if (call.is_head()) {
        auto size = co_await pull_.load_blob_size(call.repository, digest);
        if (!size && brings(call, size.error())) size = co_await proxy_->blob_size(call.repository, digest);
        if (!size) co_return std::unexpected{size.error()};
        co_return blob_size_response(call.request, digest, *size);
    }
    const auto content = co_await pull_.load_blob(call.repository, digest);
    if (content) co_return blob_response(call.request, digest, *content);
    if (brings(call, content.error())) co_return co_await arriving_blob(std::move(call), std::move(digest));
    co_return std::unexpected{content.error()};
}

bool OciReads::brings(const OciCall& call, const Error& missing) const
{
    const bool unknown = missing.code() == Errc::blob_unknown || missing.code() == Errc::name_unknown;
    return unknown && proxy_ != nullptr && proxy_->covers(call.repository);
}

Task<Response> OciReads::arriving_blob(OciCall call, Digest digest)
{
    CO_TRY(const auto arriving, co_await proxy_->blob(call.repository, digest));
    if (!arriving.fetch) {
        CO_TRY(const auto content, co_await pull_.load_blob(call.repository, digest));
        co_return blob_response(call.request, digest, content);
    }
    const auto send = [&arriving](Response& response, const ByteRange& part) {
        response.body = std::make_shared<ArrivingBlob>(arriving.fetch, arriving.attempt, part.offset, part.length);
    };
    co_return blob_response(call.request, digest, arriving.size, send);
}

}  // namespace entrepot
