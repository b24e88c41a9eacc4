#include "api/oci/route.hpp"

namespace entrepot {
namespace {

// Cuts the last segment off `path`; what is before it stays, without the slash.
std::string_view cut_last(std::string_view& path)
{
    const auto slash = path.rfind('/');
    if (slash == std::string_view::npos) {
        const auto all = path;
        path = {};
        return all;
    }
    const auto segment = path.substr(slash + 1);
    path = path.substr(0, slash);
    return segment;
}

std::optional<OciRoute> matched(std::string_view path)
{
    using Kind = OciRoute::Kind;
    if (path == "/v2" || path == "/v2/") return OciRoute{.kind = Kind::base, .name = {}, .last = {}};
    if (!path.starts_with("/v2/")) return std::nullopt;
    auto rest = path.substr(4);
    if (rest == "_catalog") return OciRoute{.kind = Kind::catalog, .name = {}, .last = {}};

    const auto last = cut_last(rest);
    const auto before = cut_last(rest);
    if (rest.empty()) return std::nullopt;
    if (before == "manifests") return OciRoute{.kind = Kind::manifest, .name = rest, .last = last};
    if (before == "referrers") return OciRoute{.kind = Kind::referrers, .name = rest, .last = last};
    if (before == "tags" && last == "list") return OciRoute{.kind = Kind::tags, .name = rest, .last = {}};
    if (before == "blobs") {
        const auto kind = last == "uploads" ? Kind::uploads : Kind::blob;
        return OciRoute{.kind = kind, .name = rest, .last = last};
    }
    if (before == "uploads") {
        const auto blobs = cut_last(rest);
        if (blobs != "blobs" || rest.empty()) return std::nullopt;
        return OciRoute{.kind = last.empty() ? Kind::uploads : Kind::upload, .name = rest, .last = last};
    }
    return std::nullopt;
}

}  // namespace

std::optional<OciRoute> match_oci_route(std::string_view path)
{
    auto route = matched(path);
    if (route && !route->name.empty()) route->rest = path.substr(4 + route->name.size());
    return route;
}

}  // namespace entrepot
