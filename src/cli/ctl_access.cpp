#include "cli/ctl_access.hpp"

#include "cli/ctl_text.hpp"

#include <fmt/format.h>

namespace entrepot {
namespace {

namespace json = boost::json;

// The entry about this object, made where it is missing.
json::object& entry_about(json::array& entries, std::string_view kind, std::string_view name)
{
    for (auto& entry : entries) {
        auto& object = entry.as_object();
        if (field_text(object, "kind") == kind && field_text(object, "namespace") == name) return object;
    }
    entries.push_back(json::object{{"kind", kind}, {"namespace", name}, {"access", json::array{}}});
    return entries.back().as_object();
}

}  // namespace

Result<json::array> parse_access(std::span<const std::string> texts, const CtlAccessHome* home)
{
    json::array entries;
    for (const auto& text : texts) {
        std::string_view right = text;
        std::string_view kind;
        std::string_view name;
        if (const auto slash = right.find('/'); slash != right.npos) {
            const auto colon = right.find(':', slash);
            kind = right.substr(0, slash);
            name = right.substr(slash + 1, colon - slash - 1);
            if (kind == "system") name = "/";
            right = colon == right.npos ? std::string_view{} : right.substr(colon + 1);
        } else if (home != nullptr) {
            kind = home->kind;
            name = home->name;
        }
        const auto colon = right.find(':');
        if (kind.empty() || name.empty() || colon == right.npos) {
            const auto* const wanted =
                home != nullptr ? "RESOURCE:ACTION or KIND/NAME:RESOURCE:ACTION" : "KIND/NAME:RESOURCE:ACTION";
            return fail(Errc::bad_request, fmt::format("{} is no {}", text, wanted));
        }
        auto& access = entry_about(entries, kind, name).at("access").as_array();
        access.push_back(json::object{{"resource", right.substr(0, colon)}, {"action", right.substr(colon + 1)}});
    }
    return entries;
}

}  // namespace entrepot
