#include "oci/artifact_view.hpp"

#include "core/ascii.hpp"
#include "oci/json_fields.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr std::string_view skip_list = "io.goharbor.artifact.v1alpha1.skip-list";
constexpr std::string_view icon_mark = "io.goharbor.artifact.v1alpha1.icon";
constexpr std::string_view lasting_label = "quay.expires-after";
constexpr std::string_view acceleration_driver = "io.goharbor.artifact.v1alpha1.acceleration.driver.name";
constexpr std::string_view acceleration_source = "io.goharbor.artifact.v1alpha1.acceleration.source.digest";

constexpr std::string_view cosign_layer = "application/vnd.dev.cosign.simplesigning.v1+json";
constexpr std::string_view harbor_sbom = "application/vnd.goharbor.harbor.sbom.v1";

struct Named {
    std::string_view media_type;
    std::string_view name;
};

constexpr std::array kinds_by_type{
    Named{"application/vnd.oci.image.config.v1+json", "IMAGE"},
    Named{"application/vnd.docker.container.image.v1+json", "IMAGE"},
    Named{"application/vnd.cncf.helm.config.v1+json", "CHART"},
    Named{"application/vnd.cnab.manifest.v1", "CNAB"},
    Named{"application/vnd.cnab.config.v1+json", "CNAB"},
    Named{"application/vnd.wasm.config.v1+json", "WASM"},
    Named{"application/vnd.wasm.config.v0+json", "WASM"},
    Named{"application/vnd.cncf.model.config.v1+json", "CNAI"},
    Named{"application/vnd.cncf.model.manifest.v1+json", "CNAI"},
    Named{harbor_sbom, "SBOM"},
    Named{"application/spdx+json", "SBOM"},
    Named{"text/spdx", "SBOM"},
    Named{"application/vnd.cyclonedx+json", "SBOM"},
    Named{"application/vnd.cyclonedx+xml", "SBOM"},
    Named{"application/vnd.cncf.notary.signature", "SIGNATURE"},
    Named{"application/vnd.dev.cosign.artifact.sig.v1+json", "SIGNATURE"},
    Named{cosign_layer, "SIGNATURE"},
    Named{"application/vnd.dev.sigstore.bundle.v0.3+json", "SIGNATURE"},
};

constexpr std::array accessories_by_type{
    Named{"application/vnd.cncf.notary.signature", "signature.notation"},
    Named{"application/vnd.dev.cosign.artifact.sig.v1+json", "signature.cosign"},
    Named{"application/vnd.dev.sigstore.bundle.v0.3+json", "signature.cosign"},
    Named{harbor_sbom, "sbom.harbor"},
};

template <std::size_t count>
std::string_view look_up(const std::array<Named, count>& table, std::string_view media_type) noexcept
{
    const auto found = std::ranges::find(table, media_type, &Named::media_type);
    return found == table.end() ? std::string_view{} : found->name;
}

std::string_view annotation(const Manifest& manifest, std::string_view key)
{
    const auto found = manifest.annotations.find(std::string{key});
    return found == manifest.annotations.end() ? std::string_view{} : std::string_view{found->second};
}

// application/vnd.<vendor>.<type>.config[.<version>…] → <TYPE>
std::string type_within(std::string_view media_type)
{
    constexpr std::string_view prefix = "application/vnd.";
    if (!media_type.starts_with(prefix)) return {};
    media_type.remove_prefix(prefix.size());
    const auto vendor = media_type.find('.');
    if (vendor == std::string_view::npos) return {};
    media_type.remove_prefix(vendor + 1);
    auto end = media_type.rfind(".config.");
    if (end == std::string_view::npos && media_type.ends_with(".config")) end = media_type.size() - 7;
    if (end == std::string_view::npos || end == 0) return {};
    std::string type{media_type.substr(0, end)};
    for (char& c : type) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return type;
}

bool runs_as_wasm(const Manifest& manifest)
{
    return annotation(manifest, "module.wasm.image/variant").starts_with("compat") ||
           annotation(manifest, "run.oci.handler") == "wasm";
}

std::string type_of(const Manifest& manifest)
{
    if (media::is_index(manifest.media_type)) {
        const bool bundle =
            annotation(manifest, "org.opencontainers.artifactType") == "application/vnd.cnab.manifest.v1";
        const auto own = look_up(kinds_by_type, manifest.artifact_type);
        return std::string{bundle ? "CNAB" : own.empty() ? std::string_view{"IMAGE"} : own};
    }
    if (!manifest.config) return "UNKNOWN";
    if (runs_as_wasm(manifest)) return "WASM";
    const auto& config = manifest.config->media_type;
    const bool cosign_layers =
        !manifest.layers.empty() &&
        std::ranges::all_of(manifest.layers, [](const Descriptor& layer) { return layer.media_type == cosign_layer; });
    if (cosign_layers) return "SIGNATURE";
    if (const auto own = look_up(kinds_by_type, manifest.artifact_type); !own.empty()) return std::string{own};
    if (const auto known = look_up(kinds_by_type, config); !known.empty()) return std::string{known};
    auto type = type_within(config);
    if (type.empty()) type = type_within(manifest.artifact_type);
    return type.empty() ? "UNKNOWN" : type;
}

