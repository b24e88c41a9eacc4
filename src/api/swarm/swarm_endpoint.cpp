#include "api/swarm/swarm_endpoint.hpp"

#include "access/scope.hpp"
#include "api/error_answer.hpp"
#include "api/management/api_values.hpp"
#include "api/oci/call.hpp"
#include "api/token/login_audit.hpp"
#include "core/bytes.hpp"
#include "core/log.hpp"
#include "core/percent.hpp"
#include "swarm/hex32.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <utility>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr std::string_view nodes_path = "/swarm/v1/nodes";
constexpr std::string_view node_path = "/swarm/v1/nodes/";
constexpr std::string_view images_path = "/swarm/v1/images/";
constexpr std::string_view bundle_type = "application/vnd.entrepot.swarm-bundle";

struct AdmissionForm {
    std::string token;
    std::string request;
    NodeAdmission admission;
};

Result<AdmissionForm> parse_admission(const std::string& text)
{
    boost::system::error_code error;
    auto value = json::parse(text, error);
    if (error || !value.is_object()) return fail(Errc::bad_request, "the body is not a JSON object");
    const JsonBody body{std::move(value.get_object())};
    AdmissionForm form;
    TRY(form.token, body.text("token"));
    // PEM has several lines, which is no plain text to a JsonBody.
    const auto* request = body.raw().if_contains("request");
    if (request == nullptr || !request->is_string()) return fail(Errc::bad_request, "\"request\" is not a text");
    form.request = request->get_string();
    TRY(form.admission.name, body.text("name"));
    TRY(auto zone, body.optional_text("zone"));
    form.admission.zone = std::move(zone).value_or("");
    return form;
}

AuditRecord record_of(const Request& request, const AdmissionForm& form, const Clock& clock)
{
    AuditRecord record;
    describe_request(record, request, clock);
    record.operation = "create";
    record.resource_type = "node";
    record.resource = form.admission.name;
    return record;
}

// What of a token may be told; nothing of what is no token.
std::string id_of_token(const std::string& text)
{
    const auto token = NodeToken::parse(text);
    return token ? std::string{token->id()} : std::string{};
}

void log_if_ours(const Request& request, const Error& error)
{
    if (status_of(error.code()) < 500) return;
    log::failure(log::Level::error, "request failed", error, request.request_id());
}

// The entity tags here are quoted swarms, so a search for one is exact.
bool not_modified(const Request& request, const std::string& tag)
{
    const auto known = request.header("if-none-match");
    return known && (*known == "*" || known->contains(tag));
}

}  // namespace

std::optional<Response> SwarmEndpoint::peek(const Request&) noexcept
{
    return std::nullopt;
}

asio::awaitable<Response> SwarmEndpoint::handle(const Request& request, ByteSource& body)
{
    auto response = co_await route(request, body);
    response.add("Cache-Control", "no-store");
    co_return response;
}

asio::awaitable<Response> SwarmEndpoint::route(const Request& request, ByteSource& body)
{
    if (request.path == nodes_path) {
        if (request.method != Method::post) co_return method_not_allowed("POST");
        auto answer = co_await admit(request, body);
        if (answer) co_return *std::move(answer);
        log_if_ours(request, answer.error());
        co_return error_response(answer.error());
    }
    if (request.path.starts_with(node_path)) {
        if (!is_read(request.method)) co_return method_not_allowed("GET, HEAD");
        auto answer = co_await whereabouts(std::string{request.path.substr(node_path.size())});
        if (answer) co_return *std::move(answer);
        log_if_ours(request, answer.error());
        co_return error_response(answer.error());
    }
    if (request.path.starts_with(images_path)) {
        if (!is_read(request.method)) co_return method_not_allowed("GET, HEAD");
        co_return co_await image(request, request.path.substr(images_path.size()));
    }
    co_return error_response(Error{Errc::not_found, "there is nothing at this path"});
}

Task<Response> SwarmEndpoint::admit(const Request& request, ByteSource& body)
{
    CO_TRY(const auto text, co_await read_all(body, largest_body));
    CO_TRY(auto form, parse_admission(text));
    CO_CHECK(co_await parts_.trail.ready());
    auto record = record_of(request, form, parts_.clock);
    const auto token_id = id_of_token(form.token);
    auto task = parts_.desk.admit(std::move(form.token), form.admission, std::move(form.request));
    const auto certificate = co_await std::move(task);
    if (!certificate) {
        record.result = certificate.error().code() == Errc::unauthorized ? "denied" : "failed";
        record.detail = certificate.error().message();
        if (!token_id.empty()) record.detail += " (" + token_id + ")";
        CO_CHECK(co_await parts_.trail.note(std::move(record)));
        co_return std::unexpected{certificate.error()};
    }
    record.after = json::serialize(json::object{
        {"id", hex_of(certificate->identity.id)},
        {"name", certificate->identity.name},
        {"zone", certificate->identity.zone},
        {"token_id", token_id},
        {"expires_at", rfc3339(certificate->ends)},
    });
    CO_CHECK(co_await parts_.trail.record(std::move(record)));
    co_return certified(*certificate);
}

