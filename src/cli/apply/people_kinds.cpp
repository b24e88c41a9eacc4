#include "cli/apply/kinds.hpp"

#include "cli/ctl_lookup.hpp"
#include "core/percent.hpp"

#include <fmt/format.h>

namespace entrepot {
namespace {

namespace json = boost::json;
using Documents = Result<std::vector<ApplyDocument>>;

void merge_into(json::object& object, const json::object& fields)
{
    for (const auto& [name, value] : fields) object[name] = value;
}

class RoleKind final : public ApplyKind {
public:
    const ApplyShape& shape() const override
    {
        static const ApplyShape shape{
            .kind = "Role",
            .text = "a set of permissions that can be granted",
            .metadata = {{.name = "name", .text = "its name", .required = true}},
            .spec =
                {{.name = "description", .text = "what it is for"},
                 {.name = "permissions",
                  .type = ApplyType::set,
                  .text = "what it allows, each `kind:resource:action`",
                  .required = true}},
        };
        return shape;
    }

    Documents present(ApplyServer& server, const ApplyScope& scope) const override
    {
        std::vector<ApplyDocument> documents;
        TRY(const auto roles, server.list("roles"));
        for (const auto& role : roles) {
            const auto name = text_at(role, "name");
            if (flag_at(role, "builtin") || (scope.roles && !scope.roles->contains(name))) continue;
            std::vector<std::string> permissions;
            if (const auto* list = role.if_contains("permissions"); list != nullptr && list->is_array()) {
                for (const auto& each : list->as_array()) permissions.emplace_back(each.as_string());
            }
            json::object spec{{"permissions", sorted_texts(std::move(permissions))}};
            spec["description"] = text_at(role, "description");
            documents.push_back({.kind = "Role", .metadata = {{"name", name}}, .spec = std::move(spec), .found = role});
        }
        return documents;
    }

    Result<> create(ApplyServer& server, const ApplyDocument& wanted) const override
    {
        auto body = wanted.spec;
        body["name"] = wanted.metadata.at("name");
        return server.send("POST", "roles", body);
    }

    Result<> change(ApplyServer& server, const ApplyDocument& present, const ApplyDocument&, const json::object& spec)
        const override
    {
        auto body = present.spec;
        merge_into(body, spec);
        body["name"] = present.metadata.at("name");
        return server.send("PUT", fmt::format("roles/{}", number_at(present.found, "id")), body);
    }

    Result<> remove(ApplyServer& server, const ApplyDocument& present) const override
    {
        return server.send("DELETE", fmt::format("roles/{}", number_at(present.found, "id")));
    }
};

class UserKind final : public ApplyKind {
public:
    const ApplyShape& shape() const override
    {
        static const ApplyShape shape{
            .kind = "User",
            .text = "somebody with a password here",
            .metadata = {{.name = "name", .text = "the name to log in with", .required = true}},
            .spec =
                {{.name = "email", .text = "e-mail address"},
                 {.name = "realname", .text = "what people call them"},
                 {.name = "comment", .text = "a comment"},
                 {.name = "disabled", .type = ApplyType::boolean, .text = "whether nothing lets them in"},
                 {.name = "password_from",
                  .type = ApplyType::map,
                  .text = "where the first password is, `file: PATH` or `variable: NAME`; counts at creation alone",
                  .only_at_creation = true}},
        };
        return shape;
    }

    Documents present(ApplyServer& server, const ApplyScope& scope) const override
    {
        std::vector<ApplyDocument> documents;
        const auto add = [&documents](const json::object& user) {
            documents.push_back(
                {.kind = "User",
                 .metadata = {{"name", text_at(user, "username")}},
                 .spec =
                     {{"email", text_at(user, "email")},
                      {"realname", text_at(user, "realname")},
                      {"comment", text_at(user, "comment")},
                      {"disabled", flag_at(user, "disabled")}},
                 .found = user}
            );
        };
        if (!scope.users) {
            TRY(const auto users, server.list("users"));
            for (const auto& user : users) add(user);
            return documents;
        }
        for (const auto& name : *scope.users) {
            const auto id = server.user_id(name);
            if (!id && id.error().code() == Errc::not_found) continue;
            if (!id) return std::unexpected{id.error()};
            TRY(const auto user, server.look(fmt::format("users/{}", *id)));
            if (user) add(*user);
        }
        return documents;
    }

