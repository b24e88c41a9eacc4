#include "cli/apply/kinds.hpp"

#include "cli/ctl_access.hpp"
#include "cli/ctl_roles.hpp"
#include "core/clock.hpp"
#include "core/percent.hpp"

#include <fmt/format.h>

namespace entrepot {

namespace json = boost::json;

bool is_membership(const json::object& grant)
{
    const auto subject = text_at(grant, "subject.kind");
    return text_at(grant, "object.kind") == "project" && (subject == "user" || subject == "group") &&
           text_at(grant, "object.pattern").empty() && text_at(grant, "expires_at").empty() &&
           !project_role_name(number_at(grant, "role.id")).empty();
}

namespace {

using Documents = Result<std::vector<ApplyDocument>>;

std::string grants_on(std::string_view kind, std::string_view name)
{
    return "grants?q=" + percent_encoded(fmt::format("object_kind={},object={}", kind, name));
}

class MemberKind final : public ApplyKind {
public:
    const ApplyShape& shape() const override
    {
        static const ApplyShape shape{
            .kind = "Member",
            .text = "the role that a user or a group has in a project",
            .metadata =
                {{.name = "project", .text = "the project", .required = true},
                 {.name = "user", .text = "the user, or"},
                 {.name = "group", .text = "the group"}},
            .spec =
                {{.name = "role",
                  .text = "project-admin, maintainer, developer, guest or limited-guest",
                  .required = true}},
        };
        return shape;
    }

    Documents present(ApplyServer& server, const ApplyScope& scope) const override
    {
        std::vector<ApplyDocument> documents;
        TRY(const auto projects, projects_in(server, scope));
        for (const auto& project : projects) {
            const auto name = text_at(project, "name");
            TRY(const auto grants, server.list(grants_on("project", name)));
            for (const auto& grant : grants) {
                if (!is_membership(grant)) continue;
                json::object metadata{{"project", name}};
                metadata[text_at(grant, "subject.kind")] = text_at(grant, "subject.name");
                documents.push_back(
                    {.kind = "Member",
                     .metadata = std::move(metadata),
                     .spec = {{"role", project_role_name(number_at(grant, "role.id"))}},
                     .found = grant}
                );
            }
        }
        return documents;
    }

    Result<> create(ApplyServer& server, const ApplyDocument& wanted) const override
    {
        const auto user = text_at(wanted.metadata, "user");
        const auto group = text_at(wanted.metadata, "group");
        if (user.empty() == group.empty())
            return fail(Errc::bad_request, fmt::format("{}: metadata names a user or a group", wanted.place));
        TRY(const auto role, project_role_id(text_at(wanted.spec, "role")));
        json::object body{{"role_id", role}};
        if (group.empty())
            body["member_user"] = json::object{{"username", user}};
        else
            body["member_group"] = json::object{{"group_name", group}};
        return server.send("POST", members_of(wanted), body);
    }

    Result<> change(ApplyServer& server, const ApplyDocument& present, const ApplyDocument& wanted, const json::object&)
        const override
    {
        TRY(const auto role, project_role_id(text_at(wanted.spec, "role")));
        const auto path = fmt::format("{}/{}", members_of(present), number_at(present.found, "id"));
        return server.send("PUT", path, json::object{{"role_id", role}});
    }

    Result<> remove(ApplyServer& server, const ApplyDocument& present) const override
    {
        return server.send("DELETE", fmt::format("{}/{}", members_of(present), number_at(present.found, "id")));
    }

private:
    static std::string members_of(const ApplyDocument& document)
    {
        return fmt::format("projects/{}/members", percent_encoded(text_at(document.metadata, "project")));
    }
};

// ["project/web:repository:pull", …] of what the API shows.
json::array rights_of(const json::object& robot)
{
    std::vector<std::string> rights;
    const auto* permissions = robot.if_contains("permissions");
    if (permissions == nullptr || !permissions->is_array()) return {};
    for (const auto& entry : permissions->as_array()) {
        const auto& object = entry.as_object();
        const auto* access = object.if_contains("access");
        if (access == nullptr || !access->is_array()) continue;
        const auto kind = text_at(object, "kind");
        const auto name = kind == "system" ? std::string{} : text_at(object, "namespace");
        for (const auto& each : access->as_array()) {
            const auto& right = each.as_object();
            rights.push_back(
                fmt::format("{}/{}:{}:{}", kind, name, text_at(right, "resource"), text_at(right, "action"))
            );
        }
    }
    return sorted_texts(std::move(rights));
}

class RobotKind final : public ApplyKind {
public:
    const ApplyShape& shape() const override
    {
        static const ApplyShape shape{
            .kind = "Robot",
            .text = "an account for a machine; its secret is shown once, when it is made",
            .metadata =
                {{.name = "name", .text = "its own part of the name", .required = true},
                 {.name = "project", .text = "a project's robot, or"},
                 {.name = "tenant", .text = "a tenant's; neither: the platform's"}},
            .spec =
                {{.name = "description", .text = "what it is for"},
                 {.name = "duration",
                  .type = ApplyType::integer,
                  .text = "after how many days its secret counts no more; -1: never"},
                 {.name = "disabled", .type = ApplyType::boolean, .text = "whether it is let in no more"},
                 {.name = "permissions",
                  .type = ApplyType::set,
                  .text = "what it may, each `project/NAME:resource:action`, `tenant/NAME:…` or `system/:…`",
                  .required = true}},
        };
        return shape;
    }

