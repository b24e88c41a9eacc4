#include "cli/apply/kinds.hpp"

#include "cli/filter_words.hpp"
#include "oci/json_fields.hpp"

#include <boost/json/array.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace entrepot {
namespace {

namespace json = boost::json;
using Documents = Result<std::vector<ApplyDocument>>;

class RegistryKind final : public ApplyKind {
public:
    const ApplyShape& shape() const override
    {
        static const ApplyShape shape{
            .kind = "Registry",
            .text = "a registry elsewhere, as the platform knows it",
            .metadata = {{.name = "name", .text = "what it is called here", .required = true}},
            .spec =
                {{.name = "type", .text = "`docker-registry`, `harbor`, `entrepot` and others; settled at its creation"
                 },
                 {.name = "url", .text = "where it is", .required = true},
                 {.name = "description", .text = "what it is for"},
                 {.name = "user", .text = "who we are over there"},
                 {.name = "password_from",
                  .type = ApplyType::map,
                  .text = "where the password is, `file: PATH` or `variable: NAME`; counts at creation alone",
                  .only_at_creation = true},
                 {.name = "any_certificate", .type = ApplyType::boolean, .text = "whatever certificate it has"},
                 {.name = "pin", .text = "the one certificate that it may have, `sha256:HEX`"},
                 {.name = "rate",
                  .type = ApplyType::size,
                  .text = "bytes a second from each instance; 0: as fast as it goes"},
                 {.name = "requests",
                  .type = ApplyType::integer,
                  .text = "requests at once from each instance; 0: any number"}},
        };
        return shape;
    }

    // Those of tenants are told by nobody.
    Documents present(ApplyServer& server, const ApplyScope& scope) const override
    {
        std::vector<ApplyDocument> documents;
        if (!scope.platform) return documents;
        TRY(const auto registries, server.list("registries"));
        for (const auto& registry : registries) {
            if (number_at(registry, "tenant_id") != 0) continue;
            documents.push_back(
                {.kind = "Registry",
                 .metadata = {{"name", text_at(registry, "name")}},
                 .spec =
                     {{"type", text_at(registry, "type")},
                      {"url", text_at(registry, "url")},
                      {"description", text_at(registry, "description")},
                      {"user", text_at(registry, "credential.access_key")},
                      {"any_certificate", flag_at(registry, "insecure")},
                      {"pin", text_at(registry, "certificate_pin")},
                      {"rate", number_at(registry, "bytes_per_second")},
                      {"requests", number_at(registry, "requests_at_once")}},
                 .found = registry}
            );
        }
        return documents;
    }

    Result<> create(ApplyServer& server, const ApplyDocument& wanted) const override
    {
        auto body = body_of(wanted.spec);
        body["name"] = wanted.metadata.at("name");
        body["type"] = wanted.spec.contains("type") ? wanted.spec.at("type") : json::value{"docker-registry"};
        TRY(const auto password, secret_at(server, wanted, "password_from"));
        if (!password.empty()) body["access_secret"] = password;
        return server.send("POST", "registries", body);
    }

    Result<> change(
        ApplyServer& server, const ApplyDocument& present, const ApplyDocument& wanted, const json::object& spec
    ) const override
    {
        if (spec.contains("type")) {
            return fail(
                Errc::conflict,
                fmt::format("{}: registry {} is of another type and stays so", wanted.place, present.key())
            );
        }
        return server.send("PUT", fmt::format("registries/{}", number_at(present.found, "id")), body_of(spec));
    }