    Result<> create(ApplyServer& server, const ApplyDocument& wanted) const override
    {
        auto body = wanted.spec;
        TRY(body["password"], password_of(server, wanted));
        body.erase("password_from");
        body["username"] = wanted.metadata.at("name");
        if (!body.contains("realname")) body["realname"] = wanted.metadata.at("name");
        CHECK(server.send("POST", "users", body));
        if (!flag_at(wanted.spec, "disabled")) return {};
        TRY(const auto id, server.user_id(text_at(wanted.metadata, "name")));
        return server.send("PUT", fmt::format("users/{}", id), body);
    }

    Result<> change(ApplyServer& server, const ApplyDocument& present, const ApplyDocument&, const json::object& spec)
        const override
    {
        auto body = present.spec;
        merge_into(body, spec);
        return server.send("PUT", fmt::format("users/{}", number_at(present.found, "user_id")), body);
    }

    Result<> remove(ApplyServer& server, const ApplyDocument& present) const override
    {
        return server.send("DELETE", fmt::format("users/{}", number_at(present.found, "user_id")));
    }

private:
    static Result<std::string> password_of(ApplyServer& server, const ApplyDocument& wanted)
    {
        TRY(auto password, secret_at(server, wanted, "password_from"));
        if (password.empty()) {
            return fail(
                Errc::bad_request,
                fmt::format(
                    "{}: a new user needs spec.password_from with a file or variable that holds it", wanted.place
                )
            );
        }
        return password;
    }
};

// Those of `names` that are to come or to go, one request each.
Result<> add_people(ApplyServer& server, const std::string& path, const std::vector<std::string>& names)
{
    for (const auto& name : names) CHECK(server.send("POST", path, json::object{{"username", name}}));
    return {};
}

Result<> remove_people(ApplyServer& server, const std::string& path, const std::vector<std::string>& names)
{
    for (const auto& name : names) {
        TRY(const auto id, server.user_id(name));
        CHECK(server.send("DELETE", fmt::format("{}/{}", path, id)));
    }
    return {};
}

Result<>
change_people(ApplyServer& server, const std::string& path, const ApplyDocument& present, const json::object& spec)
{
    const auto* wanted = spec.if_contains("members");
    if (wanted == nullptr) return {};
    const json::value before = present.spec.contains("members") ? present.spec.at("members") : json::array{};
    CHECK(add_people(server, path, added_texts(&before, *wanted)));
    return remove_people(server, path, added_texts(wanted, before));
}

Result<json::array> names_in(ApplyServer& server, const std::string& path)
{
    std::vector<std::string> names;
    TRY(const auto people, server.list(path));
    for (const auto& each : people) names.push_back(text_at(each, "username"));
    return sorted_texts(std::move(names));
}

std::string path_of_tenant(std::string_view name)
{
    return "tenants/" + percent_encoded(name);
}

class TenantKind final : public ApplyKind {
public:
    const ApplyShape& shape() const override
    {
        static const ApplyShape shape{
            .kind = "Tenant",
            .text = "a tenant and who belongs to it",
            .metadata = {{.name = "name", .text = "its name", .required = true}},
            .spec =
                {{.name = "display_name", .text = "what people read"},
                 {.name = "description", .text = "what it is for"},
                 {.name = "frozen", .type = ApplyType::boolean, .text = "whether it is read-only; done last"},
                 {.name = "protected", .type = ApplyType::boolean, .text = "whether it can't be deleted"},
                 {.name = "members", .type = ApplyType::set, .text = "users by name, all of them"}},
        };
        return shape;
    }

    Documents present(ApplyServer& server, const ApplyScope& scope) const override
    {
        std::vector<ApplyDocument> documents;
        TRY(const auto tenants, tenants_in(server, scope));
        for (const auto& tenant : tenants) {
            const auto name = text_at(tenant, "name");
            json::object spec{
                {"display_name", text_at(tenant, "display_name")},
                {"description", text_at(tenant, "description")},
                {"frozen", flag_at(tenant, "frozen")},
                {"protected", flag_at(tenant, "protected")},
            };
            TRY(spec["members"], names_in(server, path_of_tenant(name) + "/members"));
            documents.push_back(
                {.kind = "Tenant", .metadata = {{"name", name}}, .spec = std::move(spec), .found = tenant}
            );
        }
        return documents;
    }

