#include "tenancy/labels.hpp"

#include "access/require.hpp"

#include <algorithm>

namespace entrepot {
namespace {

constexpr std::size_t longest_name = 128;
constexpr std::size_t longest_description = 1024;

bool is_hexadecimal(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

Result<> check(const Label& label)
{
    if (label.name.empty() || label.name.size() > longest_name) {
        return fail(Errc::bad_request, "a label's name has from 1 to 128 bytes");
    }
    if (label.description.size() > longest_description) {
        return fail(Errc::bad_request, "a label's description has at most 1,024 bytes");
    }
    const bool is_color = label.color.size() == 7 && label.color.front() == '#' &&
                          std::ranges::all_of(label.color.substr(1), is_hexadecimal);
    if (!label.color.empty() && !is_color) return fail(Errc::bad_request, "a label's color is of the form #RRGGBB");
    return {};
}

}  // namespace

// Global labels can be read by every user: there is no permission to list them.
Result<> Labels::require_on(const Caller& caller, std::int64_t project_id, std::string_view action) const
{
    if (project_id == 0) {
        const bool is_read = action == "read" || action == "list";
        if (is_read && !caller.identity->anonymous()) return {};
        const auto needed = need(ObjectKind::platform, "label", is_read ? "read" : action);
        return require(policy_, caller, needed, the_platform);
    }
    TRY(const auto project, require_project(policy_, caller, policy_.project(project_id)));
    return require(policy_, caller, need(ObjectKind::project, "label", action), object_of(*project));
}

Task<Label> Labels::require_label(Caller caller, std::int64_t id, std::string_view action)
{
    CO_TRY(auto label, co_await catalog_.find(id));
    const auto allowed = require_on(caller, label.project_id, action);
    if (!allowed && allowed.error().code() == Errc::not_found) {
        // In the words of the catalog: a hidden project's label is none.
        co_return fail(Errc::not_found, "there is no such label");
    }
    CO_CHECK(allowed);
    co_return label;
}

Task<ListPage<Label>> Labels::list(Caller caller, std::int64_t project_id, ListQuery query)
{
    CO_CHECK(require_on(caller, project_id, "list"));
    co_return co_await catalog_.list(project_id, std::move(query));
}

Task<Label> Labels::find(Caller caller, std::int64_t id)
{
    co_return co_await require_label(std::move(caller), id, "read");
}

Task<Label> Labels::create(Caller caller, Label label)
{
    CO_CHECK(require_on(caller, label.project_id, "create"));
    CO_CHECK(check(label));
    co_return co_await catalog_.create(std::move(label), actor(caller));
}

Task<Label> Labels::change(Caller caller, Label label)
{
    CO_CHECK(co_await require_label(caller, label.id, "update"));
    CO_CHECK(check(label));
    co_return co_await catalog_.change(std::move(label), actor(caller));
}

Task<Label> Labels::remove(Caller caller, std::int64_t id)
{
    CO_TRY(auto label, co_await require_label(caller, id, "delete"));
    CO_CHECK(co_await catalog_.remove(id, actor(caller)));
    co_return label;
}

}  // namespace entrepot