    Result<> remove(ApplyServer& server, const ApplyDocument& present) const override
    {
        return server.send("DELETE", fmt::format("registries/{}", number_at(present.found, "id")));
    }

private:
    static json::object body_of(const json::object& spec)
    {
        json::object body;
        for (const auto& [name, field] :
             {std::pair{"url", "url"},
              {"description", "description"},
              {"user", "access_key"},
              {"any_certificate", "insecure"},
              {"pin", "certificate_pin"},
              {"rate", "bytes_per_second"},
              {"requests", "requests_at_once"}}) {
            if (const auto* value = spec.if_contains(name); value != nullptr) body[field] = *value;
        }
        if (!text_at(spec, "user").empty()) body["credential_type"] = "basic";
        return body;
    }
};

// The texts of a policy's filters, and what the API calls them.
constexpr std::pair<std::string_view, std::string_view> filter_fields[] = {
    {"repositories", "name"}, {"tags", "tag"}, {"resources", "resource"}
};
// Fields that files and the API call the same and take as they are.
constexpr std::string_view plain_fields[] = {
    "description",
    "enabled",
    "override",
    "replicate_deletion",
    "copy_by_chunk",
    "single_active_replication",
    "confirm_all",
    "version_range",
    "signed_only",
    "with_referrers",
    "priority",
    "bytes_per_second",
};

class ReplicationKind final : public ApplyKind {
public:
    const ApplyShape& shape() const override
    {
        static const ApplyShape shape{
            .kind = "Replication",
            .text = "a policy of the platform that copies from a registry elsewhere or to one",
            .metadata = {{.name = "name", .text = "its name", .required = true}},
            .spec =
                {{.name = "to", .text = "the registry that it copies to, or"},
                 {.name = "from", .text = "the one that it copies from"},
                 {.name = "description", .text = "what it is for"},
                 {.name = "enabled", .type = ApplyType::boolean, .text = "whether it does anything"},
                 {.name = "repositories", .text = "a pattern of their names, `not:PATTERN`: all others"},
                 {.name = "tags", .text = "a pattern of tags, `not:PATTERN`: all others"},
                 {.name = "resources", .text = "what kind of artifacts, such as `image`"},
                 {.name = "labels", .type = ApplyType::set, .text = "labels that an artifact has all of"},
                 {.name = "namespace", .text = "where it goes, in place of the project"},
                 {.name = "replaced_levels",
                  .type = ApplyType::integer,
                  .text = "how many parts of the name that replaces; -1: all but the last"},
                 {.name = "trigger", .text = "`manual`, `event_based` or `scheduled`"},
                 {.name = "cron", .text = "when, of a scheduled one"},
                 {.name = "override", .type = ApplyType::boolean, .text = "whether what is there is replaced"},
                 {.name = "replicate_deletion", .type = ApplyType::boolean, .text = "whether deletions go along"},
                 {.name = "platforms", .type = ApplyType::set, .text = "these alone of an index, `linux/amd64`"},
                 {.name = "version_range", .text = "tags that are versions within it, `>=1.2 <2`"},
                 {.name = "signed_only", .type = ApplyType::boolean, .text = "nothing without a signature"},
                 {.name = "with_referrers", .type = ApplyType::boolean, .text = "signatures and the like go along"},
                 {.name = "priority", .type = ApplyType::integer, .text = "before policies of lower ones"},
                 {.name = "window", .text = "the time of the day that it keeps to, `22:00-06:00`"},
                 {.name = "bytes_per_second", .type = ApplyType::size, .text = "of all its tasks; 0: no limit"},
                 {.name = "copy_by_chunk", .type = ApplyType::boolean, .text = "large blobs in chunks"},
                 {.name = "single_active_replication", .type = ApplyType::boolean, .text = "one run at a time"},
                 {.name = "confirm_all", .type = ApplyType::boolean, .text = "looks at what it believes is there"}},
        };
        return shape;
    }

    Documents present(ApplyServer& server, const ApplyScope& scope) const override
    {
        std::vector<ApplyDocument> documents;
        if (!scope.platform) return documents;
        TRY(const auto policies, server.list("replication/policies"));
        for (const auto& policy : policies) {
            documents.push_back(
                {.kind = "Replication",
                 .metadata = {{"name", text_at(policy, "name")}},
                 .spec = spec_of(policy),
                 .found = policy}
            );
        }
        return documents;
    }

    Result<> create(ApplyServer& server, const ApplyDocument& wanted) const override
    {
        TRY(auto body, body_of(server, wanted, wanted.spec));
        for (const auto* name : {"enabled", "override"}) {
            if (!body.contains(name)) body[name] = true;
        }
        return server.send("POST", "replication/policies", body);
    }

    // The API takes it whole.
    Result<> change(
        ApplyServer& server, const ApplyDocument& present, const ApplyDocument& wanted, const json::object& spec
    ) const override
    {
        auto whole = present.spec;
        if (spec.contains("to")) whole.erase("from");
        if (spec.contains("from")) whole.erase("to");
        for (const auto& [name, value] : spec) whole[name] = value;
        TRY(const auto body, body_of(server, wanted, whole));
        return server.send("PUT", fmt::format("replication/policies/{}", number_at(present.found, "id")), body);
    }

