#pragma once

#include <string_view>

namespace entrepot {

// Files that are part of the program (cmake/documentation.cmake), there from start to end.
std::string_view openapi_yaml() noexcept;  // docs/api/openapi.yaml
std::string_view openapi_json() noexcept;  // the same, converted by the build
std::string_view docs_page() noexcept;     // page.html

}  // namespace entrepot
