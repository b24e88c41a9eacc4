#include "cli/source_words.hpp"

#include <boost/json/array.hpp>

#include <cstdint>

namespace entrepot {
namespace {

namespace json = boost::json;

std::string patterns_of(const json::object& source, std::string_view name, std::string_view mark)
{
    std::string words;
    const auto* const found = source.if_contains(name);
    if (found == nullptr || !found->is_array()) return words;
    for (const auto& pattern : found->as_array()) {
        if (!pattern.is_string()) continue;
        words.append(",").append(mark).append(std::string_view{pattern.as_string()});
    }
    return words;
}

// "library/{a,b},team/*": the one behind the brace.
std::size_t comma_outside_braces(std::string_view text)
{
    int depth = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '{') ++depth;
        if (text[at] == '}') --depth;
        if (text[at] == ',' && depth <= 0) return at;
    }
    return std::string_view::npos;
}

}  // namespace

json::object source_in_words(std::string_view words)
{
    const bool optional = words.starts_with('?');
    if (optional) words.remove_prefix(1);
    const auto equals = words.find('=');
    json::array repositories;
    json::array except;
    auto rest = equals == std::string_view::npos ? std::string_view{} : words.substr(equals + 1);
    while (!rest.empty()) {
        const auto comma = comma_outside_braces(rest);
        const auto pattern = rest.substr(0, comma);
        if (pattern.starts_with('!')) {
            except.emplace_back(pattern.substr(1));
        } else {
            repositories.emplace_back(pattern);
        }
        rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    }
    return {
        {"project", words.substr(0, equals)},
        {"repositories", std::move(repositories)},
        {"except", std::move(except)},
        {"optional", optional},
    };
}

std::string words_of_source(const json::object& source)
{
    const auto* const optional = source.if_contains("optional");
    std::string words = optional != nullptr && optional->is_bool() && optional->as_bool() ? "?" : "";
    if (const auto* name = source.if_contains("project"); name != nullptr && name->is_string()) {
        words += std::string_view{name->as_string()};
    } else if (const auto* id = source.if_contains("project_id"); id != nullptr && id->is_int64()) {
        words += std::to_string(id->as_int64());
    }
    auto patterns = patterns_of(source, "repositories", "") + patterns_of(source, "except", "!");
    if (!patterns.empty()) patterns.front() = '=';
    return words + patterns;
}

}  // namespace entrepot
