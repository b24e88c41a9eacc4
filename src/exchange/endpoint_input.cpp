#include "exchange/endpoint_input.hpp"

#include "core/ascii.hpp"

#include <algorithm>
#include <array>

namespace entrepot {
namespace {

constexpr std::size_t longest_name = 64;  // Harbor's
constexpr std::size_t longest_description = 1'024;
constexpr std::size_t longest_url = 256;
constexpr std::size_t longest_key = 255;
constexpr std::size_t longest_secret = 16'384;  // a service account's JSON key goes in
constexpr std::size_t longest_certificate = 65'536;
constexpr std::size_t longest_host = 253;
constexpr std::size_t digest_digits = 64;
constexpr std::int32_t most_requests = 1'000;
constexpr std::array<std::string_view, 4> credential_types{"", "basic", "oauth", "secret"};

bool has_control(std::string_view text)
{
    return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Result<> check_length(std::string_view text, std::size_t longest, std::string_view name)
{
    if (text.size() <= longest && !has_control(text)) return {};
    return fail(
        Errc::bad_request, std::string{name} + " is plain text of at most " + std::to_string(longest) + " bytes"
    );
}

Result<> check_url(std::string_view url)
{
    const auto scheme = url.starts_with("https://") ? 8U : url.starts_with("http://") ? 7U : 0U;
    const auto host = url.substr(scheme, url.find_first_of("/?#", scheme) - scheme);
    if (scheme == 0 || host.empty() || url.find_first_of(" \t?#") != std::string_view::npos) {
        return fail(Errc::bad_request, "url is an address such as https://registry.example.com");
    }
    if (host.find('@') != std::string_view::npos) {
        return fail(Errc::bad_request, "url has no user and password; they go into the credential");
    }
    return check_length(url, longest_url, "url");
}

Result<> check_trust(const RegistryEndpoint& endpoint)
{
    const std::string_view certificate = endpoint.ca_certificate;
    if (certificate.size() > longest_certificate ||
        (!certificate.empty() && certificate.find("-----BEGIN CERTIFICATE-----") == std::string_view::npos)) {
        return fail(Errc::bad_request, "ca_certificate is PEM, of at most 65,536 bytes");
    }
    std::string_view pin = endpoint.certificate_pin;
    if (pin.empty()) return {};
    constexpr std::string_view algorithm = "sha256:";
    const bool known = pin.starts_with(algorithm);
    if (known) pin.remove_prefix(algorithm.size());
    const bool hex = std::ranges::all_of(pin, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
    if (known && hex && pin.size() == digest_digits) return {};
    return fail(Errc::bad_request, "certificate_pin is sha256: and 64 lower-case hexadecimal digits");
}

}  // namespace

Result<> check_endpoint(const RegistryEndpoint& endpoint)
{
    if (endpoint.name.empty() || endpoint.name.size() > longest_name || has_control(endpoint.name)) {
        return fail(Errc::bad_request, "an endpoint's name has from 1 to 64 characters");
    }
    CHECK(check_length(endpoint.description, longest_description, "description"));
    CHECK(check_url(endpoint.url));
    if (std::ranges::find(credential_types, endpoint.credential_type) == credential_types.end()) {
        return fail(Errc::bad_request, "a credential's type is basic, oauth or secret");
    }
    CHECK(check_length(endpoint.access_key, longest_key, "access_key"));
    CHECK(check_length(endpoint.token_host, longest_host, "token_host"));
    CHECK(check_trust(endpoint));
    if (endpoint.limits.bytes_per_second < 0) {
        return fail(Errc::bad_request, "bytes_per_second is 0 (no limit) or more");
    }
    if (endpoint.limits.requests_at_once < 0 || endpoint.limits.requests_at_once > most_requests) {
        return fail(Errc::bad_request, "requests_at_once is from 0 (no limit) to 1,000");
    }
    // The secret is sealed by now, which makes it half as long again.
    if (endpoint.access_secret.size() > 2 * longest_secret) {
        return fail(Errc::bad_request, "access_secret has at most 16,384 bytes");
    }
    return {};
}

bool same_origin(std::string_view left, std::string_view right)
{
    const auto origin = [](std::string_view url) {
        const auto host = url.find("://") + 3;
        return lowered(url.substr(0, url.find('/', host)));
    };
    return origin(left) == origin(right);
}

}  // namespace entrepot
