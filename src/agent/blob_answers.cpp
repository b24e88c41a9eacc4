#include "agent/blob_answers.hpp"

#include "agent/agent_answers.hpp"
#include "agent/passed_body.hpp"
#include "core/ascii.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace entrepot {
namespace {

// Sent as a file at once, on a connection that can go on.
constexpr std::uint64_t longest_at_once = 32 * 1024 * 1024;
constexpr std::size_t longest_refusal = 64 * 1024;

Response blob_head(const Digest& digest)
{
    Response response;
    response.add("Content-Type", "application/octet-stream").add("Accept-Ranges", "bytes");
    response.add("Docker-Content-Digest", digest.text()).add("ETag", '"' + digest.text() + '"');
    response.add("Docker-Distribution-Api-Version", "registry/2.0").add("X-Content-Type-Options", "nosniff");
    return response;
}

// The Range that counts: without If-Range, or with one that names this very content (RFC 9110 section 13.1.5).
Result<std::optional<ByteRange>> range_of(const Request& request, const Digest& digest, std::uint64_t size)
{
    const auto range = request.header("range");
    const auto condition = request.header("if-range");
    if (!range || (condition && *condition != '"' + digest.text() + '"')) return std::optional<ByteRange>{};
    return parse_range(*range, size);
}

bool is_known(const Request& request, const Digest& digest)
{
    const auto header = request.header("if-none-match");
    return header && (*header == "*" || header->find('"' + digest.text() + '"') != std::string_view::npos);
}

// Which bytes of the blob an answer of the registry holds.
std::optional<ByteRange> stretch_of(const ClientStream& answer)
{
    const auto length = parse_decimal(answer.field("Content-Length"));
    if (!length) return std::nullopt;
    if (answer.status == 200) return ByteRange{.offset = 0, .length = *length};
    const auto range = answer.field("Content-Range");
    const auto blank = range.find(' ');
    if (blank == std::string_view::npos) return std::nullopt;
    const auto offset = parse_decimal(range.substr(blank + 1, range.find('-') - blank - 1));
    if (!offset) return std::nullopt;
    return ByteRange{.offset = *offset, .length = *length};
}

RegistryRequest request_for(const Request& request, const PulledBlob& blob)
{
    return {
        .head = request.method == Method::head,
        .target = RegistryClient::blob_target(blob.repository, blob.digest),
        .authorization = blob.puller.authorization(),
        .accept = request.header_list("accept"),
        .if_none_match = request.header_list("if-none-match"),
        .range = std::string{request.header("range").value_or(std::string_view{})},
    };
}

}  // namespace

asio::awaitable<Response> BlobAnswers::answer(const Request& request, PulledBlob blob)
{
    auto image = sources_.desk.known(blob);
    // Asking for the size alone is no reason to fetch an image.
    if (!image && request.method == Method::get) {
        auto finding = sources_.desk.find(blob);
        image = co_await std::move(finding);
    }
    if (image) {
        auto serving = served(request, std::move(image), std::move(blob));
        co_return co_await std::move(serving);
    }
    auto passing = passed(request, std::move(blob));
    co_return co_await std::move(passing);
}

asio::awaitable<Response> BlobAnswers::served(const Request& request, ServedImagePtr image, PulledBlob blob)
{
    const auto& descriptor = image->image().descriptor();
    const auto number = *descriptor.find(*sha256_of_digest(blob.digest));
    const auto size = descriptor.blobs()[number].size;
    auto response = blob_head(blob.digest);
    if (is_known(request, blob.digest)) {
        response.status = 304;
        co_return response;
    }
    if (request.method == Method::head) {
        response.announced_length = size;
        co_return response;
    }
    const auto range = range_of(request, blob.digest, size);
    if (!range) {
        auto wrong = agent_error(416, "RANGE_INVALID", range.error().message());
        co_return wrong.add("Content-Range", "bytes */" + std::to_string(size));
    }
    const auto stretch = range->value_or(ByteRange{.offset = 0, .length = size});
    if (*range) {
        response.status = 206;
        const auto last = std::to_string(stretch.offset + stretch.length - 1);
        const auto text = "bytes " + std::to_string(stretch.offset) + "-" + last + "/" + std::to_string(size);
        response.add("Content-Range", text);
    }
    sources_.counters.blobs_served.fetch_add(1, std::memory_order_relaxed);
    if (stretch.length == 0) co_return response;
    auto looking = whole(*image, number, stretch);
    if (auto file = co_await std::move(looking)) {
        response.body = *std::move(file);
        co_return response;
    }
    response.body = std::make_shared<ImageBody>(sources_, std::move(image), number, std::move(blob), stretch);
    co_return response;
}

// All of a stretch that is here. not_found where it isn't, or is long; what the store says.
Task<FileRange> BlobAnswers::whole(const ServedImage& image, std::size_t number, ByteRange stretch)
{
    if (stretch.length > longest_at_once) co_return fail(Errc::not_found, "too long to be looked at now");
    const auto first = static_cast<std::uint32_t>(stretch.offset / chunk_bytes);
    const auto last = static_cast<std::uint32_t>((stretch.offset + stretch.length - 1) / chunk_bytes);
    const auto here = image.image().here(number);
    for (auto chunk = first; chunk <= last; ++chunk) {
        if (!here.contains(chunk)) co_return fail(Errc::not_found, "not all of it is here");
    }
    const auto base = image.image().descriptor().chunks_of(number).first;
    auto finding = image.image().extent({.first = base + first, .count = last - first + 1});
    CO_TRY(auto extent, co_await std::move(finding));
    const auto skip = stretch.offset % chunk_bytes;
    CO_TRY(auto range, file_range_of(std::move(extent), skip, stretch.length));
    count_given(sources_.counters, image, base + first, skip, range.length);
    co_return range;
}

asio::awaitable<Response> BlobAnswers::passed(const Request& request, PulledBlob blob)
{
    auto opening = sources_.registry.open(request_for(request, blob));
    auto answer = co_await std::move(opening);
    if (!answer) co_return registry_silent(answer.error());
    auto response = passed_head(*answer);
    const auto stretch = stretch_of(*answer);
    if (request.method == Method::head || answer->status == 304) {
        if (stretch && answer->status != 304) response.announced_length = stretch->length;
        co_return response;
    }
    if (answer->status != 200 && answer->status != 206) {
        auto reading = read_all(*answer->body, longest_refusal);
        auto body = co_await std::move(reading);
        if (body) response.body = *std::move(body);
        co_return response;
    }
    if (!stretch) co_return agent_error(502, "UNAVAILABLE", "the registry doesn't say how long the blob is");
    sources_.counters.blobs_passed.fetch_add(1, std::memory_order_relaxed);
    const PassedBody::Needs needs{
        .registry = sources_.registry,
        .counters = sources_.counters,
        .tasks = sources_.tasks,
        .give_up = sources_.patience.give_up,
    };
    const auto where = co_await asio::this_coro::executor;
    response.body = std::make_shared<PassedBody>(needs, std::move(blob), *stretch, where, std::move(answer->body));
    co_return response;
}

}  // namespace entrepot
