#include "drivers/upstream/referrer_index.hpp"

#include "oci/json_fields.hpp"

#include <algorithm>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

json::object descriptor_of(const Referrer& referrer)
{
    json::object entry;
    entry["mediaType"] = referrer.media_type;
    entry["digest"] = referrer.digest.text();
    entry["size"] = referrer.size;
    if (!referrer.artifact_type.empty()) entry["artifactType"] = referrer.artifact_type;
    if (!referrer.annotations.empty()) {
        json::object annotations;
        for (const auto& [key, value] : referrer.annotations) annotations[key] = value;
        entry["annotations"] = std::move(annotations);
    }
    return entry;
}

}  // namespace

std::string referrers_tag(const Digest& subject)
{
    return std::string{name_of(subject.algorithm())} + "-" + std::string{subject.hex().substr(0, 64)};
}

std::vector<Referrer> referrers_in(std::string_view index)
{
    std::vector<Referrer> found;
    const auto object = parse_object(index);
    const auto* entries = object ? find_array(*object, "manifests") : nullptr;
    if (entries == nullptr) return found;
    for (const auto& entry : *entries) {
        const auto* each = entry.if_object();
        if (each == nullptr) continue;
        auto digest = Digest::parse(find_text(*each, "digest"));
        const auto* size = each->if_contains("size");
        if (!digest || size == nullptr || !size->is_int64() || size->get_int64() < 0) continue;
        Referrer referrer{
            *std::move(digest),
            std::string{find_text(*each, "mediaType")},
            static_cast<std::uint64_t>(size->get_int64()),
            std::string{find_text(*each, "artifactType")},
            {},
        };
        if (const auto* annotations = find_object(*each, "annotations")) {
            for (const auto& [key, value] : *annotations) {
                if (value.is_string()) referrer.annotations.emplace(key, value.get_string());
            }
        }
        found.push_back(std::move(referrer));
    }
    return found;
}

std::optional<std::string>
index_with_referrer(const std::vector<Referrer>& listed, const CopiedManifest& added, const Manifest& parsed)
{
    if (std::ranges::find(listed, added.digest, &Referrer::digest) != listed.end()) return std::nullopt;
    json::array entries;
    for (const auto& each : listed) entries.emplace_back(descriptor_of(each));
    entries.emplace_back(
        descriptor_of({added.digest, added.media_type, added.bytes.size(), parsed.artifact_type, parsed.annotations})
    );
    json::object index;
    index["schemaVersion"] = 2;
    index["mediaType"] = media::oci_index;
    index["manifests"] = std::move(entries);
    return json::serialize(index);
}

}  // namespace entrepot
