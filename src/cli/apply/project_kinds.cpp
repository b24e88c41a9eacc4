#include "cli/apply/kinds.hpp"

#include "cli/ctl_lookup.hpp"
#include "cli/source_words.hpp"
#include "core/percent.hpp"
#include "oci/json_fields.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <map>

#include <fmt/format.h>

namespace entrepot {
namespace {

namespace json = boost::json;
using Documents = Result<std::vector<ApplyDocument>>;

std::string path_of_project(std::string_view name)
{
    return "projects/" + percent_encoded(name);
}

class ProjectKind final : public ApplyKind {
public:
    const ApplyShape& shape() const override
    {
        static const ApplyShape shape{
            .kind = "Project",
            .text = "a project",
            .metadata = {{.name = "name", .text = "its name, which no other tenant's project has", .required = true}},
            .spec =
                {{.name = "tenant", .text = "the tenant that it belongs to; default: `default`"},
                 {.name = "public", .type = ApplyType::boolean, .text = "whether anybody may pull"},
                 {.name = "shared", .type = ApplyType::boolean, .text = "whether all tenants may pull"},
                 {.name = "frozen", .type = ApplyType::boolean, .text = "whether it is read-only; done last"},
                 {.name = "protected", .type = ApplyType::boolean, .text = "whether it can't be deleted"},
                 {.name = "caches", .text = "the registry that it is a proxy cache of, from its creation on"},
                 {.name = "proxy_settings",
                  .type = ApplyType::map,
                  .text = "how it is one, such as `ttl: 60`; lists with commas between"},
                 {.name = "sources",
                  .type = ApplyType::list,
                  .text = "where pulls look for what isn't in it, as `ctl project create --source` has them; done last"
                 },
                 {.name = "metadata",
                  .type = ApplyType::map,
                  .text = "Harbor's further metadata, such as `auto_scan: true`"}},
        };
        return shape;
    }

    Documents present(ApplyServer& server, const ApplyScope& scope) const override
    {
        std::vector<ApplyDocument> documents;
        TRY(const auto projects, projects_in(server, scope));
        std::map<std::int64_t, std::string> registries;
        for (const auto& project : projects) {
            json::object metadata;
            if (const auto* found = find_object(project, "metadata")) {
                for (const auto& [name, value] : *found) {
                    if (name != "public" && name != "shared") metadata[name] = value;
                }
            }
            json::object spec{
                {"tenant", text_at(project, "tenant_name")},
                {"public", flag_at(project, "metadata.public")},
                {"shared", flag_at(project, "shared")},
                {"frozen", flag_at(project, "frozen")},
                {"protected", flag_at(project, "protected")},
            };
            if (!metadata.empty()) spec["metadata"] = std::move(metadata);
            if (const auto id = number_at(project, "registry_id"); id != 0) {
                TRY(spec["caches"], name_of_registry(server, registries, id));
                if (const auto* settings = find_object(project, "proxy_settings"); settings && !settings->empty()) {
                    spec["proxy_settings"] = settings_in_texts(*settings);
                }
            }
            json::array sources;
            if (const auto* list = project.if_contains("sources"); list != nullptr && list->is_array()) {
                for (const auto& source : list->as_array()) sources.emplace_back(words_of_source(source.as_object()));
            }
            spec["sources"] = std::move(sources);
            documents.push_back(
                {.kind = "Project",
                 .metadata = {{"name", text_at(project, "name")}},
                 .spec = std::move(spec),
                 .found = project}
            );
        }
        return documents;
    }

    Result<> create(ApplyServer& server, const ApplyDocument& wanted) const override
    {
        json::object body{{"project_name", wanted.metadata.at("name")}, {"metadata", metadata_of(wanted.spec)}};
        if (wanted.spec.contains("tenant")) body["tenant"] = wanted.spec.at("tenant");
        if (wanted.spec.contains("caches")) {
            TRY(body["registry_id"], server.registry_id(text_at(wanted.spec, "caches")));
        }
        CHECK(server.send("POST", "projects", body));
        json::object rest;
        for (const auto* name : {"sources", "proxy_settings"}) {
            if (const auto* value = wanted.spec.if_contains(name); value != nullptr) rest[name] = *value;
        }
        for (const auto* name : {"shared", "frozen", "protected"}) {
            if (flag_at(wanted.spec, name)) rest[name] = true;
        }
        return rest.empty() ? Result<>{} : change(server, wanted, wanted, rest);
    }

