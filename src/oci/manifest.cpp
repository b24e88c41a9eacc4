#include "oci/manifest.hpp"

#include "core/ascii.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <set>

namespace entrepot {
namespace {

namespace json = boost::json;

std::unexpected<Error> invalid(std::string message)
{
    return fail(Errc::manifest_invalid, std::move(message));
}

// The text under `key`; empty when it is absent, manifest_invalid when it is no text.
Result<std::string> text_field(const json::object& object, std::string_view key)
{
    const auto* value = object.if_contains(key);
    if (value == nullptr || value->is_null()) return std::string{};
    if (!value->is_string()) return invalid("\"" + std::string{key} + "\" is not a string");
    return std::string{value->get_string()};
}

Result<Annotations> annotations_field(const json::object& object)
{
    Annotations annotations;
    const auto* value = object.if_contains("annotations");
    if (value == nullptr || value->is_null()) return annotations;
    if (!value->is_object()) return invalid("\"annotations\" is not an object");
    for (const auto& [key, text] : value->get_object()) {
        if (!text.is_string()) return invalid("an annotation is not a string");
        annotations.emplace(key, text.get_string());
    }
    return annotations;
}

bool is_non_distributable(std::string_view media_type)
{
    return media_type.find(".layer.nondistributable.") != std::string_view::npos ||
           media_type == "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
}

Result<Descriptor> descriptor_of(const json::value& value, std::string_view what)
{
    if (!value.is_object()) return invalid("\"" + std::string{what} + "\" is not a descriptor");
    const auto& object = value.get_object();
    TRY(auto media_type, text_field(object, "mediaType"));
    TRY(const auto digest_text, text_field(object, "digest"));
    auto digest = Digest::parse(digest_text);
    if (!digest) return invalid("a descriptor in \"" + std::string{what} + "\" has no valid digest");
    const auto* size = object.if_contains("size");
    if (size == nullptr || !size->is_number()) {
        return invalid("a descriptor in \"" + std::string{what} + "\" has no size");
    }
    boost::system::error_code error;
    const auto bytes = size->to_number<std::uint64_t>(error);
    if (error || bytes > static_cast<std::uint64_t>(INT64_MAX)) {
        return invalid("a descriptor in \"" + std::string{what} + "\" has an impossible size");
    }
    const auto* urls = object.if_contains("urls");
    const bool elsewhere = urls != nullptr && urls->is_array() && !urls->get_array().empty();
    const bool foreign = elsewhere || is_non_distributable(media_type);
    return Descriptor{
        .media_type = std::move(media_type), .digest = *std::move(digest), .size = bytes, .foreign = foreign
    };
}

Result<std::vector<Descriptor>> descriptors_field(const json::object& object, std::string_view key)
{
    std::vector<Descriptor> descriptors;
    const auto* value = object.if_contains(key);
    if (value == nullptr || value->is_null()) return descriptors;
    if (!value->is_array()) return invalid("\"" + std::string{key} + "\" is not a list");
    for (const auto& entry : value->get_array()) {
        TRY(auto descriptor, descriptor_of(entry, key));
        descriptors.push_back(std::move(descriptor));
    }
    return descriptors;
}

Result<std::optional<Descriptor>> descriptor_field(const json::object& object, std::string_view key)
{
    const auto* value = object.if_contains(key);
    if (value == nullptr || value->is_null()) return std::optional<Descriptor>{};
    TRY(auto descriptor, descriptor_of(*value, key));
    return std::optional{std::move(descriptor)};
}

bool is_image(std::string_view media_type)
{
    return media_type == media::oci_manifest || media_type == media::docker_manifest;
}

// Some clients match keys without regard to case.
bool has_key(const json::object& object, std::string_view wanted)
{
    return std::ranges::any_of(object, [&](const json::key_value_pair& field) {
        return same_word(field.key(), wanted);
    });
}

// A document that says it is one kind and looks like the other can be read differently by two clients.
Result<> refuse_ambiguity(const json::object& object, std::string_view media_type)
{
    if (is_image(media_type) && has_key(object, "manifests")) {
        return invalid("an image manifest must not have \"manifests\"");
    }
    if (media::is_index(media_type) && (has_key(object, "layers") || has_key(object, "config"))) {
        return invalid("an index must have neither \"config\" nor \"layers\"");
    }
    return {};
}

Result<json::object> object_of(std::string_view bytes)
{
    boost::system::error_code error;
    json::parse_options options;
    options.max_depth = 32;
    auto value = json::parse(bytes, error, {}, options);
    if (error) return invalid("the manifest is not valid JSON");
    if (!value.is_object()) return invalid("the manifest is not a JSON object");
    return std::move(value.get_object());
}

Result<> read_image(Manifest& manifest, const json::object& object)
{
    TRY(manifest.config, descriptor_field(object, "config"));
    if (!manifest.config) return invalid("the manifest has no \"config\"");
    TRY(manifest.layers, descriptors_field(object, "layers"));
    if (manifest.artifact_type.empty()) manifest.artifact_type = manifest.config->media_type;
    return {};
}

Result<> read_index(Manifest& manifest, const json::object& object)
{
    if (!object.contains("manifests")) return invalid("the index has no \"manifests\"");
    TRY(manifest.children, descriptors_field(object, "manifests"));
    return {};
}

Result<> check_version(const json::object& object)
{
    const auto* version = object.if_contains("schemaVersion");
    const bool is_two = version != nullptr && version->is_int64() && version->get_int64() == 2;
    if (!is_two) return invalid("\"schemaVersion\" is not 2");
    return {};
}

}  // namespace

bool Manifest::is_understood(std::string_view media_type)
{
    return is_image(media_type) || media::is_index(media_type);
}

Result<Manifest> Manifest::parse(std::string_view media_type, std::string_view bytes)
{
    Manifest manifest;
    manifest.media_type = media_type;
    if (!is_understood(media_type)) return manifest;

    TRY(const auto object, object_of(bytes));
    CHECK(check_version(object));
    TRY(const auto own_type, text_field(object, "mediaType"));
    if (!own_type.empty() && own_type != media_type) {
        return invalid(
            "the manifest calls itself " + own_type.substr(0, 128) + " but was pushed as another media type"
        );
    }
    CHECK(refuse_ambiguity(object, media_type));
    TRY(manifest.artifact_type, text_field(object, "artifactType"));
    TRY(manifest.subject, descriptor_field(object, "subject"));
    TRY(manifest.annotations, annotations_field(object));
    if (is_image(media_type)) {
        CHECK(read_image(manifest, object));
    } else {
        CHECK(read_index(manifest, object));
    }
    return manifest;
}

std::vector<Descriptor> Manifest::required_blobs() const
{
    std::vector<Descriptor> required;
    std::set<Digest> seen;
    const auto add = [&](const Descriptor& descriptor) {
        if (!descriptor.foreign && seen.insert(descriptor.digest).second) required.push_back(descriptor);
    };
    if (config) add(*config);
    for (const auto& layer : layers) add(layer);
    return required;
}

std::string media_type_within(std::string_view bytes)
{
    const auto object = object_of(bytes);
    if (!object) return {};
    return text_field(*object, "mediaType").value_or(std::string{});
}

}  // namespace entrepot
