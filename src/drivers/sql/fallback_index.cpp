#include "drivers/sql/fallback_index.hpp"

#include "oci/json_fields.hpp"

#include <boost/json/value.hpp>

#include <optional>

namespace entrepot {

namespace {

namespace json = boost::json;

std::uint64_t size_of(const json::object& object)
{
    const json::value* field = object.if_contains("size");
    if (!field || !field->is_int64() || field->get_int64() < 0) return 0;
    return static_cast<std::uint64_t>(field->get_int64());
}

Annotations annotations_of(const json::object& object)
{
    Annotations annotations;
    const auto* found = find_object(object, "annotations");
    if (found == nullptr) return annotations;
    for (const auto& [key, value] : *found) {
        if (value.is_string()) annotations.emplace(key, std::string_view{value.get_string()});
    }
    return annotations;
}

std::optional<Referrer> referrer_of(const json::value& entry)
{
    if (!entry.is_object()) return std::nullopt;
    const json::object& object = entry.get_object();
    auto digest = Digest::parse(find_text(object, "digest"));
    if (!digest) return std::nullopt;
    return Referrer{
        *std::move(digest),
        std::string{find_text(object, "mediaType")},
        size_of(object),
        std::string{find_text(object, "artifactType")},
        annotations_of(object)
    };
}

}  // namespace

std::string fallback_tag(const Digest& subject)
{
    const std::string_view algorithm = name_of(subject.algorithm());
    return std::string{algorithm.substr(0, 32)} + "-" + std::string{subject.hex().substr(0, 64)};
}

std::vector<Referrer> read_fallback_index(std::string_view bytes)
{
    std::vector<Referrer> referrers;
    const auto index = parse_object(bytes);
    const auto* entries = index ? find_array(*index, "manifests") : nullptr;
    if (entries == nullptr) return referrers;
    for (const json::value& entry : *entries) {
        if (auto referrer = referrer_of(entry)) referrers.push_back(*std::move(referrer));
    }
    return referrers;
}

}  // namespace entrepot
