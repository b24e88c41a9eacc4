#include "api/oci/call.hpp"

#include "core/utf8.hpp"

#include <algorithm>

namespace entrepot {

Result<Query> Query::of(const Request& request)
{
    Query query;
    if (request.query.empty()) return query;
    auto fields = parse_form(request.query);
    // Nothing here needs more than plain text, and one database would refuse what the other takes.
    const auto is_plain = [](const FormField& field) { return is_plain_text(field.value); };
    if (!fields || !std::ranges::all_of(*fields, is_plain)) return fail(Errc::bad_request, "the query is malformed");
    query.fields_ = *std::move(fields);
    return query;
}

std::optional<std::string_view> Query::first(std::string_view name) const noexcept
{
    for (const auto& field : fields_) {
        if (field.name == name) return field.value;
    }
    return std::nullopt;
}

std::vector<std::string_view> Query::all(std::string_view name) const
{
    std::vector<std::string_view> values;
    for (const auto& field : fields_) {
        if (field.name == name) values.emplace_back(field.value);
    }
    return values;
}

}  // namespace entrepot
