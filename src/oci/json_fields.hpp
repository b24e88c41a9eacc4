#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace entrepot {

// Fields of JSON that others wrote, for readers that pass over what is absent or of another kind: null, empty text or
// 0. What they return lives as long as `object`.
const boost::json::object* find_object(const boost::json::object& object, std::string_view key) noexcept;
const boost::json::array* find_array(const boost::json::object& object, std::string_view key) noexcept;
std::string_view find_text(const boost::json::object& object, std::string_view key) noexcept;
std::int64_t find_integer(const boost::json::object& object, std::string_view key) noexcept;

// The object that `text` is; nullopt when it is none, or no JSON.
std::optional<boost::json::object> parse_object(std::string_view text);

}  // namespace entrepot
