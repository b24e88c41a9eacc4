#include "http/response_head.hpp"

#include <array>
#include <charconv>

namespace entrepot::http {
namespace {

std::string_view reason(unsigned status) noexcept
{
    switch (status) {
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 204: return "No Content";
        case 206: return "Partial Content";
        case 301: return "Moved Permanently";
        case 302: return "Found";
        case 303: return "See Other";
        case 304: return "Not Modified";
        case 307: return "Temporary Redirect";
        case 308: return "Permanent Redirect";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 406: return "Not Acceptable";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 410: return "Gone";
        case 412: return "Precondition Failed";
        case 413: return "Content Too Large";
        case 414: return "URI Too Long";
        case 415: return "Unsupported Media Type";
        case 416: return "Range Not Satisfiable";
        case 417: return "Expectation Failed";
        case 422: return "Unprocessable Content";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 502: return "Bad Gateway";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        case 505: return "HTTP Version Not Supported";
        case 507: return "Insufficient Storage";
        default: return "Status";
    }
}

void append_number(std::string& out, std::uint64_t number)
{
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

// Whether the answer says how long its body is, or would be (RFC 9110 section 8.6).
bool announces_length(const Response& response) noexcept
{
    if (response.status < 200 || response.status == 204 || response.stream()) return false;
    return response.status != 304 || response.announced_length.has_value();
}

}  // namespace

bool sends_body(unsigned status, bool head_request) noexcept
{
    return !head_request && status >= 200 && status != 204 && status != 304;
}

void append_head(std::string& out, const Response& response, const HeadOptions& options)
{
    if (response.status == 200) {
        out += "HTTP/1.1 200 OK\r\n";
    } else {
        out += "HTTP/1.1 ";
        append_number(out, response.status);
        out += ' ';
        out += reason(response.status);
        out += "\r\n";
    }
    out += options.date;
    out += response.headers;
    if (announces_length(response)) {
        const bool bodiless = !sends_body(response.status, options.head_request);
        const auto arriving = response.arriving();
        const auto length = arriving ? arriving->length() : response.body_length();
        out += "Content-Length: ";
        append_number(out, bodiless && response.announced_length ? *response.announced_length : length);
        out += "\r\n";
    }
    if (response.stream() && !options.http_1_0) out += "Transfer-Encoding: chunked\r\n";
    if (!options.keep_alive) {
        out += "Connection: close\r\n";
    } else if (options.http_1_0) {
        out += "Connection: keep-alive\r\n";
    }
    out += "\r\n";
}

Response refusal_answer(const Refusal& refusal)
{
    Response response;
    response.status = refusal.status;
    response.headers = "Content-Type: application/json\r\n";
    std::string body = R"({"errors":[{"code":")";
    body += refusal.code;
    body += R"(","message":")";
    body += refusal.message;
    body += R"("}]})";
    response.body = std::move(body);
    return response;
}

}  // namespace entrepot::http
