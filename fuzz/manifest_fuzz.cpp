// Manifests of every known kind from arbitrary bytes.
#include "oci/manifest.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entrepot;
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    for (const auto type : {media::oci_manifest, media::oci_index, media::docker_manifest, media::docker_list}) {
        const auto manifest = Manifest::parse(type, bytes);
        if (!manifest && manifest.error().code() != Errc::manifest_invalid) std::abort();
        if (manifest && manifest->required_blobs().size() > manifest->layers.size() + 1) std::abort();
    }
    (void)media_type_within(bytes);
    return 0;
}
