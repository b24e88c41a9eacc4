#include "api/documentation/embedded_files.hpp"

#include <cstddef>

// The assembler puts the bytes between two symbols; the paths are absolute and come from the build.
#define EMBED(symbol, path)                                 \
    __asm__(".section .rodata\n"                            \
            ".global " symbol "_begin\n" symbol "_begin:\n" \
            ".incbin \"" path "\"\n"                        \
            ".global " symbol "_end\n" symbol "_end:\n"     \
            ".byte 0\n"                                     \
            ".previous\n")

EMBED("entrepot_openapi_yaml", OPENAPI_YAML);
EMBED("entrepot_openapi_json", OPENAPI_JSON);
EMBED("entrepot_docs_page", DOCS_PAGE);

extern "C" {
extern const char entrepot_openapi_yaml_begin[];
extern const char entrepot_openapi_yaml_end[];
extern const char entrepot_openapi_json_begin[];
extern const char entrepot_openapi_json_end[];
extern const char entrepot_docs_page_begin[];
extern const char entrepot_docs_page_end[];
}

namespace entrepot {
namespace {

std::string_view between(const char* begin, const char* end) noexcept
{
    return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace

std::string_view openapi_yaml() noexcept
{
    return between(entrepot_openapi_yaml_begin, entrepot_openapi_yaml_end);
}

std::string_view openapi_json() noexcept
{
    return between(entrepot_openapi_json_begin, entrepot_openapi_json_end);
}

std::string_view docs_page() noexcept
{
    return between(entrepot_docs_page_begin, entrepot_docs_page_end);
}

}  // namespace entrepot
