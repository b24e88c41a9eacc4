#include "upkeep/gc/garbage_collection.hpp"

#include <boost/json.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

std::optional<json::object> object_in(std::string_view text)
{
    boost::system::error_code error;
    auto value = json::parse(text, error);
    if (error || !value.is_object()) return std::nullopt;
    return std::move(value.as_object());
}

Result<> read(const json::object& object, std::string_view name, bool& into)
{
    const auto* value = object.if_contains(name);
    if (!value) return {};
    if (!value->is_bool()) return fail(Errc::bad_request, "\"" + std::string{name} + "\" is not a boolean");
    into = value->as_bool();
    return {};
}

std::uint64_t number_in(const json::object& object, std::string_view name)
{
    const auto* value = object.if_contains(name);
    if (!value) return 0;
    boost::system::error_code error;
    const auto number = value->to_number<std::uint64_t>(error);
    return error ? 0 : number;
}

}  // namespace

Result<GarbageOptions> GarbageOptions::parse(std::string_view text)
{
    GarbageOptions options;
    if (text.empty()) return options;
    const auto object = object_in(text);
    if (!object) return fail(Errc::bad_request, "the parameters are not a JSON object");
    CHECK(read(*object, "delete_untagged", options.delete_untagged));
    CHECK(read(*object, "dry_run", options.dry_run));
    if (const auto* rate = object->if_contains("rate")) {
        boost::system::error_code error;
        options.rate = rate->to_number<std::int64_t>(error);
        if (error || options.rate < 0) return fail(Errc::bad_request, "\"rate\" is not a number from 0 on");
    }
    return options;
}

std::string GarbageCount::json() const
{
    return json::serialize(
        json::value{{"manifests", manifests}, {"links", links}, {"blobs", blobs}, {"freed_bytes", freed_bytes}}
    );
}

GarbageCount GarbageCount::parse(std::string_view text)
{
    const auto object = object_in(text);
    if (!object) return {};
    return {
        .manifests = number_in(*object, "manifests"),
        .links = number_in(*object, "links"),
        .blobs = number_in(*object, "blobs"),
        .freed_bytes = number_in(*object, "freed_bytes"),
    };
}

}  // namespace entrepot