    Result<> change(
        ApplyServer& server, const ApplyDocument& present, const ApplyDocument& wanted, const json::object& spec
    ) const override
    {
        if (spec.contains("tenant")) {
            return fail(
                Errc::conflict,
                fmt::format(
                    "{}: project {} belongs to {} and can't go to another tenant",
                    wanted.place,
                    present.key(),
                    text_at(present.spec, "tenant")
                )
            );
        }
        if (spec.contains("caches")) {
            return fail(
                Errc::conflict,
                fmt::format("{}: what project {} caches is settled at its creation", wanted.place, present.key())
            );
        }
        const auto path = path_of_project(text_at(present.metadata, "name"));
        json::object body;
        if (spec.contains("proxy_settings")) body["proxy_settings"] = whole_settings(present, spec);
        if (auto metadata = metadata_of(spec); !metadata.empty()) body["metadata"] = std::move(metadata);
        for (const auto* name : {"shared", "frozen", "protected"}) {
            if (const auto* value = spec.if_contains(name); value != nullptr) body[name] = *value;
        }
        const bool freezes = flag_at(body, "frozen");
        if (freezes) body.erase("frozen");
        if (!body.empty()) CHECK(server.send("PUT", path, body));
        if (const auto* sources = spec.if_contains("sources"); sources != nullptr) {
            // They may be projects that come later.
            json::array list;
            for (const auto& words : sources->as_array()) list.push_back(source_in_words(words.as_string()));
            server.send_last("PUT", path, json::object{{"sources", std::move(list)}});
        }
        if (freezes) server.send_last("PUT", path, json::object{{"frozen", true}});
        return {};
    }

    Result<> remove(ApplyServer& server, const ApplyDocument& present) const override
    {
        return server.send("DELETE", path_of_project(text_at(present.metadata, "name")));
    }

private:
    static Result<std::string>
    name_of_registry(ApplyServer& server, std::map<std::int64_t, std::string>& known, std::int64_t id)
    {
        if (const auto found = known.find(id); found != known.end()) return found->second;
        TRY(const auto registry, server.look(fmt::format("registries/{}", id)));
        return known[id] = registry ? text_at(*registry, "name") : std::to_string(id);
    }

    // {"ttl": 60, "repositories": ["a", "b"]} → {"ttl": "60", "repositories": "a,b"}, and back.
    static json::object settings_in_texts(const json::object& settings)
    {
        json::object texts;
        for (const auto& [name, value] : settings) {
            std::string text;
            if (value.is_array()) {
                for (const auto& each : value.as_array()) {
                    text += (text.empty() ? "" : ",") + std::string{each.as_string()};
                }
            } else {
                text = value.is_string() ? std::string{value.as_string()} : json::serialize(value);
            }
            texts[name] = std::move(text);
        }
        return texts;
    }
    static json::object settings_of_texts(const json::object& texts)
    {
        json::object settings;
        for (const auto& [name, value] : texts) {
            const std::string text{value.as_string()};
            if (name == "repositories") {
                settings[name] = source_in_words("x=" + text)["repositories"];
            } else if (name == "freshness") {
                settings[name] = text;
            } else {
                boost::system::error_code error;
                auto parsed = json::parse(text, error);
                settings[name] = error ? json::value{text} : std::move(parsed);
            }
        }
        return settings;
    }
    // The API takes them whole.
    static json::object whole_settings(const ApplyDocument& present, const json::object& spec)
    {
        json::object texts;
        if (const auto* before = find_object(present.spec, "proxy_settings")) texts = *before;
        for (const auto& [name, value] : spec.at("proxy_settings").as_object()) texts[name] = value;
        return settings_of_texts(texts);
    }

    // Harbor's metadata are texts, `public` among them.
    static json::object metadata_of(const json::object& spec)
    {
        json::object metadata;
        if (const auto* more = spec.if_contains("metadata"); more != nullptr && more->is_object())
            metadata = more->as_object();
        if (spec.contains("public")) metadata["public"] = flag_at(spec, "public") ? "true" : "false";
        return metadata;
    }
};

class QuotaKind final : public ApplyKind {
public:
    const ApplyShape& shape() const override
    {
        static const ApplyShape shape{
            .kind = "Quota",
            .text = "the quota of a project or a tenant; pushes over it are refused; it is never deleted",
            .metadata = {{.name = "project", .text = "the project, or"}, {.name = "tenant", .text = "the tenant"}},
            .spec =
                {{.name = "storage", .type = ApplyType::size, .text = "bytes: `10GiB`, `unlimited`"},
                 {.name = "artifacts", .type = ApplyType::integer, .text = "how many artifacts; -1: any number"}},
        };
        return shape;
    }

    Documents present(ApplyServer& server, const ApplyScope& scope) const override
    {
        std::vector<ApplyDocument> documents;
        TRY(const auto tenants, tenants_in(server, scope));
        for (const auto& tenant : tenants) {
            const auto name = text_at(tenant, "name");
            TRY(const auto quota, server.look("tenants/" + percent_encoded(name) + "/quota"));
            if (quota) documents.push_back(document_of({{"tenant", name}}, *quota));
        }
        TRY(const auto projects, projects_in(server, scope));
        for (const auto& project : projects) {
            const auto list = fmt::format("quotas?reference=project&reference_id={}", number_at(project, "project_id"));
            TRY(const auto quotas, server.list(list));
            for (const auto& quota : quotas)
                documents.push_back(document_of({{"project", text_at(project, "name")}}, quota));
        }
        return documents;
    }

