#include "drivers/sql/token_scopes_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace entrepot {

namespace {

namespace json = boost::json;

std::unexpected<Error> malformed()
{
    return fail(Errc::corrupt, "an access token's scopes are damaged");
}

json::array names_of(const PermissionSet& permissions)
{
    json::array names;
    const auto rows = all_permissions();
    for (std::uint16_t index = 0; index < rows.size(); ++index) {
        if (!permissions.has(Permission{index})) continue;
        const auto& row = rows[index];
        names.emplace_back(
            std::string{name_of(row.kind)} + " " + std::string{row.resource} + " " + std::string{row.action}
        );
    }
    return names;
}

void add_named(PermissionSet& permissions, std::string_view text)
{
    const auto first = text.find(' ');
    const auto second = text.find(' ', first == std::string_view::npos ? first : first + 1);
    if (second == std::string_view::npos) return;
    const auto kind = object_kind_named(text.substr(0, first));
    if (!kind) return;
    const auto permission = find_permission(*kind, text.substr(first + 1, second - first - 1), text.substr(second + 1));
    if (permission) permissions.add(*permission);
}

Result<AccessTokenScope> read_scope(const json::value& value)
{
    const auto* object = value.if_object();
    if (object == nullptr) return malformed();
    const auto* kind = object->if_contains("kind");
    const auto* id = object->if_contains("id");
    const auto* name = object->if_contains("name");
    const auto* permissions = object->if_contains("permissions");
    const bool complete = kind && kind->is_string() && id && id->is_int64() && name && name->is_string() &&
                          permissions && permissions->is_array();
    if (!complete) return malformed();
    const auto known = object_kind_named(kind->get_string());
    if (!known) return malformed();
    AccessTokenScope scope;
    scope.limit.kind = *known;
    scope.limit.id = id->get_int64();
    scope.name = name->get_string();
    for (const auto& permission : permissions->get_array()) {
        if (!permission.is_string()) return malformed();
        add_named(scope.limit.permissions, permission.get_string());
    }
    return scope;
}

}  // namespace

std::string text_of_scopes(const std::optional<std::vector<AccessTokenScope>>& scopes)
{
    if (!scopes) return {};
    json::array list;
    for (const auto& scope : *scopes) {
        list.push_back(json::object{
            {"kind", name_of(scope.limit.kind)},
            {"id", scope.limit.id},
            {"name", scope.name},
            {"permissions", names_of(scope.limit.permissions)}
        });
    }
    return json::serialize(list);
}

Result<std::optional<std::vector<AccessTokenScope>>> scopes_of_text(std::string_view text)
{
    using Scopes = std::vector<AccessTokenScope>;
    if (text.empty()) return std::optional<Scopes>{};
    boost::system::error_code error;
    const auto value = json::parse(text, error);
    if (error || !value.is_array()) return malformed();
    Scopes scopes;
    for (const auto& entry : value.get_array()) {
        TRY(auto scope, read_scope(entry));
        scopes.push_back(std::move(scope));
    }
    return std::optional{std::move(scopes)};
}

}  // namespace entrepot