std::string accessory_type_of(const Manifest& manifest, std::string_view type)
{
    for (const auto& text : {manifest.artifact_type, manifest.config ? manifest.config->media_type : std::string{}}) {
        if (const auto known = look_up(accessories_by_type, text); !known.empty()) return std::string{known};
    }
    if (type == "SIGNATURE") return "signature.cosign";
    if (type == "SBOM") return "sbom";
    return "subject.accessory";
}

// Leaves the largest fields out, so that the rest may be kept in a row that lists read.
std::string bounded(json::object object)
{
    auto text = json::serialize(object);
    if (text.size() <= ArtifactView::largest_text) return text;
    std::vector<std::pair<std::size_t, std::string>> weights;
    for (const auto& field : object) {
        // Quotes, colon, comma, and a key whose every byte may need an escape.
        weights.emplace_back(field.key().size() * 6 + json::serialize(field.value()).size() + 4, field.key());
    }
    std::ranges::sort(weights);
    std::size_t sum = 2;
    for (const auto& [weight, key] : weights) {
        sum += weight;
        if (sum > ArtifactView::largest_text) object.erase(key);
    }
    return json::serialize(object);
}

// An image's labels are what grows; the rest of its config is worth more to whoever looks.
void shorten_config(json::object& image)
{
    auto* config = image.if_contains("config");
    if (config == nullptr || !config->is_object()) return;
    if (json::serialize(*config).size() <= ArtifactView::largest_text / 2) return;
    for (const auto* field : {"Labels", "OnBuild", "Env", "Cmd", "Entrypoint"}) {
        config->get_object().erase(field);
        if (json::serialize(*config).size() <= ArtifactView::largest_text / 2) return;
    }
}

json::object image_fields(const json::object& config)
{
    json::object shown;
    for (const auto* field : {"architecture", "author", "config", "created", "os", "os.version", "variant"}) {
        if (const auto* value = config.if_contains(field); value != nullptr && !value->is_null()) shown[field] = *value;
    }
    shorten_config(shown);
    return shown;
}

// Fields of the config that its author does not want to be shown.
void skip_fields(json::object& shown, const json::object& document)
{
    const auto* config = find_object(document, "config");
    const auto* notes = config != nullptr ? find_object(*config, "annotations") : nullptr;
    if (notes == nullptr) return;
    for (auto rest = find_text(*notes, skip_list); !rest.empty();) {
        const auto end = rest.find(',');
        shown.erase(rest.substr(0, end));
        rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    }
}

std::string icon_within(const json::object& document)
{
    const auto* layers = find_array(document, "layers");
    if (layers == nullptr) return {};
    for (const auto& entry : *layers) {
        const auto* layer = entry.if_object();
        const auto* notes = layer != nullptr ? find_object(*layer, "annotations") : nullptr;
        if (notes == nullptr || !notes->contains(icon_mark)) continue;
        const auto type = find_text(*layer, "mediaType");
        const bool picture = type == "image/png" || type == "image/jpeg" || type == "image/gif";
        const auto digest = Digest::parse(find_text(*layer, "digest"));
        return picture && digest ? digest->text() : std::string{};
    }
    return {};
}

std::string child_text(const json::object& entry)
{
    json::object shown;
    if (const auto* platform = find_object(entry, "platform")) {
        json::object fields;
        for (const auto* field : {"architecture", "os", "os.version", "variant"}) {
            if (const auto value = find_text(*platform, field); !value.empty()) fields[field] = value;
        }
        if (const auto* features = find_array(*platform, "os.features")) fields["os.features"] = *features;
        shown["platform"] = std::move(fields);
    }
    if (const auto* notes = find_object(entry, "annotations"); notes != nullptr && !notes->empty()) {
        shown["annotations"] = *notes;
    }
    if (const auto* urls = find_array(entry, "urls"); urls != nullptr && !urls->empty()) shown["urls"] = *urls;
    const auto text = json::serialize(shown);
    return text.substr(1, text.size() - 2);
}

std::string annotations_of(const Manifest& manifest)
{
    if (manifest.annotations.empty()) return "{}";
    json::object object;
    for (const auto& [key, value] : manifest.annotations) object[key] = value;
    return bounded(std::move(object));
}

std::uint64_t size_of(const Manifest& manifest, std::string_view bytes)
{
    // Descriptors of layers that lie elsewhere may say anything; sums of these sums must not overflow.
    constexpr auto most = std::uint64_t{1} << 53U;
    std::uint64_t size = bytes.size();
    const auto add = [&](const Descriptor& descriptor) { size += std::min(descriptor.size, most - size); };
    if (manifest.config) add(*manifest.config);
    for (const auto& layer : manifest.layers) add(layer);
    return size;
}

