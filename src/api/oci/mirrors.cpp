#include "api/oci/mirrors.hpp"

#include "api/oci/call.hpp"
#include "core/ascii.hpp"
#include "oci/names.hpp"

namespace entrepot {

Result<Mirrors> Mirrors::parse(const std::vector<std::string>& lines)
{
    Mirrors mirrors;
    for (const auto& line : lines) {
        const auto at = line.find('=');
        if (at == std::string::npos || at == 0) {
            return fail(Errc::bad_request, "a mirror is HOST=PROJECT, such as docker.io=hub: " + line);
        }
        const auto project = ProjectName::parse(line.substr(at + 1));
        if (!project) return fail(Errc::bad_request, "the project of the mirror " + line + " can't be one's name");
        auto host = lowered(line.substr(0, at));
        if (host.find_first_of("/ \t") != std::string::npos) {
            return fail(Errc::bad_request, "a mirror's host has no scheme and no path: " + line);
        }
        const bool added = mirrors.projects_.emplace(std::move(host), project->text()).second;
        if (!added) return fail(Errc::bad_request, "two mirrors of one host: " + line);
    }
    return mirrors;
}

std::optional<Mirrors::Found> Mirrors::find(const Request& request, std::string_view name) const
{
    if (projects_.empty() || name.empty() || request.query.find("ns=") == std::string_view::npos) return std::nullopt;
    const auto query = Query::of(request);
    const auto host = query ? query->first("ns") : std::nullopt;
    if (!host) return std::nullopt;
    const auto found = projects_.find(lowered(*host));
    if (found == projects_.end()) return std::nullopt;
    return Found{.host = std::string{*host}, .repository = found->second + "/" + std::string{name}};
}

}  // namespace entrepot
