#include "oci/json_fields.hpp"

#include <boost/json/parse.hpp>

namespace entrepot {

namespace json = boost::json;

const json::object* find_object(const json::object& object, std::string_view key) noexcept
{
    const auto* value = object.if_contains(key);
    return value != nullptr ? value->if_object() : nullptr;
}

const json::array* find_array(const json::object& object, std::string_view key) noexcept
{
    const auto* value = object.if_contains(key);
    return value != nullptr ? value->if_array() : nullptr;
}

std::string_view find_text(const json::object& object, std::string_view key) noexcept
{
    const auto* value = object.if_contains(key);
    if (value == nullptr || !value->is_string()) return {};
    return value->get_string();
}

std::int64_t find_integer(const json::object& object, std::string_view key) noexcept
{
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

std::optional<json::object> parse_object(std::string_view text)
{
    boost::system::error_code error;
    auto value = json::parse(text, error);
    if (error || !value.is_object()) return std::nullopt;
    return std::move(value.get_object());
}

}  // namespace entrepot
