#include "drivers/sql/fallback_index.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <optional>

namespace entrepot {

namespace {

namespace json = boost::json;

std::string_view text_of(const json::object& object, std::string_view name)
{
    const json::value* field = object.if_contains(name);
    if (!field || !field->is_string()) return {};
    return field->get_string();
}

std::uint64_t size_of(const json::object& object)
{
    const json::value* field = object.if_contains("size");
    if (!field || !field->is_int64() || field->get_int64() < 0) return 0;
    return static_cast<std::uint64_t>(field->get_int64());
}

Annotations annotations_of(const json::object& object)
{
    Annotations annotations;
    const json::value* field = object.if_contains("annotations");
    if (!field || !field->is_object()) return annotations;
    for (const auto& [key, value] : field->get_object()) {
        if (value.is_string()) annotations.emplace(key, std::string_view{value.get_string()});
    }
    return annotations;
}

std::optional<Referrer> referrer_of(const json::value& entry)
{
    if (!entry.is_object()) return std::nullopt;
    const json::object& object = entry.get_object();
    auto digest = Digest::parse(text_of(object, "digest"));
    if (!digest) return std::nullopt;
    return Referrer{
        *std::move(digest),
        std::string{text_of(object, "mediaType")},
        size_of(object),
        std::string{text_of(object, "artifactType")},
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
    boost::system::error_code error;
    const json::value index = json::parse(bytes, error);
    if (error || !index.is_object()) return referrers;
    const json::value* entries = index.get_object().if_contains("manifests");
    if (!entries || !entries->is_array()) return referrers;
    for (const json::value& entry : entries->get_array()) {
        if (auto referrer = referrer_of(entry)) referrers.push_back(*std::move(referrer));
    }
    return referrers;
}

}  // namespace entrepot
