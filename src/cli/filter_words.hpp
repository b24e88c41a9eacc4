#pragma once

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace entrepot {

// A replication policy's filter as people write it, a pattern or "not:PATTERN", and as the API takes it.
boost::json::object filter_in_words(std::string_view type, std::string_view words);
std::string words_of_filter(const boost::json::object& filter);

}  // namespace entrepot
