#include "drivers/sql/source_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>

namespace entrepot {

namespace json = boost::json;

std::string sources_text(const std::vector<ProjectSource>& sources)
{
    if (sources.empty()) return {};
    json::array list;
    for (const auto& source : sources) {
        list.push_back(json::object{
            {"project_id", source.project_id},
            {"repositories", json::value_from(source.repositories)},
            {"except", json::value_from(source.except)},
            {"optional", source.optional},
        });
    }
    return json::serialize(list);
}

Result<std::vector<ProjectSource>> sources_in(const std::string& text)
{
    std::vector<ProjectSource> sources;
    if (text.empty()) return sources;
    try {
        for (const auto& entry : json::parse(text).as_array()) {
            const auto& object = entry.as_object();
            sources.push_back({
                .project_id = object.at("project_id").to_number<std::int64_t>(),
                .repositories = json::value_to<std::vector<std::string>>(object.at("repositories")),
                .except = json::value_to<std::vector<std::string>>(object.at("except")),
                .optional = object.at("optional").as_bool(),
            });
        }
    } catch (const std::exception& thrown) {
        return fail(Errc::corrupt, "the sources of a project can't be read", thrown.what());
    }
    return sources;
}

}  // namespace entrepot
