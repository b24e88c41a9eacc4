#include "agent/registry_client.hpp"

#include "client/http_url.hpp"
#include "core/bytes.hpp"
#include "swarm/descriptor/described_blob.hpp"
#include "swarm/descriptor/image_descriptor.hpp"
#include "swarm/hex32.hpp"

#include <array>
#include <span>
#include <utility>

namespace entrepot {
namespace {

constexpr std::size_t longest_bundle = 4 + ImageDescriptor::most_bytes + std::size_t{most_listed_chunks} * 32;
constexpr std::size_t most_connections_kept = 16;

void add_field(ClientRequest& request, std::string_view name, std::string_view value)
{
    if (!value.empty()) request.fields.push_back({.name = std::string{name}, .value = std::string{value}});
}

void authorize(ClientRequest& request, const std::optional<std::string>& authorization)
{
    if (authorization) request.fields.push_back({.name = "Authorization", .value = *authorization, .secret = true});
}

Result<BundleAnswer> read_bundle(ClientResponse response)
{
    BundleAnswer answer{.status = response.status, .descriptor = {}, .hashes = {}, .ticket = {}};
    if (const auto ticket = response.field("Entrepot-Ticket"); !ticket.empty()) {
        const auto bytes = from_base64url(ticket);
        if (!bytes) return fail(Errc::bad_request, "a ticket that is no base64url");
        answer.ticket = *bytes;
    }
    if (response.status != 200) return answer;
    constexpr std::size_t length_bytes = 4;
    const auto bytes = std::as_bytes(std::span{response.body});
    if (bytes.size() < length_bytes) return fail(Errc::bad_request, "a bundle without a descriptor");
    std::uint64_t length = 0;
    for (std::size_t at = length_bytes; at-- > 0;) length = (length << 8U) | std::to_integer<std::uint64_t>(bytes[at]);
    if (length > bytes.size() - length_bytes) return fail(Errc::bad_request, "a bundle that ends in its descriptor");
    answer.descriptor = response.body.substr(length_bytes, length);
    answer.hashes = response.body.substr(length_bytes + length);
    return answer;
}

}  // namespace

Result<std::unique_ptr<RegistryClient>> RegistryClient::create(RegistryClientOptions options, AgentCounters& counters)
{
    TRY(const auto url, parse_http_url(options.url));
    if (url.target != "/") return fail(Errc::bad_request, "the registry's address has a path: " + options.url);
    HttpClientOptions wanted{
        .ca_file = options.ca_file,
        .insecure = options.insecure,
        .user_agent = "entrepot-agent",
        .exchange_patience = options.head_patience,
        .idle_patience = options.idle_patience,
        .most_idle = most_connections_kept,
    };
    TRY(auto asking, HttpClient::create(wanted));
    wanted.exchange_patience = options.bundle_patience;
    wanted.longest_body = longest_bundle;
    TRY(auto bundles, HttpClient::create(std::move(wanted)));
    auto origin = url.text();
    origin.pop_back();  // its slash
    return std::unique_ptr<RegistryClient>{
        new RegistryClient{std::move(origin), url.authority(), std::move(asking), std::move(bundles), counters}
    };
}

void RegistryClient::settled(bool answered) noexcept
{
    reachable_ = answered ? 1 : 0;
    if (!answered) counters_.registry_failures.fetch_add(1, std::memory_order_relaxed);
}

Task<ClientStream> RegistryClient::open(RegistryRequest request)
{
    ClientRequest asked{.method = request.head ? "HEAD" : "GET", .url = origin_ + request.target};
    authorize(asked, request.authorization);
    add_field(asked, "Accept", request.accept);
    add_field(asked, "If-None-Match", request.if_none_match);
    add_field(asked, "Range", request.range);
    auto opening = asking_.open(std::move(asked));
    auto opened = co_await std::move(opening);
    settled(opened.has_value());
    co_return opened;
}

Task<BundleAnswer> RegistryClient::bundle(
    RepositoryName repository,
    Digest manifest,
    Puller puller,
    std::optional<std::string> node,
    std::optional<SwarmId> known
)
{
    ClientRequest asked{
        .method = "GET", .url = origin_ + "/swarm/v1/images/" + repository.text() + "/" + manifest.text()
    };
    if (node) asked.url += "?node=" + *node;
    authorize(asked, puller.authorization());
    if (known) add_field(asked, "If-None-Match", '"' + hex_of(*known) + '"');
    auto sending = bundles_.send(std::move(asked));
    auto response = co_await std::move(sending);
    settled(response.has_value());
    if (!response) co_return std::unexpected{std::move(response).error()};
    co_return read_bundle(*std::move(response));
}

std::optional<bool> RegistryClient::reachable() const noexcept
{
    const auto last = reachable_.load();
    return last < 0 ? std::nullopt : std::optional{last == 1};
}

std::string RegistryClient::blob_target(const RepositoryName& repository, const Digest& digest)
{
    return "/v2/" + repository.text() + "/blobs/" + digest.text();
}

std::string RegistryClient::range_text(const ByteRange& range)
{
    return "bytes=" + std::to_string(range.offset) + "-" + std::to_string(range.offset + range.length - 1);
}

}  // namespace entrepot
