#pragma once

#include "core/clock.hpp"
#include "oci/digest.hpp"
#include "oci/manifest.hpp"
#include "oci/names.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// What people see of an artifact in lists: its kind, what its config says, what it belongs to. Worked out once, when
// it is pushed, from its manifest and config. The kinds, the fields and the annotations of user-defined artifacts
// (io.goharbor.artifact.v1alpha1.*) are those of Harbor's API. Pure; whatever strangers put into the config, the
// answer is valid JSON of bounded size.
struct ArtifactView {
    static constexpr std::size_t largest_text = 16 * 1024;  // of `extra` and of `annotations`; what is over is left out
    static constexpr std::uint64_t largest_config = 1 << 20;
    // Beyond either, `children` stays empty: children_of() has them.
    static constexpr std::size_t most_children = 128;
    static constexpr std::size_t most_children_text = 2 * largest_text;

    // One entry of an index as the API shows it, without the ids: `text` holds its other fields, ready to be written
    // (`"platform":{…},"annotations":{…},"urls":[…]`), or nothing.
    struct Child {
        Digest digest;
        std::string text;
    };

    std::string type = "UNKNOWN";   // IMAGE, CHART, CNAB, WASM, CNAI, SBOM, SIGNATURE or what the config's type says
    std::string config_media_type;  // empty for an index
    std::string extra = "{}";       // a JSON object
    std::string annotations = "{}";
    std::string icon;            // digest of a layer that is its picture, or empty
    std::uint64_t size = 0;      // manifest, config and layers as the descriptors say
    std::string accessory_type;  // of an artifact that belongs to another one: signature.cosign …
    std::optional<Digest> subject;
    std::vector<Child> children;
    Micros lasts = 0;  // how long its tags are wanted, as its author says (quay.expires-after); 0: for ever
};

// "90m", "12h", "7d", "2w": up to ten years. nullopt for anything else.
std::optional<Micros> lasting_of(std::string_view text);

// `config`: the config's bytes, where they could be had. `bytes` are those that `manifest` was parsed from.
ArtifactView view_of(const Manifest& manifest, std::string_view bytes, std::optional<std::string_view> config);

// Whether the config's bytes would add anything to the view.
bool wants_config(const Manifest& manifest) noexcept;

// All entries of an index, however many.
std::vector<ArtifactView::Child> children_of(std::string_view index_bytes);

// What a tag of cosign's older scheme says (sha256-<hex>.sig, .att, .sbom); nullopt for other tags.
struct AccessoryTag {
    Digest subject;
    std::string_view type;
};
std::optional<AccessoryTag> accessory_of(const Tag& tag);

}  // namespace entrepot