void read_relation(ArtifactView& view, const Manifest& manifest)
{
    if (annotation(manifest, acceleration_driver) == "nydus") {
        if (auto source = Digest::parse(annotation(manifest, acceleration_source))) {
            view.subject = *std::move(source);
            view.accessory_type = "accelerator.nydus";
            return;
        }
    }
    if (!manifest.subject) return;
    view.subject = manifest.subject->digest;
    view.accessory_type = accessory_type_of(manifest, view.type);
}

// An annotation of the manifest, or a label of the image.
void read_lasting(ArtifactView& view, std::string_view text)
{
    if (text.empty() || view.lasts != 0) return;
    view.lasts = lasting_of(text).value_or(0);
}

void read_config(ArtifactView& view, std::string_view bytes, std::string_view config)
{
    auto fields = parse_object(config);
    if (!fields) return;
    if (const auto* inner = find_object(*fields, "config")) {
        if (const auto* labels = find_object(*inner, "Labels")) read_lasting(view, find_text(*labels, lasting_label));
    }
    if (view.type == "IMAGE") {
        view.extra = bounded(image_fields(*fields));
        return;
    }
    if (bytes.contains(skip_list)) {
        if (const auto document = parse_object(bytes)) skip_fields(*fields, *document);
    }
    view.extra = bounded(*std::move(fields));
}

}  // namespace

std::optional<Micros> lasting_of(std::string_view text)
{
    constexpr Micros second = 1'000'000;
    constexpr Micros longest = Micros{3653} * 24 * 3600 * second;
    constexpr std::string_view units = "smhdw";
    constexpr std::array<Micros, 5> lengths{second, 60 * second, 3600 * second, 86'400 * second, 604'800 * second};
    const auto unit = text.empty() ? std::string_view::npos : units.find(text.back());
    if (unit == std::string_view::npos) return std::nullopt;
    const auto number = parse_decimal(text.substr(0, text.size() - 1));
    if (!number || *number == 0 || *number > static_cast<std::uint64_t>(longest / lengths[unit])) return std::nullopt;
    return static_cast<Micros>(*number) * lengths[unit];
}

bool wants_config(const Manifest& manifest) noexcept
{
    if (!manifest.config || manifest.config->foreign) return false;
    const auto& config = *manifest.config;
    return config.size > 2 && config.size <= ArtifactView::largest_config;
}

ArtifactView view_of(const Manifest& manifest, std::string_view bytes, std::optional<std::string_view> config)
{
    ArtifactView view;
    view.type = type_of(manifest);
    view.annotations = annotations_of(manifest);
    view.size = size_of(manifest, bytes);
    read_relation(view, manifest);
    read_lasting(view, annotation(manifest, lasting_label));
    if (media::is_index(manifest.media_type)) {
        view.children = children_of(bytes);
        std::size_t text = 0;
        for (const auto& child : view.children) text += child.text.size();
        const bool too_many = view.children.size() > ArtifactView::most_children;
        if (too_many || text > ArtifactView::most_children_text) view.children.clear();
        return view;
    }
    if (!manifest.config) return view;
    view.config_media_type = manifest.config->media_type;
    if (config) read_config(view, bytes, *config);
    if (bytes.contains(icon_mark)) {
        if (const auto document = parse_object(bytes)) view.icon = icon_within(*document);
    }
    return view;
}

std::vector<ArtifactView::Child> children_of(std::string_view index_bytes)
{
    std::vector<ArtifactView::Child> children;
    const auto document = parse_object(index_bytes);
    const auto* entries = document ? find_array(*document, "manifests") : nullptr;
    if (entries == nullptr) return children;
    for (const auto& value : *entries) {
        const auto* entry = value.if_object();
        auto digest = Digest::parse(entry != nullptr ? find_text(*entry, "digest") : std::string_view{});
        if (!digest) return {};
        children.push_back({*std::move(digest), child_text(*entry)});
    }
    return children;
}

std::optional<AccessoryTag> accessory_of(const Tag& tag)
{
    constexpr std::string_view prefix = "sha256-";
    constexpr std::array endings{
        Named{".sig", "signature.cosign"}, Named{".att", "subject.accessory"}, Named{".sbom", "sbom"}
    };
    std::string_view text = tag.text();
    if (!text.starts_with(prefix)) return std::nullopt;
    for (const auto& ending : endings) {
        if (!text.ends_with(ending.media_type)) continue;
        const auto hex = text.substr(prefix.size(), text.size() - prefix.size() - ending.media_type.size());
        auto digest = Digest::parse("sha256:" + std::string{hex});
        if (!digest) return std::nullopt;
        return AccessoryTag{*std::move(digest), ending.name};
    }
    return std::nullopt;
}

}  // namespace entrepot
