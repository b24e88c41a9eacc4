#include "client/http_url.hpp"

#include "core/ascii.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace entrepot {
namespace {

bool is_host(std::string_view text, bool bracketed) noexcept
{
    const std::string_view others = bracketed ? ":.%" : ".-_";
    return !text.empty() && text.size() <= 255 && std::all_of(text.begin(), text.end(), [others](char byte) {
        return is_letter_or_digit(byte) || others.contains(byte);
    });
}

// Nothing that could end the request line early or that a server would have to guess about.
bool is_target(std::string_view text) noexcept
{
    return std::all_of(text.begin(), text.end(), [](char byte) { return byte > ' ' && byte < 0x7f; });
}

Result<std::uint16_t> parse_port(std::string_view text)
{
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size() || port == 0)
        return fail(Errc::bad_request, "\"" + std::string{text} + "\" is no port");
    return port;
}

// "host", "host:port" or "[address]:port" into `url`.
Result<> parse_authority(std::string_view text, HttpUrl& url)
{
    std::string_view rest;
    bool bracketed = false;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == text.npos) return fail(Errc::bad_request, "an address begins with [ and lacks ]");
        url.host = lowered(text.substr(1, end - 1));
        rest = text.substr(end + 1);
        bracketed = true;
    } else {
        const auto end = std::min(text.find(':'), text.size());
        url.host = lowered(text.substr(0, end));
        rest = text.substr(end);
    }
    // Brackets are for IPv6 alone (RFC 3986 section 3.2.2).
    if (!is_host(url.host, bracketed) || (bracketed && !url.host.contains(':')))
        return fail(Errc::bad_request, "\"" + std::string{text} + "\" names no host");
    url.port = url.tls ? 443 : 80;
    if (rest.empty()) return {};
    if (!rest.starts_with(':')) return fail(Errc::bad_request, "\"" + std::string{text} + "\" names no host");
    TRY(url.port, parse_port(rest.substr(1)));
    return {};
}

// "/a/./b/../c" → "/a/c" (RFC 3986 section 5.2.4).
std::string without_dots(std::string_view path)
{
    std::string out;
    while (!path.empty()) {
        const auto end = std::min(path.find('/', 1), path.size());
        const auto segment = path.substr(0, end);
        path.remove_prefix(end);
        if (segment == "/." || segment == "/..") {
            if (segment == "/..") out.resize(std::min(out.rfind('/'), out.size()));
            if (path.empty()) out += '/';
        } else {
            out += segment;
        }
    }
    return out;
}

}  // namespace

std::string HttpUrl::authority() const
{
    auto out = host.contains(':') ? "[" + host + "]" : host;
    if (port != (tls ? 443 : 80)) out += ":" + std::to_string(port);
    return out;
}

std::string HttpUrl::text() const
{
    return (tls ? "https://" : "http://") + authority() + target;
}

Result<HttpUrl> parse_http_url(std::string_view text)
{
    HttpUrl url;
    const auto scheme_end = text.find("://");
    const auto scheme = lowered(text.substr(0, std::min(scheme_end, text.size())));
    if (scheme_end == text.npos || (scheme != "http" && scheme != "https"))
        return fail(Errc::bad_request, "an address must begin with http:// or https://");
    url.tls = scheme == "https";
    text.remove_prefix(scheme_end + 3);
    text = text.substr(0, text.find('#'));
    const auto authority = text.substr(0, text.find_first_of("/?"));
    if (authority.contains('@')) return fail(Errc::bad_request, "an address may not hold credentials");
    CHECK(parse_authority(authority, url));
    text.remove_prefix(authority.size());
    url.target = (text.starts_with('/') ? "" : "/") + std::string{text};
    if (!is_target(url.target)) return fail(Errc::bad_request, "an address holds characters that must be encoded");
    return url;
}

Result<HttpUrl> resolve_http_url(const HttpUrl& base, std::string_view reference)
{
    reference = reference.substr(0, reference.find('#'));
    const auto colon = reference.find_first_of(":/?");
    if (colon != reference.npos && reference[colon] == ':') return parse_http_url(reference);
    if (reference.starts_with("//")) return parse_http_url((base.tls ? "https:" : "http:") + std::string{reference});
    auto url = base;
    if (!is_target(reference)) return fail(Errc::bad_request, "an address holds characters that must be encoded");
    const auto query = std::min(reference.find('?'), reference.size());
    const auto path = reference.substr(0, query);
    const auto base_path = base.target.substr(0, base.target.find('?'));
    if (reference.empty()) return url;
    if (path.empty())
        url.target = base_path;
    else if (path.starts_with('/'))
        url.target = without_dots(path);
    else
        url.target = without_dots(base_path.substr(0, base_path.rfind('/') + 1) + std::string{path});
    if (!url.target.starts_with('/')) url.target.insert(0, "/");
    url.target += reference.substr(query);
    return url;
}

}  // namespace entrepot
