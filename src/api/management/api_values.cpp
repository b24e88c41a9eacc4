#include "api/management/api_values.hpp"

#include "core/ascii.hpp"
#include "core/percent.hpp"
#include "core/utf8.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <charconv>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr std::size_t largest_body = std::size_t{1} << 20U;
constexpr std::int64_t largest_page = 100;

std::unexpected<Error> wrong_type(std::string_view name, std::string_view type)
{
    return fail(Errc::bad_request, "\"" + std::string{name} + "\" is not " + std::string{type});
}

const json::value* value_at(const json::object& object, std::string_view name)
{
    const auto* value = object.if_contains(name);
    return value != nullptr && !value->is_null() ? value : nullptr;
}

// The query as it came, with another page.
std::string page_link(const Request& request, const ListQuery& query, std::int64_t page, std::string_view relation)
{
    std::string rest;
    for (const auto& field : parse_form(request.query).value_or(std::vector<FormField>{})) {
        if (field.name == "page" || field.name == "page_size") continue;
        rest += "&" + percent_encoded(field.name) + "=" + percent_encoded(field.value);
    }
    return "<" + std::string{request.path} + "?page=" + std::to_string(page) +
           "&page_size=" + std::to_string(query.limit) + rest + ">; rel=\"" + std::string{relation} + "\"";
}

ListCondition parse_condition(std::string_view field, std::string_view value)
{
    ListCondition condition;
    condition.field = field;
    const auto within = [&](char open, char close) {
        return value.size() >= 2 && value.front() == open && value.back() == close;
    };
    const auto inner = value.size() >= 2 ? value.substr(1, value.size() - 2) : std::string_view{};
    if (value.starts_with('~')) {
        condition.kind = ListCondition::Kind::fuzzy;
        condition.values.emplace_back(value.substr(1));
    } else if (within('[', ']') && inner.contains('~')) {
        condition.kind = ListCondition::Kind::range;
        condition.values.emplace_back(inner.substr(0, inner.find('~')));
        condition.values.emplace_back(inner.substr(inner.find('~') + 1));
    } else if (within('{', '}') || within('(', ')')) {
        condition.kind = value.front() == '{' ? ListCondition::Kind::any_of : ListCondition::Kind::all_of;
        for (auto rest = inner; !rest.empty();) {
            const auto end = rest.find(' ');
            if (end != 0) condition.values.emplace_back(rest.substr(0, end));
            rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
        }
    } else {
        condition.values.emplace_back(value);
    }
    return condition;
}

}  // namespace

Task<JsonBody> JsonBody::read(ByteSource& body)
{
    CO_TRY(const auto text, co_await read_all(body, largest_body));
    boost::system::error_code error;
    auto value = json::parse(text, error);
    if (error || !value.is_object()) co_return fail(Errc::bad_request, "the body is not a JSON object");
    co_return JsonBody{std::move(value.get_object())};
}

bool JsonBody::has(std::string_view name) const noexcept
{
    return value_at(object_, name) != nullptr;
}

Result<std::optional<std::string>> JsonBody::optional_text(std::string_view name) const
{
    const auto* value = value_at(object_, name);
    if (value == nullptr) return std::optional<std::string>{};
    if (!value->is_string()) return wrong_type(name, "a text");
    const std::string_view text = value->get_string();
    if (!is_plain_text(text)) return wrong_type(name, "plain text");
    return std::optional{std::string{text}};
}

Result<std::string> JsonBody::text(std::string_view name) const
{
    TRY(auto value, optional_text(name));
    if (!value) return fail(Errc::bad_request, "\"" + std::string{name} + "\" is missing");
    return *std::move(value);
}

Result<std::optional<std::int64_t>> JsonBody::optional_integer(std::string_view name) const
{
    const auto* value = value_at(object_, name);
    if (value == nullptr) return std::optional<std::int64_t>{};
    boost::system::error_code error;
    const auto number = value->to_number<std::int64_t>(error);
    if (error) return wrong_type(name, "an integer");
    return std::optional{number};
}

Result<std::optional<bool>> JsonBody::optional_boolean(std::string_view name) const
{
    const auto* value = value_at(object_, name);
    if (value == nullptr) return std::optional<bool>{};
    if (value->is_bool()) return std::optional{value->get_bool()};
    if (value->is_string() && value->get_string() == "true") return std::optional{true};
    if (value->is_string() && value->get_string() == "false") return std::optional{false};
    return wrong_type(name, "true or false");
}

Result<std::optional<JsonBody>> JsonBody::optional_object(std::string_view name) const
{
    const auto* value = value_at(object_, name);
    if (value == nullptr) return std::optional<JsonBody>{};
    if (!value->is_object()) return wrong_type(name, "an object");
    return std::optional{JsonBody{value->get_object()}};
}

Result<std::vector<std::string>> JsonBody::texts(std::string_view name) const
{
    std::vector<std::string> texts;
    const auto* value = value_at(object_, name);
    if (value == nullptr) return texts;
    if (!value->is_array()) return wrong_type(name, "a list");
    for (const auto& entry : value->get_array()) {
        if (!entry.is_string() || !is_plain_text(entry.get_string())) return wrong_type(name, "a list of texts");
        texts.emplace_back(entry.get_string());
    }
    return texts;
}

