#include "drivers/sql/replication_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

namespace entrepot {

namespace json = boost::json;

namespace {

json::array array_of(const std::vector<std::string>& words)
{
    json::array list;
    for (const auto& word : words) list.emplace_back(word);
    return list;
}

}  // namespace

std::string filters_text(const std::vector<ReplicationFilter>& filters)
{
    json::array list;
    for (const auto& filter : filters) {
        list.push_back(json::object{
            {"type", filter.type},
            {"values", array_of(filter.values)},
            {"excludes", filter.excludes},
        });
    }
    return json::serialize(list);
}

Result<std::vector<ReplicationFilter>> filters_in(const std::string& text)
{
    std::vector<ReplicationFilter> filters;
    try {
        for (const auto& entry : json::parse(text).as_array()) {
            const auto& object = entry.as_object();
            filters.push_back({
                .type = json::value_to<std::string>(object.at("type")),
                .values = json::value_to<std::vector<std::string>>(object.at("values")),
                .excludes = object.at("excludes").as_bool(),
            });
        }
    } catch (const std::exception& thrown) {
        return fail(Errc::corrupt, "the filters of a replication policy can't be read", thrown.what());
    }
    return filters;
}

std::string list_text(const std::vector<std::string>& words)
{
    return json::serialize(array_of(words));
}

Result<std::vector<std::string>> list_in(const std::string& text)
{
    try {
        return json::value_to<std::vector<std::string>>(json::parse(text));
    } catch (const std::exception& thrown) {
        return fail(Errc::corrupt, "a list of a replication policy can't be read", thrown.what());
    }
}

}  // namespace entrepot
