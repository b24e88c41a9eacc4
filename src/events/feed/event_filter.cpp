#include "events/feed/event_filter.hpp"

#include "access/glob.hpp"
#include "access/require.hpp"

#include <algorithm>

namespace entrepot {
namespace {

const Permission list_all = need(ObjectKind::platform, "audit-log", "list");
const Permission list_of_tenant = need(ObjectKind::tenant, "log", "list");
const Permission list_of_project = need(ObjectKind::project, "log", "list");

// "artifact.*" and every "artifact.…"
bool fits(std::string_view wanted, std::string_view type) noexcept
{
    return wanted.ends_with('*') ? type.starts_with(wanted.substr(0, wanted.size() - 1)) : wanted == type;
}

}  // namespace

bool EventFilter::admits(const Event& event) const noexcept
{
    if (tenant_id != 0 && event.tenant_id != tenant_id) return false;
    if (project_id != 0 && event.project_id != project_id) return false;
    const auto is_type = [&](const std::string& wanted) { return fits(wanted, event.type); };
    if (!types.empty() && std::ranges::none_of(types, is_type)) return false;
    return repository.empty() || (!event.repository.empty() && glob_matches(repository, event.repository));
}

Result<std::vector<std::string>> parse_event_types(std::string_view text)
{
    std::vector<std::string> types;
    while (!text.empty()) {
        const auto end = std::min(text.find(','), text.size());
        const auto wanted = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const bool is_kind = wanted.ends_with(".*");
        const auto known = [&](std::string_view type) { return is_kind ? fits(wanted, type) : wanted == type; };
        if (std::ranges::none_of(all_event_types(), known)) {
            return fail(Errc::bad_request, "there are no events of type \"" + std::string{wanted} + "\"");
        }
        types.emplace_back(wanted);
    }
    return types;
}

bool EventViewer::sees(const Event& event) const
{
    if (policy_.may(caller_, list_all, the_platform)) return true;
    const ObjectRef project{.kind = ObjectKind::project, .id = event.project_id, .name = {}};
    if (event.project_id != 0 && policy_.may(caller_, list_of_project, project)) return true;
    const ObjectRef tenant{.kind = ObjectKind::tenant, .id = event.tenant_id, .name = {}};
    return event.tenant_id != 0 && policy_.may(caller_, list_of_tenant, tenant);
}

}  // namespace entrepot