    Result<> remove(ApplyServer& server, const ApplyDocument& present) const override
    {
        return server.send("DELETE", fmt::format("replication/policies/{}", number_at(present.found, "id")));
    }

private:
    static json::object spec_of(const json::object& policy)
    {
        json::object spec;
        if (number_at(policy, "src_registry.id") != 0) spec["from"] = text_at(policy, "src_registry.name");
        if (number_at(policy, "dest_registry.id") != 0) spec["to"] = text_at(policy, "dest_registry.name");
        for (const auto name : plain_fields) {
            if (const auto* value = policy.if_contains(name); value != nullptr) spec[name] = *value;
        }
        spec["namespace"] = text_at(policy, "dest_namespace");
        spec["replaced_levels"] = number_at(policy, "dest_namespace_replace_count");
        spec["trigger"] = text_at(policy, "trigger.type");
        spec["cron"] = text_at(policy, "trigger.trigger_settings.cron");
        spec["platforms"] = sorted_texts(texts_in(policy.if_contains("platforms")));
        const auto from = text_at(policy, "window.from");
        spec["window"] = from.empty() ? std::string{} : from + "-" + text_at(policy, "window.until");
        for (const auto& [field, type] : filter_fields) spec[field] = "";
        spec["labels"] = json::array{};
        const auto* filters = policy.if_contains("filters");
        if (filters == nullptr || !filters->is_array()) return spec;
        for (const auto& entry : filters->as_array()) {
            if (entry.is_object()) add_filter(spec, entry.as_object());
        }
        return spec;
    }

    static void add_filter(json::object& spec, const json::object& filter)
    {
        const auto type = text_at(filter, "type");
        if (type == "label") spec["labels"] = sorted_texts(texts_in(filter.if_contains("value")));
        for (const auto& [field, its_type] : filter_fields) {
            if (type == its_type) spec[field] = words_of_filter(filter);
        }
    }

    static std::vector<std::string> texts_in(const json::value* list)
    {
        std::vector<std::string> texts;
        if (list == nullptr || !list->is_array()) return texts;
        for (const auto& entry : list->as_array()) {
            if (entry.is_string()) texts.emplace_back(entry.as_string());
        }
        return texts;
    }

    static Result<json::object> body_of(ApplyServer& server, const ApplyDocument& wanted, const json::object& spec)
    {
        const auto from = text_at(spec, "from");
        const auto to = text_at(spec, "to");
        if (from.empty() == to.empty()) {
            return fail(
                Errc::bad_request, fmt::format("{}: one of spec.from and spec.to names a registry", wanted.place)
            );
        }
        json::object body{{"name", wanted.metadata.at("name")}};
        TRY(const auto id, server.registry_id(from.empty() ? to : from));
        body[from.empty() ? "dest_registry" : "src_registry"] = json::object{{"id", id}};
        for (const auto name : plain_fields) {
            if (const auto* value = spec.if_contains(name); value != nullptr) body[name] = *value;
        }
        if (spec.contains("namespace")) body["dest_namespace"] = spec.at("namespace");
        if (spec.contains("replaced_levels")) body["dest_namespace_replace_count"] = spec.at("replaced_levels");
        if (spec.contains("platforms")) body["platforms"] = spec.at("platforms");
        const auto trigger = text_at(spec, "trigger");
        json::object settings{{"cron", text_at(spec, "cron")}};
        body["trigger"] =
            json::object{{"type", trigger.empty() ? "manual" : trigger}, {"trigger_settings", std::move(settings)}};
        body["filters"] = filters_of(spec);
        if (const auto window = text_at(spec, "window"); !window.empty()) {
            const auto dash = std::min(window.find('-'), window.size());
            const auto until = window.substr(std::min(dash + 1, window.size()));
            body["window"] = json::object{{"from", window.substr(0, dash)}, {"until", until}};
        }
        return body;
    }

    static json::array filters_of(const json::object& spec)
    {
        json::array filters;
        for (const auto& [field, type] : filter_fields) {
            const auto words = text_at(spec, field);
            if (!words.empty()) filters.push_back(filter_in_words(type, words));
        }
        if (const auto* labels = spec.if_contains("labels"); labels != nullptr && !labels->as_array().empty()) {
            filters.push_back(json::object{{"type", "label"}, {"value", *labels}, {"decoration", "matches"}});
        }
        return filters;
    }
};

}  // namespace

const ApplyKind& registry_kind()
{
    static const RegistryKind kind;
    return kind;
}

const ApplyKind& replication_kind()
{
    static const ReplicationKind kind;
    return kind;
}

}  // namespace entrepot
