#include "api/management/configurations_api.hpp"

#include "api/management/api_values.hpp"

#include <boost/json/serialize.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

json::value json_of(const SettingValue& value)
{
    return std::visit([](const auto& held) { return json::value(held); }, value);
}

// What a body says of the settings that there are.
Result<std::map<std::string, SettingValue>>
settings_of(const JsonBody& body, const std::vector<Settings::Entry>& entries)
{
    std::map<std::string, SettingValue> values;
    for (const auto& [key, current] : entries) {
        const std::string name{key->name};
        if (!body.has(name)) continue;
        const auto& value = body.raw().at(name);
        if (value.is_bool()) {
            values.emplace(name, value.get_bool());
        } else if (value.is_int64()) {
            values.emplace(name, value.get_int64());
        } else {
            TRY(auto text, body.text(name));
            values.emplace(name, std::move(text));
        }
    }
    return values;
}

json::object as_json(const std::vector<Settings::Entry>& entries, const std::map<std::string, SettingValue>& chosen)
{
    json::object shown;
    for (const auto& [key, value] : entries) {
        if (chosen.contains(std::string{key->name})) shown[key->name] = json_of(value);
    }
    return shown;
}

}  // namespace

void ConfigurationsApi::add_to(ApiRouter& router)
{
    router.get("configurations", [this](ApiCall call) { return read(std::move(call)); });
    router.put("configurations", [this](ApiCall call) { return update(std::move(call)); });
}

Task<Response> ConfigurationsApi::read(ApiCall call)
{
    CO_TRY(const auto entries, co_await settings_.list(call.caller));
    json::object shown;
    for (const auto& [key, value] : entries) {
        shown[key->name] = json::object{{"value", json_of(value)}, {"editable", key->editable}};
    }
    co_return json_response(shown);
}

Task<Response> ConfigurationsApi::update(ApiCall call)
{
    call.audit->resource_type = "configuration";
    CO_TRY(const auto before, co_await settings_.list(call.caller));
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(const auto wanted, settings_of(body, before));
    CO_CHECK(co_await settings_.change(call.caller, wanted));
    CO_TRY(const auto after, co_await settings_.list(call.caller));
    call.audit->before = json::serialize(as_json(before, wanted));
    call.audit->after = json::serialize(as_json(after, wanted));
    co_return Response{};
}

}  // namespace entrepot
