#include "scripts.hpp"

namespace entrepot::load {

std::string request_head(
    const Load& load, std::string_view method, std::string_view path, std::string_view token, std::string_view fields
)
{
    std::string head{method};
    head.append(" ").append(path).append(" HTTP/1.1\r\nHost: ").append(load.target.host).append("\r\n");
    if (!token.empty()) head.append("Authorization: Bearer ").append(token).append("\r\n");
    head.append(fields).append("\r\n");
    return head;
}

std::string length_field(std::uint64_t length)
{
    return "Content-Length: " + std::to_string(length) + "\r\n";
}

std::string path_in(std::string_view location)
{
    const auto scheme = location.find("://");
    if (scheme == std::string_view::npos) return std::string{location};
    const auto slash = location.find('/', scheme + 3);
    return std::string{slash == std::string_view::npos ? "/" : location.substr(slash)};
}

std::string closing_path(std::string_view location, std::string_view digest)
{
    auto path = path_in(location);
    path += path.find('?') == std::string::npos ? "?digest=" : "&digest=";
    path += digest;
    return path;
}

std::string wrong_status(std::string_view what, int expected, const ResponseReader& response)
{
    return std::string{what} + ": status " + std::to_string(response.status()) + ", not " + std::to_string(expected);
}

}  // namespace entrepot::load
