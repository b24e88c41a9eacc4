#include "cli/filter_words.hpp"

namespace entrepot {
namespace {

constexpr std::string_view others = "not:";

}  // namespace

boost::json::object filter_in_words(std::string_view type, std::string_view words)
{
    const bool excludes = words.starts_with(others);
    if (excludes) words.remove_prefix(others.size());
    return {{"type", type}, {"value", words}, {"decoration", excludes ? "excludes" : "matches"}};
}

std::string words_of_filter(const boost::json::object& filter)
{
    const auto text = [&filter](std::string_view name) {
        const auto* found = filter.if_contains(name);
        return found != nullptr && found->is_string() ? std::string{found->as_string()} : std::string{};
    };
    return (text("decoration") == "excludes" ? std::string{others} : std::string{}) + text("value");
}

}  // namespace entrepot
