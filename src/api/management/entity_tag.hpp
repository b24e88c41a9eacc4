#pragma once

#include "http/message.hpp"

#include <string>
#include <string_view>

namespace entrepot {

// The strong entity tag of an answer's body with its quotes (RFC 9110 section 8.8.3); empty where it is not in memory.
std::string entity_tag(const Response& response);

// Whether an If-None-Match (weak comparison) or If-Match (strong) list names the tag. "*" names every one.
bool names_tag_weakly(std::string_view list, std::string_view tag);
bool names_tag_strongly(std::string_view list, std::string_view tag);

// A page of a list carries X-Total-Count, and no tag: it is no single object.
bool is_single_object(const Response& response);

}  // namespace entrepot
