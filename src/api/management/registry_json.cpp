#include "api/management/registry_json.hpp"

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr std::string_view hidden = "*****";

json::object filter_style(std::string_view type, std::string_view style, json::array values)
{
    json::object shown{{"type", type}, {"style", style}};
    if (!values.empty()) shown["values"] = std::move(values);
    return shown;
}

}  // namespace

json::object registry_json(const RegistryEndpoint& endpoint)
{
    json::object shown{
        {"id", endpoint.id},
        {"name", endpoint.name},
        {"description", endpoint.description},
        {"type", endpoint.type},
        {"url", endpoint.url},
        {"insecure", endpoint.insecure},
        {"ca_certificate", endpoint.ca_certificate},
        {"status", endpoint.status},
        {"creation_time", rfc3339(endpoint.created_at)},
        {"update_time", rfc3339(endpoint.updated_at)},
        {"certificate_pin", endpoint.certificate_pin},
        {"token_host", endpoint.token_host},
        {"bytes_per_second", endpoint.limits.bytes_per_second},
        {"requests_at_once", endpoint.limits.requests_at_once},
        {"tenant_id", endpoint.tenant_id},
        {"status_detail", endpoint.status_detail},
    };
    if (!endpoint.credential_type.empty() || !endpoint.access_key.empty() || !endpoint.access_secret.empty()) {
        shown["credential"] = json::object{
            {"type", endpoint.credential_type},
            {"access_key", endpoint.access_key},
            {"access_secret", endpoint.access_secret.empty() ? std::string_view{} : hidden},
        };
    }
    return shown;
}

json::object local_registry_json()
{
    return {
        {"id", 0},
        {"name", "Local"},
        {"description", ""},
        {"type", "entrepot"},
        {"url", ""},
        {"insecure", false},
        {"status", "healthy"},
    };
}

json::object registry_info_json(const AdapterInfo& adapter)
{
    json::array filters;
    filters.push_back(filter_style("resource", "radio", json::array{"image", "artifact"}));
    filters.push_back(filter_style("name", "input", {}));
    filters.push_back(filter_style("tag", "input", {}));
    if (adapter.type == "harbor" || adapter.type == "entrepot") filters.push_back(filter_style("label", "input", {}));
    json::array triggers{"manual", "scheduled"};
    if (adapter.type == "entrepot") triggers.emplace_back("event_based");
    return {
        {"type", adapter.type},
        {"description", adapter.title},
        {"supported_resource_filters", std::move(filters)},
        {"supported_triggers", std::move(triggers)},
        {"supported_copy_by_chunk", adapter.chunks},
        {"lists_repositories", adapter.lists_repositories},
        {"tested", adapter.tested},
    };
}

json::object provider_info_json(const AdapterInfo& adapter)
{
    json::array urls;
    for (const auto& [name, url] : adapter.known_urls) urls.push_back(json::object{{"key", name}, {"value", url}});
    const auto style = urls.empty()       ? "EndpointPatternTypeStandard"
                       : urls.size() == 1 ? "EndpointPatternTypeFix"
                                          : "EndpointPatternTypeList";
    json::object shown{
        {"endpoint_pattern", json::object{{"endpoint_type", style}, {"endpoints", std::move(urls)}}},
        {"title", adapter.title},
        {"lists_repositories", adapter.lists_repositories},
        {"tested", adapter.tested},
    };
    const auto parts = adapter.credential_pattern.find(" / ");
    const bool named = parts != std::string::npos;
    const auto key = named ? adapter.credential_pattern.substr(0, parts) : std::string{};
    const auto secret = named ? adapter.credential_pattern.substr(parts + 3) : std::string{};
    const std::string_view type = named ? "AccessKeyTypeFix" : "AccessKeyTypeStandard";
    const std::string_view secret_type = named ? "AccessSecretTypeFile" : "AccessSecretTypeStandard";
    shown["credential_pattern"] = json::object{
        {"access_key_type", type},
        {"access_key_data", key},
        {"access_secret_type", secret_type},
        {"access_secret_data", secret},
    };
    return shown;
}

json::array registry_health_json(const std::vector<EndpointHealth>& history)
{
    json::array shown;
    for (const auto& look : history) {
        shown.push_back(json::object{{"at", rfc3339(look.at)}, {"status", look.status}, {"detail", look.detail}});
    }
    return shown;
}

Result<EndpointInput> endpoint_input_of(const JsonBody& body)
{
    EndpointInput input;
    TRY(input.name, body.optional_text("name"));
    TRY(input.description, body.optional_text("description"));
    TRY(input.type, body.optional_text("type"));
    TRY(input.url, body.optional_text("url"));
    TRY(input.insecure, body.optional_boolean("insecure"));
    TRY(input.ca_certificate, body.optional_text("ca_certificate"));
    TRY(input.certificate_pin, body.optional_text("certificate_pin"));
    TRY(input.token_host, body.optional_text("token_host"));
    TRY(input.bytes_per_second, body.optional_integer("bytes_per_second"));
    TRY(input.requests_at_once, body.optional_integer("requests_at_once"));
    TRY(input.tenant_id, body.optional_integer("tenant_id"));
    // In a Registry within its credential, in the other two beside the rest.
    TRY(input.credential_type, body.optional_text("credential_type"));
    TRY(input.access_key, body.optional_text("access_key"));
    TRY(input.access_secret, body.optional_text("access_secret"));
    TRY(const auto credential, body.optional_object("credential"));
    if (!credential) return input;
    if (!input.credential_type) {
        TRY(input.credential_type, credential->optional_text("type"));
    }
    if (!input.access_key) {
        TRY(input.access_key, credential->optional_text("access_key"));
    }
    if (!input.access_secret) {
        TRY(input.access_secret, credential->optional_text("access_secret"));
    }
    return input;
}

}  // namespace entrepot