    Result<> create(ApplyServer& server, const ApplyDocument& wanted) const override
    {
        const auto name = text_at(wanted.metadata, "name");
        auto body = wanted.spec;
        body.erase("members");
        body["name"] = name;
        CHECK(server.send("POST", "tenants", body));
        ApplyDocument made{.kind = "Tenant", .metadata = wanted.metadata, .spec = {}};
        // Who makes a tenant may have become its first member.
        TRY(made.spec["members"], names_in(server, path_of_tenant(name) + "/members"));
        auto rest = wanted.spec;
        rest.erase("display_name");
        rest.erase("description");
        return change(server, made, wanted, rest);
    }

    Result<> change(ApplyServer& server, const ApplyDocument& present, const ApplyDocument&, const json::object& spec)
        const override
    {
        const auto path = path_of_tenant(text_at(present.metadata, "name"));
        auto body = spec;
        body.erase("members");
        const bool freezes = flag_at(body, "frozen");
        if (freezes) body.erase("frozen");
        if (!body.empty()) CHECK(server.send("PUT", path, body));
        CHECK(change_people(server, path + "/members", present, spec));
        if (freezes) server.send_last("PUT", path, json::object{{"frozen", true}});
        return {};
    }

    Result<> remove(ApplyServer& server, const ApplyDocument& present) const override
    {
        return server.send("DELETE", path_of_tenant(text_at(present.metadata, "name")));
    }
};

class TeamKind final : public ApplyKind {
public:
    const ApplyShape& shape() const override
    {
        static const ApplyShape shape{
            .kind = "Team",
            .text = "a team of a tenant's members",
            .metadata =
                {{.name = "name", .text = "its name", .required = true},
                 {.name = "tenant", .text = "the tenant", .required = true}},
            .spec =
                {{.name = "description", .text = "what it is for"},
                 {.name = "members", .type = ApplyType::set, .text = "users by name, all of them"}},
        };
        return shape;
    }

    Documents present(ApplyServer& server, const ApplyScope& scope) const override
    {
        std::vector<ApplyDocument> documents;
        TRY(const auto tenants, tenants_in(server, scope));
        for (const auto& tenant : tenants) {
            const auto tenant_name = text_at(tenant, "name");
            const auto path = path_of_tenant(tenant_name) + "/teams";
            TRY(const auto teams, server.list(path));
            for (const auto& team : teams) {
                if (flag_at(team, "implicit")) continue;
                json::object spec{{"description", text_at(team, "description")}};
                TRY(spec["members"], names_in(server, fmt::format("{}/{}/members", path, number_at(team, "id"))));
                documents.push_back(
                    {.kind = "Team",
                     .metadata = {{"name", text_at(team, "name")}, {"tenant", tenant_name}},
                     .spec = std::move(spec),
                     .found = team}
                );
            }
        }
        return documents;
    }

    Result<> create(ApplyServer& server, const ApplyDocument& wanted) const override
    {
        const auto tenant = text_at(wanted.metadata, "tenant");
        const auto name = text_at(wanted.metadata, "name");
        const auto path = path_of_tenant(tenant) + "/teams";
        CHECK(server.send(
            "POST", path, json::object{{"name", name}, {"description", text_at(wanted.spec, "description")}}
        ));
        const auto* members = wanted.spec.if_contains("members");
        if (members == nullptr) return {};
        TRY(const auto id, server.team_id(tenant, name));
        return add_people(server, fmt::format("{}/{}/members", path, id), added_texts(nullptr, *members));
    }

    Result<> change(ApplyServer& server, const ApplyDocument& present, const ApplyDocument&, const json::object& spec)
        const override
    {
        const auto path = path_of_team(present);
        if (const auto* description = spec.if_contains("description"); description != nullptr) {
            const json::object body{{"name", present.metadata.at("name")}, {"description", *description}};
            CHECK(server.send("PUT", path, body));
        }
        return change_people(server, path + "/members", present, spec);
    }

    Result<> remove(ApplyServer& server, const ApplyDocument& present) const override
    {
        return server.send("DELETE", path_of_team(present));
    }

private:
    static std::string path_of_team(const ApplyDocument& present)
    {
        return fmt::format(
            "{}/teams/{}", path_of_tenant(text_at(present.metadata, "tenant")), number_at(present.found, "id")
        );
    }
};

}  // namespace

const ApplyKind& role_kind()
{
    static const RoleKind kind;
    return kind;
}

const ApplyKind& user_kind()
{
    static const UserKind kind;
    return kind;
}

const ApplyKind& tenant_kind()
{
    static const TenantKind kind;
    return kind;
}

const ApplyKind& team_kind()
{
    static const TeamKind kind;
    return kind;
}

}  // namespace entrepot
