# The OpenAPI file, its JSON form and the page that shows it, put into the binary by
# src/api/documentation/embedded_files.cpp.
set(OPENAPI_YAML ${CMAKE_SOURCE_DIR}/docs/api/openapi.yaml)
set(OPENAPI_JSON ${CMAKE_BINARY_DIR}/openapi.json)
set(DOCS_PAGE ${CMAKE_SOURCE_DIR}/src/api/documentation/page.html)

add_executable(yaml_to_json cmake/yaml_to_json.cpp)
target_link_libraries(yaml_to_json PRIVATE yaml-cpp Boost::json)
add_custom_command(OUTPUT ${OPENAPI_JSON} COMMAND yaml_to_json ${OPENAPI_YAML} ${OPENAPI_JSON}
  DEPENDS ${OPENAPI_YAML} yaml_to_json VERBATIM)

set_source_files_properties(src/api/documentation/embedded_files.cpp PROPERTIES
  OBJECT_DEPENDS "${OPENAPI_YAML};${OPENAPI_JSON};${DOCS_PAGE}"
  COMPILE_DEFINITIONS "OPENAPI_YAML=\"${OPENAPI_YAML}\";OPENAPI_JSON=\"${OPENAPI_JSON}\";DOCS_PAGE=\"${DOCS_PAGE}\"")
