#include "api/management/entity_tag.hpp"

#include "oci/digest.hpp"

namespace entrepot {
namespace {

constexpr std::size_t tag_digits = 32;

// Calls `match` with each tag of the list, without "W/" and whether it had that; true as soon as one matches.
template <class Match>
bool any_tag(std::string_view list, Match match)
{
    while (!list.empty()) {
        while (!list.empty() && (list.front() == ' ' || list.front() == '\t' || list.front() == ',')) {
            list.remove_prefix(1);
        }
        if (list.starts_with('*')) return true;
        const bool weak = list.starts_with("W/");
        if (weak) list.remove_prefix(2);
        if (!list.starts_with('"')) return false;
        const auto end = list.find('"', 1);
        if (end == std::string_view::npos) return false;
        if (match(list.substr(0, end + 1), weak)) return true;
        list.remove_prefix(end + 1);
    }
    return false;
}

}  // namespace

std::string entity_tag(const Response& response)
{
    const auto* body = std::get_if<std::string>(&response.body);
    if (body == nullptr) return {};
    const auto digest = digest_of(*body).text();
    return '"' + digest.substr(digest.find(':') + 1, tag_digits) + '"';
}

bool names_tag_weakly(std::string_view list, std::string_view tag)
{
    return any_tag(list, [&](std::string_view named, bool) { return named == tag; });
}

bool names_tag_strongly(std::string_view list, std::string_view tag)
{
    return any_tag(list, [&](std::string_view named, bool weak) { return !weak && named == tag; });
}

bool is_single_object(const Response& response)
{
    return response.status == 200 && !response.headers.contains("X-Total-Count:");
}

}  // namespace entrepot
