#pragma once

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace entrepot {

// A project's source as people write it, and as the API takes it: "hub", "hub=library/**,!library/own-*" (names that
// are looked for there and names that never are), "?hub" (which may be passed over while it can't answer).
boost::json::object source_in_words(std::string_view words);
std::string words_of_source(const boost::json::object& source);

}  // namespace entrepot