    Result<> create(ApplyServer& server, const ApplyDocument& wanted) const override
    {
        if (wanted.metadata.size() != 1)
            return fail(Errc::bad_request, fmt::format("{}: metadata names a project or a tenant", wanted.place));
        const auto tenant = text_at(wanted.metadata, "tenant");
        if (!tenant.empty()) return set(server, "tenants/" + percent_encoded(tenant) + "/quota", wanted.spec);
        TRY(const auto id, server.project_id(text_at(wanted.metadata, "project")));
        TRY(const auto quotas, server.list(fmt::format("quotas?reference=project&reference_id={}", id)));
        if (quotas.empty()) return fail(Errc::not_found, fmt::format("{}: there is no such quota", wanted.place));
        return set(server, fmt::format("quotas/{}", number_at(quotas.front(), "id")), wanted.spec);
    }

    Result<> change(ApplyServer& server, const ApplyDocument& present, const ApplyDocument&, const json::object& spec)
        const override
    {
        auto whole = present.spec;
        for (const auto& [name, value] : spec) whole[name] = value;
        const auto tenant = text_at(present.metadata, "tenant");
        if (!tenant.empty()) return set(server, "tenants/" + percent_encoded(tenant) + "/quota", whole);
        return set(server, fmt::format("quotas/{}", number_at(present.found, "id")), whole);
    }

    Result<> remove(ApplyServer&, const ApplyDocument&) const override { return {}; }

private:
    static ApplyDocument document_of(json::object metadata, const json::object& quota)
    {
        return {
            .kind = "Quota",
            .metadata = std::move(metadata),
            .spec =
                {{"storage", number_at(quota, "hard.storage", -1)},
                 {"artifacts", number_at(quota, "hard.artifacts", -1)}},
            .found = quota,
        };
    }

    static Result<> set(ApplyServer& server, const std::string& path, const json::object& amounts)
    {
        return server.send("PUT", path, json::object{{"hard", amounts}});
    }
};

class LabelKind final : public ApplyKind {
public:
    const ApplyShape& shape() const override
    {
        static const ApplyShape shape{
            .kind = "Label",
            .text = "a label of the platform or of a project",
            .metadata =
                {{.name = "name", .text = "its name", .required = true},
                 {.name = "project", .text = "the project; left out: the platform"}},
            .spec = {{.name = "description", .text = "what it means"}, {.name = "color", .text = "`#RRGGBB`"}},
        };
        return shape;
    }

    Documents present(ApplyServer& server, const ApplyScope& scope) const override
    {
        std::vector<ApplyDocument> documents;
        if (scope.platform) {
            TRY(const auto labels, server.list("labels?scope=g"));
            for (const auto& label : labels) documents.push_back(document_of(label, ""));
        }
        TRY(const auto projects, projects_in(server, scope));
        for (const auto& project : projects) {
            TRY(const auto labels,
                server.list(fmt::format("labels?scope=p&project_id={}", number_at(project, "project_id"))));
            for (const auto& label : labels) documents.push_back(document_of(label, text_at(project, "name")));
        }
        return documents;
    }

    Result<> create(ApplyServer& server, const ApplyDocument& wanted) const override
    {
        auto body = wanted.spec;
        body["name"] = wanted.metadata.at("name");
        const auto project = text_at(wanted.metadata, "project");
        body["scope"] = project.empty() ? "g" : "p";
        if (!project.empty()) {
            TRY(body["project_id"], server.project_id(project));
        }
        return server.send("POST", "labels", body);
    }

    Result<> change(ApplyServer& server, const ApplyDocument& present, const ApplyDocument&, const json::object& spec)
        const override
    {
        auto body = present.found;
        for (const auto& [name, value] : spec) body[name] = value;
        return server.send("PUT", fmt::format("labels/{}", number_at(present.found, "id")), body);
    }

    Result<> remove(ApplyServer& server, const ApplyDocument& present) const override
    {
        return server.send("DELETE", fmt::format("labels/{}", number_at(present.found, "id")));
    }

private:
    static ApplyDocument document_of(const json::object& label, const std::string& project)
    {
        ApplyDocument document{
            .kind = "Label",
            .metadata = {{"name", text_at(label, "name")}},
            .spec = {{"description", text_at(label, "description")}, {"color", text_at(label, "color")}},
            .found = label,
        };
        if (!project.empty()) document.metadata["project"] = project;
        return document;
    }
};

}  // namespace

const ApplyKind& project_kind()
{
    static const ProjectKind kind;
    return kind;
}

const ApplyKind& quota_kind()
{
    static const QuotaKind kind;
    return kind;
}

const ApplyKind& label_kind()
{
    static const LabelKind kind;
    return kind;
}

}  // namespace entrepot