boost::json::object SwarmEndpoint::control_json() const
{
    return {{"host", control_.host}, {"port", control_.port}};
}

// No secret: whoever comes there has to show a node's certificate. A node's id is what others can't guess.
Task<Response> SwarmEndpoint::whereabouts(std::string id)
{
    const auto node = parse_hex32<NodeId>(id);
    if (!node) co_return fail(Errc::not_found, "there is no such node");
    auto looking = parts_.desk.node(*node);
    CO_CHECK(co_await std::move(looking));
    co_return json_response(json::object{{"control", control_json()}});
}

Response SwarmEndpoint::certified(const NodeCertificate& certificate) const
{
    const json::object answer{
        {"id", hex_of(certificate.identity.id)},
        {"certificate", certificate.pem},
        {"authorities", json::array{parts_.secrets.authority().certificate_pem()}},
        {"ticket_keys", json::array{hex_of(parts_.secrets.signer().public_key())}},
        {"control", control_json()},
        {"expires_at", rfc3339(certificate.ends)},
    };
    return json_response(answer);
}

asio::awaitable<Response> SwarmEndpoint::image(const Request& request, std::string_view path)
{
    const auto slash = path.rfind('/');
    // Digests are sometimes sent with their colon escaped; names never are.
    const auto digest = percent_decoded(path.substr(slash == std::string_view::npos ? path.size() : slash + 1));
    if (slash == std::string_view::npos || !digest)
        co_return error_response(Error{Errc::not_found, "there is nothing at this path"});
    const auto name = path.substr(0, slash);
    auto answer = co_await bundle(request, std::string{name}, *digest);
    if (answer) co_return *std::move(answer);
    log_if_ours(request, answer.error());
    const OciRoute asked{.kind = OciRoute::Kind::manifest, .name = name, .last = *digest};
    const auto noted = co_await parts_.audit.refused(request, asked, parts_.gate.recall(request), answer.error());
    if (!noted) log_if_ours(request, noted.error());
    co_return parts_.gate.refuse(request, answer.error(), scope_for(name, Action::pull));
}

// The right to pull comes first: whoever has none learns nothing of what is there.
Task<Response> SwarmEndpoint::bundle(const Request& request, std::string name, std::string digest)
{
    CO_CHECK(co_await parts_.gate.admit(request, name, Action::pull));
    CO_TRY(auto repository, RepositoryName::parse(name));
    CO_TRY(auto manifest, Digest::parse(digest));
    const auto project = parts_.policy.project(repository.project());
    if (!project) co_return fail(Errc::name_unknown, "repository name not known to the registry");
    auto load = parts_.bundles.load(std::move(repository), std::move(manifest));
    CO_TRY(const auto found, co_await std::move(load));
    CO_TRY(const auto signed_ticket, co_await ticket(request, project->tenant_id, found));

    const auto swarm = hex_of(found->descriptor.id());
    const auto tag = '"' + swarm + '"';
    Response response;
    response.add("ETag", tag).add("Entrepot-Swarm", swarm);
    if (!signed_ticket.empty()) response.add("Entrepot-Ticket", to_base64url(as_bytes(signed_ticket)));
    if (not_modified(request, tag)) {
        response.status = 304;
        co_return response;
    }
    response.add("Content-Type", bundle_type);
    const auto body = bodies_.of(*found);
    if (request.method == Method::head) {
        response.announced_length = body->size();
    } else {
        response.body = MemoryRange{.bytes = body, .offset = 0, .length = body->size()};
    }
    co_return response;
}

// Empty where no node is named, or none that has a certificate.
Task<std::string> SwarmEndpoint::ticket(const Request& request, std::int64_t tenant_id, ImageBundlePtr bundle)
{
    CO_TRY(const auto query, Query::of(request));
    const auto named = query.first("node");
    if (!named) co_return std::string{};
    const auto node = parse_hex32<NodeId>(*named);
    if (!node) co_return fail(Errc::bad_request, "\"node\" is not a node's id, 64 hexadecimal digits");
    const TicketSubject subject{
        .swarm = bundle->descriptor.id(),
        .manifest = bundle->descriptor.manifest(),
        .tenant_id = tenant_id,
        .repository_id = bundle->repository_id,
    };
    CO_TRY(auto issued, co_await parts_.tickets.issue(*node, subject));
    co_return std::move(issued).value_or(std::string{});
}

}  // namespace entrepot
