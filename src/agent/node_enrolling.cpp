#include "agent/node_enrolling.hpp"

#include "agent/private_file.hpp"
#include "client/http_url.hpp"
#include "core/json_text.hpp"
#include "oci/json_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <iomanip>
#include <locale>
#include <optional>
#include <sstream>
#include <utility>

namespace entrepot {

namespace {

constexpr Micros second = 1'000'000;
constexpr std::size_t most_token_bytes = 4096;

std::string without_space(std::string text)
{
    constexpr std::string_view space = " \t\r\n";
    text.erase(0, std::min(text.find_first_not_of(space), text.size()));
    text.erase(text.find_last_not_of(space) + 1);
    return text;
}

// RFC 9110 section 5.6.7.
std::optional<Micros> time_of(std::string_view date)
{
    std::istringstream text{std::string{date}};
    text.imbue(std::locale::classic());
    std::tm fields{};
    text >> std::get_time(&fields, "%a, %d %b %Y %H:%M:%S GMT");
    if (text.fail()) return std::nullopt;
    return static_cast<Micros>(::timegm(&fields)) * second;
}

// "", or a sentence about how far this machine's clock is from the registry's.
std::string about_clocks(std::string_view date, Micros now)
{
    const auto theirs = time_of(date);
    if (!theirs || std::abs(now - *theirs) <= most_clock_error) return {};
    const auto minutes = std::abs(now - *theirs) / (60 * second);
    return fmt::format(
        "this machine's clock is {} h {} min {} of the registry's",
        minutes / 60,
        minutes % 60,
        now > *theirs ? "ahead" : "behind"
    );
}

std::string first_message(const std::string& body)
{
    const auto object = parse_object(body);
    const auto* const errors = object ? find_array(*object, "errors") : nullptr;
    if (errors == nullptr || errors->empty() || !errors->front().is_object()) return {};
    return std::string{find_text(errors->front().get_object(), "message")};
}

Errc meaning_of(unsigned status) noexcept
{
    switch (status) {
        case 400: return Errc::bad_request;
        case 401:
        case 403: return Errc::unauthorized;
        case 404: return Errc::unsupported;
        default: return Errc::unavailable;
    }
}

std::string_view words_for(unsigned status) noexcept
{
    switch (status) {
        case 400: return "the registry does not take the node's name or zone";
        case 401:
        case 403: return "the registry does not take the node's token";
        case 404: return "the registry has no swarm";
        default: return "the registry gives the node no certificate now";
    }
}

std::string body_of(const NodeApplication& application, const std::string& token)
{
    std::string json = "{\"token\":";
    append_json_text(json, token);
    json += ",\"name\":";
    append_json_text(json, application.name);
    if (!application.zone.empty()) {
        json += ",\"zone\":";
        append_json_text(json, application.zone);
    }
    json += ",\"request\":";
    append_json_text(json, application.request);
    json += '}';
    return json;
}

}  // namespace

Task<NodeEnrolment>
enrol_node(HttpClient& client, NodeApplication application, const Clock& clock, asio::thread_pool& pool)
{
    CO_TRY(const auto registry, parse_http_url(application.registry));
    auto reading = offload(pool, [file = application.token_file] { return read_private_file(file, most_token_bytes); });
    const auto token = co_await std::move(reading);
    if (!token) {
        co_return fail(
            Errc::unauthorized, "the node's token can't be read: " + token.error().message(), token.error().detail()
        );
    }
    auto address = registry;
    address.target = "/swarm/v1/nodes";
    ClientRequest request;
    request.method = "POST";
    request.url = address.text();
    request.fields.push_back({.name = "Content-Type", .value = "application/json"});
    request.body = body_of(application, without_space(*token));
    // The token is for the registry alone.
    request.follow = false;
    auto asking = client.send(std::move(request));
    CO_TRY(const auto answer, co_await std::move(asking));
    const auto clocks = about_clocks(answer.field("date"), clock.now());
    const auto explained = [&](std::string text) { return clocks.empty() ? text : text + ": " + clocks; };
    if (answer.status != 200) {
        co_return fail(
            meaning_of(answer.status),
            explained(std::string{words_for(answer.status)}),
            fmt::format("{} {}", answer.status, first_message(answer.body))
        );
    }
    auto enrolment = parse_enrolment(answer.body, registry.host);
    if (!enrolment) {
        co_return fail(
            Errc::bad_request, explained("the registry's answer makes no sense"), enrolment.error().message()
        );
    }
    if (!enrolment->holds(clock.now()))
        co_return fail(Errc::unavailable, explained("the node's new certificate isn't valid by this machine's clock"));
    co_return enrolment;
}

Task<NodeEnrolment> find_control(HttpClient& client, std::string registry, std::string node, NodeEnrolment enrolment)
{
    CO_TRY(auto address, parse_http_url(registry));
    address.target = "/swarm/v1/nodes/" + node;
    ClientRequest request;
    request.method = "GET";
    request.url = address.text();
    request.follow = false;
    auto asking = client.send(std::move(request));
    CO_TRY(const auto answer, co_await std::move(asking));
    if (answer.status == 404) co_return fail(Errc::not_found, "the registry doesn't know this node");
    if (answer.status != 200) {
        co_return fail(
            Errc::unavailable, "the registry doesn't say where its tracker is", std::to_string(answer.status)
        );
    }
    co_return moved_enrolment(std::move(enrolment), answer.body, address.host);
}

}  // namespace entrepot
