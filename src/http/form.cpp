#include "core/percent.hpp"
#include "http/message.hpp"

#include <algorithm>

namespace entrepot {
namespace {

constexpr std::size_t most_fields = 256;

}  // namespace

std::optional<std::vector<FormField>> parse_form(std::string_view text)
{
    std::vector<FormField> fields;
    while (!text.empty()) {
        const auto stop = std::min(text.find('&'), text.size());
        const auto pair = text.substr(0, stop);
        text.remove_prefix(std::min(stop + 1, text.size()));
        if (pair.empty()) continue;
        if (fields.size() == most_fields) return std::nullopt;
        const auto equals = std::min(pair.find('='), pair.size());
        auto name = percent_decoded(pair.substr(0, equals), true);
        auto value = percent_decoded(pair.substr(std::min(equals + 1, pair.size())), true);
        if (!name || !value) return std::nullopt;
        fields.push_back({std::move(*name), std::move(*value)});
    }
    return fields;
}

}  // namespace entrepot
