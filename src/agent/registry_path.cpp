#include "agent/registry_path.hpp"

#include <utility>

namespace entrepot {
namespace {

// Cuts the last segment off `path`; what is before it stays, without the slash.
std::string_view cut_segment(std::string_view& path)
{
    const auto slash = path.rfind('/');
    if (slash == std::string_view::npos) return std::exchange(path, {});
    const auto segment = path.substr(slash + 1);
    path = path.substr(0, slash);
    return segment;
}

}  // namespace

std::optional<RegistryPath> match_registry_path(std::string_view path)
{
    using Kind = RegistryPath::Kind;
    if (path == "/v2" || path == "/v2/") return RegistryPath{};
    if (!path.starts_with("/v2/")) return std::nullopt;
    auto rest = path.substr(4);
    const auto last = cut_segment(rest);
    const auto before = cut_segment(rest);
    auto repository = RepositoryName::parse(rest);
    if (!repository || last.empty()) return std::nullopt;
    const auto found = [&](Kind kind) { return RegistryPath{kind, *std::move(repository), last}; };
    if (before == "manifests") return found(Kind::manifest);
    if (before == "blobs" && last != "uploads") return found(Kind::blob);
    if (before == "referrers") return found(Kind::referrers);
    if (before == "tags" && last == "list") return found(Kind::tags);
    return std::nullopt;
}

}  // namespace entrepot
