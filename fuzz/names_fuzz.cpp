// Reference and digest grammar: what parses prints as it came, and holds nothing that a path could be confused by.
#include "oci/names.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entrepot;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    if (const auto name = RepositoryName::parse(text)) {
        const bool plain =
            name->text() == text && text.find("..") == text.npos && text.find("//") == text.npos && text.front() != '/';
        if (!plain || !RepositoryName::parse(name->project())) std::abort();
    }
    if (const auto reference = Reference::parse(text); reference && reference->text() != text) std::abort();
    if (const auto digest = Digest::parse(text); digest && digest->hex().find('/') != std::string_view::npos)
        std::abort();
    return 0;
}
