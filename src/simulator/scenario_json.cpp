#include "simulator/scenario_file.hpp"

#include <boost/json/object.hpp>

#include <utility>

namespace entrepot {
namespace {

namespace json = boost::json;

// Puts `value` at a dotted key, with the objects on the way.
void put(json::object& object, std::string_view key, json::value value)
{
    const auto dot = key.find('.');
    if (dot == std::string_view::npos) {
        object[key] = std::move(value);
        return;
    }
    auto& inner = object[key.substr(0, dot)];
    if (!inner.is_object()) inner.emplace_object();
    put(inner.as_object(), key.substr(dot + 1), std::move(value));
}

}  // namespace

json::object scenario_json(const Scenario& scenario)
{
    json::object object;
    for (const auto& key : scenario_keys()) {
        if (auto value = key.show(scenario); !value.is_null()) put(object, key.name, std::move(value));
    }
    return object;
}

}  // namespace entrepot
