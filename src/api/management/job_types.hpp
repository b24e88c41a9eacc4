#pragma once

#include <string>
#include <string_view>

namespace entrepot {

// Kinds of jobs in Harbor's words ("GARBAGE_COLLECTION") and in ours ("gc"). Where Harbor has none ours are written in
// capitals.
std::string job_type_of(std::string_view kind);
std::string job_kind_of(std::string_view job_type);

}  // namespace entrepot
