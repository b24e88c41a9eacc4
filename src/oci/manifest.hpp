#pragma once

#include "core/error.hpp"
#include "oci/digest.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

namespace media {
inline constexpr std::string_view oci_manifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view oci_index = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view docker_manifest = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view docker_list = "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view octets = "application/octet-stream";

constexpr bool is_index(std::string_view type) noexcept
{
    return type == oci_index || type == docker_list;
}
}  // namespace media

// A content descriptor (OCI image-spec, descriptor.md), as far as a registry needs it.
struct Descriptor {
    std::string media_type;
    Digest digest;
    std::uint64_t size = 0;
    bool foreign = false;  // has urls, or a non-distributable media type: its bytes need not be here
};

using Annotations = std::map<std::string, std::string>;

// What a pushed manifest says, read from its bytes and never written back: the bytes stay as they came. Knows OCI
// manifests and indexes, Docker schema 2 and lists; any other media type is kept as opaque bytes that refer to nothing.
struct Manifest {
    // Bytes are refused (manifest_invalid) when they are not a JSON object, nest deeper than 32, carry a media type
    // that differs from the pushed one, or have descriptors that don't parse. An opaque type may hold any bytes.
    static Result<Manifest> parse(std::string_view media_type, std::string_view bytes);
    // Whether parse() reads documents of this type; others are opaque.
    static bool is_understood(std::string_view media_type);

    std::string media_type;
    std::string artifact_type;  // as the referrers answer shows it: own artifactType, else the config's media type
    std::optional<Descriptor> config;
    std::vector<Descriptor> layers;    // of an image manifest
    std::vector<Descriptor> children;  // manifests of an index
    std::optional<Descriptor> subject;
    Annotations annotations;

    // Config and layers whose bytes must be in the repository, each digest once.
    std::vector<Descriptor> required_blobs() const;
};

// What `bytes` call themselves by their "mediaType" field, for pushes without a Content-Type; empty when they don't.
std::string media_type_within(std::string_view bytes);

}  // namespace entrepot
