#include "api/oci/call.hpp"

#include "core/utf8.hpp"

namespace entrepot {

Result<Query> Query::of(const Request& request)
{
    Query query;
    if (request.query.empty()) return query;
    auto fields = parse_form(request.query);
    if (!fields) return fail(Errc::bad_request, "the query is malformed");
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

Result<std::string> Query::plain(std::string_view name) const
{
    const auto value = first(name).value_or("");
    if (!is_plain_text(value)) return fail(Errc::bad_request, std::string{name} + " is no plain text");
    return std::string{value};
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