    Documents present(ApplyServer& server, const ApplyScope& scope) const override
    {
        std::vector<ApplyDocument> documents;
        if (scope.platform) CHECK(add(server, documents, "robots", {}));
        TRY(const auto tenants, tenants_in(server, scope));
        for (const auto& tenant : tenants) {
            const auto list =
                "robots?q=" + percent_encoded(fmt::format("Level=tenant,TenantID={}", number_at(tenant, "id")));
            CHECK(add(server, documents, list, {{"tenant", text_at(tenant, "name")}}));
        }
        TRY(const auto projects, projects_in(server, scope));
        for (const auto& project : projects) {
            const auto id = number_at(project, "project_id");
            const auto list = "robots?q=" + percent_encoded(fmt::format("Level=project,ProjectID={}", id));
            CHECK(add(server, documents, list, {{"project", text_at(project, "name")}}));
        }
        return documents;
    }

    Result<> create(ApplyServer& server, const ApplyDocument& wanted) const override
    {
        TRY(const auto permissions, permissions_of(wanted.spec));
        const auto* level = wanted.metadata.contains("project")  ? "project"
                            : wanted.metadata.contains("tenant") ? "tenant"
                                                                 : "system";
        const json::object body{
            {"name", wanted.metadata.at("name")},
            {"level", level},
            {"description", text_at(wanted.spec, "description")},
            {"duration", number_at(wanted.spec, "duration", -1)},
            {"disable", flag_at(wanted.spec, "disabled")},
            {"permissions", permissions},
        };
        TRY(const auto answer, server.api().call("POST", "robots", body));
        if (answer.body.is_object())
            server.note_secret(text_at(answer.body.as_object(), "name"), text_at(answer.body.as_object(), "secret"));
        return {};
    }

    Result<> change(ApplyServer& server, const ApplyDocument& present, const ApplyDocument&, const json::object& spec)
        const override
    {
        auto whole = present.spec;
        for (const auto& [name, value] : spec) whole[name] = value;
        TRY(const auto permissions, permissions_of(whole));
        auto body = present.found;
        body["description"] = text_at(whole, "description");
        body["duration"] = number_at(whole, "duration", -1);
        body["disable"] = flag_at(whole, "disabled");
        body["permissions"] = permissions;
        return server.send("PUT", fmt::format("robots/{}", number_at(present.found, "id")), body);
    }

    Result<> remove(ApplyServer& server, const ApplyDocument& present) const override
    {
        return server.send("DELETE", fmt::format("robots/{}", number_at(present.found, "id")));
    }

private:
    static Result<json::array> permissions_of(const json::object& spec)
    {
        std::vector<std::string> texts;
        for (const auto& each : spec.at("permissions").as_array()) texts.emplace_back(each.as_string());
        return parse_access(texts, nullptr);
    }

    static Result<>
    add(ApplyServer& server, std::vector<ApplyDocument>& documents, const std::string& list, const json::object& home)
    {
        TRY(const auto robots, server.list(list));
        for (const auto& robot : robots) {
            if (home.empty() && text_at(robot, "level") != "system") continue;
            const auto full = text_at(robot, "name");
            auto metadata = home;
            metadata["name"] = full.substr(full.find_last_of("$+") + 1);
            documents.push_back(
                {.kind = "Robot",
                 .metadata = std::move(metadata),
                 .spec =
                     {{"description", text_at(robot, "description")},
                      {"duration", number_at(robot, "duration", -1)},
                      {"disabled", flag_at(robot, "disable")},
                      {"permissions", rights_of(robot)}},
                 .found = robot}
            );
        }
        return {};
    }
};

class GrantKind final : public ApplyKind {
public:
    const ApplyShape& shape() const override
    {
        static const ApplyShape shape{
            .kind = "Grant",
            .text = "a role that somebody has on something",
            .metadata =
                {{.name = "subject",
                  .text = "who: `user:NAME`, `robot:NAME`, `workload:NAME`, `group:NAME` or `team:TENANT/NAME`",
                  .required = true},
                 {.name = "role", .text = "the role's name", .required = true},
                 {.name = "object",
                  .text = "on what: `platform`, `tenant:NAME`, `project:NAME`, `repository:PROJECT` or `KIND:TENANT`",
                  .required = true},
                 {.name = "pattern", .text = "which of its repositories or parts: `team-a/**`"}},
            .spec = {{.name = "expires_at", .text = "until when, as `2026-12-31T00:00:00Z`; left out: for good"}},
        };
        return shape;
    }

