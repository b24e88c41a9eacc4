#include "drivers/sql/name_list_text.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>

namespace entrepot {

namespace json = boost::json;

std::string name_list_text(const std::vector<std::string>& names)
{
    return names.empty() ? std::string{} : json::serialize(json::value_from(names));
}

Result<std::vector<std::string>> parse_name_list(std::string_view text)
{
    if (text.empty()) return std::vector<std::string>{};
    try {
        return json::value_to<std::vector<std::string>>(json::parse(text));
    } catch (const std::exception& thrown) {
        return fail(Errc::corrupt, "a list of names can't be read", thrown.what());
    }
}

}  // namespace entrepot