Result<std::vector<JsonBody>> JsonBody::objects(std::string_view name) const
{
    std::vector<JsonBody> objects;
    const auto* value = value_at(object_, name);
    if (value == nullptr) return objects;
    if (!value->is_array()) return wrong_type(name, "a list");
    for (const auto& entry : value->get_array()) {
        if (!entry.is_object()) return wrong_type(name, "a list of objects");
        objects.emplace_back(entry.get_object());
    }
    return objects;
}

Result<std::vector<ListCondition>> parse_conditions(std::string_view q)
{
    std::vector<ListCondition> conditions;
    while (!q.empty()) {
        const auto end = q.find(',');
        const auto part = q.substr(0, end);
        q = end == std::string_view::npos ? std::string_view{} : q.substr(end + 1);
        const auto equals = part.find('=');
        if (equals == 0 || equals == std::string_view::npos) {
            return fail(Errc::bad_request, "q is not of the form field=value,…");
        }
        auto condition = parse_condition(part.substr(0, equals), part.substr(equals + 1));
        if (condition.values.empty()) return fail(Errc::bad_request, "q names no value for " + condition.field);
        conditions.push_back(std::move(condition));
        if (conditions.size() > 16) return fail(Errc::bad_request, "q has more than 16 conditions");
    }
    return conditions;
}

Result<ListQuery> list_query_of(const Query& query)
{
    const auto page = parse_decimal(query.first("page").value_or("1"));
    const auto size = parse_decimal(query.first("page_size").value_or("10"));
    if (!page || *page == 0 || *page > 1'000'000'000) return fail(Errc::bad_request, "page is not a number from 1 on");
    if (!size || *size == 0 || *size > largest_page) return fail(Errc::bad_request, "page_size is not from 1 to 100");
    ListQuery list;
    list.limit = static_cast<std::int64_t>(*size);
    list.offset = (static_cast<std::int64_t>(*page) - 1) * list.limit;
    TRY(const auto q, query.plain("q"));
    TRY(list.conditions, parse_conditions(q));
    TRY(const auto sort, query.plain("sort"));
    for (std::string_view rest = sort; !rest.empty();) {
        const auto end = rest.find(',');
        auto field = rest.substr(0, end);
        rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
        const bool descending = field.starts_with('-');
        if (descending) field.remove_prefix(1);
        list.order.push_back({std::string{field}, descending});
        if (list.order.size() > 4) return fail(Errc::bad_request, "sort names more than 4 fields");
    }
    return list;
}

Response json_response(const json::value& value, unsigned status)
{
    auto response = json_text(json::serialize(value));
    response.status = status;
    return response;
}

Response json_text(std::string json)
{
    Response response;
    response.add("Content-Type", "application/json");
    response.body = std::move(json);
    return response;
}

Response text_response(std::string text)
{
    Response response;
    response.add("Content-Type", "text/plain; charset=utf-8");
    response.body = std::move(text);
    return response;
}

Response created_response(std::string location)
{
    Response response;
    response.status = 201;
    response.add("Location", location);
    return response;
}

Response list_response(const Request& request, json::array items, const ListQuery& query, std::int64_t total)
{
    return list_response(request, json::serialize(items), query, total);
}

Response list_response(const Request& request, std::string json_array, const ListQuery& query, std::int64_t total)
{
    Response response;
    response.add("Content-Type", "application/json");
    response.add("X-Total-Count", std::to_string(total));
    const auto page = query.offset / query.limit + 1;
    std::string links;
    if (page > 1) links = page_link(request, query, page - 1, "prev");
    if (query.offset + query.limit < total) {
        links += (links.empty() ? "" : " , ") + page_link(request, query, page + 1, "next");
    }
    if (!links.empty()) response.add("Link", links);
    response.body = std::move(json_array);
    return response;
}

Result<std::int64_t> parse_id(std::string_view text)
{
    std::int64_t id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error != std::errc{} || end != text.data() + text.size() || id <= 0) {
        return fail(Errc::not_found, "there is nothing of this id");
    }
    return id;
}

Result<RepositoryName> repository_of(std::string_view project, std::string_view name)
{
    std::string below{name};
    if (below.contains('%')) {
        auto decoded = percent_decoded(below);
        if (!decoded) return fail(Errc::name_invalid, "the repository's name is malformed");
        below = *std::move(decoded);
    }
    return RepositoryName::parse(std::string{project} + "/" + below);
}

std::string location_of(const RepositoryName& repository)
{
    const auto project = repository.project();
    auto location = "/api/v2.0/projects/" + std::string{project} + "/repositories/";
    for (const char letter : repository.text().substr(project.size() + 1)) {
        if (letter == '/') {
            location += "%252F";
        } else {
            location += letter;
        }
    }
    return location;
}

}  // namespace entrepot
