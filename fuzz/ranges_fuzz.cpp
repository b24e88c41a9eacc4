// Range and Content-Range, and the paths of the distribution API: whatever is accepted lies inside the body.
#include "api/oci/byte_range.hpp"
#include "api/oci/route.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entrepot;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    for (const std::uint64_t body : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1000}, UINT64_MAX / 2}) {
        const auto range = parse_range(text, body);
        if (!range || !*range) continue;
        const auto [offset, length] = **range;
        if (length == 0 || offset >= body || length > body - offset) std::abort();
    }
    if (const auto chunk = parse_chunk_range(text); chunk && chunk->first > chunk->last) std::abort();
    // What a route calls a name lies inside the path; whether it is one is for RepositoryName to say.
    if (const auto route = match_oci_route(text)) {
        const bool inside = text.find(route->name) != std::string_view::npos;
        const auto name = RepositoryName::parse(route->name);
        if (!inside || (name && name->text() != route->name)) std::abort();
    }
    return 0;
}