    Documents present(ApplyServer& server, const ApplyScope& scope) const override
    {
        std::vector<ApplyDocument> documents;
        if (!scope.tenants && !scope.projects) {
            CHECK(add(server, documents, "grants"));
            return documents;
        }
        if (scope.platform) CHECK(add(server, documents, "grants?q=" + percent_encoded("object_kind=platform")));
        TRY(const auto tenants, tenants_in(server, scope));
        for (const auto& tenant : tenants) {
            const auto id = number_at(tenant, "id");
            CHECK(add(server, documents, "grants?q=" + percent_encoded(fmt::format("tenant_id={}", id))));
        }
        TRY(const auto projects, projects_in(server, scope));
        for (const auto& project : projects) {
            if (scope.tenants && scope.tenants->contains(text_at(project, "tenant_name"))) continue;
            const auto name = text_at(project, "name");
            CHECK(add(server, documents, grants_on("project", name)));
            CHECK(add(server, documents, grants_on("repository", name)));
        }
        return documents;
    }

    Result<> create(ApplyServer& server, const ApplyDocument& wanted) const override
    {
        TRY(auto subject, end_of(wanted, "subject"));
        TRY(auto object, end_of(wanted, "object"));
        const auto team = text_at(subject, "name");
        if (const auto slash = team.find('/'); text_at(subject, "kind") == "team" && slash != team.npos) {
            TRY(subject["id"], server.team_id(team.substr(0, slash), team.substr(slash + 1)));
            subject.erase("name");
        }
        if (wanted.metadata.contains("pattern")) object["pattern"] = wanted.metadata.at("pattern");
        json::object body{
            {"subject", std::move(subject)},
            {"object", std::move(object)},
            {"role", json::object{{"name", wanted.metadata.at("role")}}},
        };
        if (const auto expires = text_at(wanted.spec, "expires_at"); !expires.empty()) body["expires_at"] = expires;
        return server.send("POST", "grants", body);
    }

    // A grant is a fact that was given: another end is another grant.
    Result<> change(ApplyServer& server, const ApplyDocument& present, const ApplyDocument& wanted, const json::object&)
        const override
    {
        CHECK(remove(server, present));
        return create(server, wanted);
    }

    Result<> remove(ApplyServer& server, const ApplyDocument& present) const override
    {
        return server.send("DELETE", fmt::format("grants/{}", number_at(present.found, "id")));
    }

private:
    static Result<json::object> end_of(const ApplyDocument& wanted, std::string_view field)
    {
        const auto text = text_at(wanted.metadata, field);
        const auto colon = text.find(':');
        json::object end{{"kind", text.substr(0, colon)}};
        if (colon != text.npos) end["name"] = text.substr(colon + 1);
        if (colon == text.npos && text != "platform") {
            return fail(
                Errc::bad_request, fmt::format("{}: metadata.{} must be KIND:NAME, not {}", wanted.place, field, text)
            );
        }
        return end;
    }

    static Result<> add(ApplyServer& server, std::vector<ApplyDocument>& documents, const std::string& list)
    {
        TRY(const auto grants, server.list(list));
        for (const auto& grant : grants) {
            // A robot's own rights are told with the robot.
            if (is_membership(grant) || number_at(grant, "role.id") == 0) continue;
            const auto kind = text_at(grant, "subject.kind");
            auto name = text_at(grant, "subject.name");
            if (kind == "team") {
                TRY(name, server.team_name(number_at(grant, "subject.id")));
            }
            const auto object = text_at(grant, "object.kind");
            const auto on = object == "platform" ? object : fmt::format("{}:{}", object, text_at(grant, "object.name"));
            ApplyDocument document{
                .kind = "Grant",
                .metadata =
                    {{"subject", fmt::format("{}:{}", kind, name)},
                     {"role", text_at(grant, "role.name")},
                     {"object", on}},
                .spec = {},
                .found = grant,
            };
            if (const auto pattern = text_at(grant, "object.pattern"); !pattern.empty())
                document.metadata["pattern"] = pattern;
            if (const auto expires = text_at(grant, "expires_at"); !expires.empty())
                document.spec["expires_at"] = expires;
            documents.push_back(std::move(document));
        }
        return {};
    }
};

}  // namespace

const ApplyKind& member_kind()
{
    static const MemberKind kind;
    return kind;
}

const ApplyKind& robot_kind()
{
    static const RobotKind kind;
    return kind;
}

const ApplyKind& grant_kind()
{
    static const GrantKind kind;
    return kind;
}

}  // namespace entrepot
