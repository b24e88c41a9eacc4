#include "drivers/sql/annotations_text.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace entrepot {

std::string annotations_to_text(const Annotations& annotations)
{
    if (annotations.empty()) return "{}";
    boost::json::object object;
    for (const auto& [key, value] : annotations) object[key] = value;
    return boost::json::serialize(object);
}

Annotations annotations_from_text(std::string_view text)
{
    Annotations annotations;
    boost::system::error_code error;
    const boost::json::value value = boost::json::parse(text, error);
    if (error || !value.is_object()) return annotations;
    for (const auto& [key, field] : value.get_object()) {
        if (field.is_string()) annotations.emplace(key, std::string_view{field.get_string()});
    }
    return annotations;
}

}  // namespace entrepot
