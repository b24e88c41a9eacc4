#include "drivers/sql/list_statement.hpp"

#include "core/ascii.hpp"
#include "core/clock.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <mutex>
#include <unordered_set>

namespace entrepot {
namespace {

// As many as can be asked for: each is an expression of its own to the engine, which has its limits.
constexpr std::size_t most_values = 100;

// Engines keep prepared statements by the address of their text, so each text must stay where it is. What depends on a
// request is not among them.
const char* interned(std::string text)
{
    static std::mutex mutex;
    static std::unordered_set<std::string> texts;
    const std::lock_guard lock{mutex};
    if (const auto known = texts.find(text); known != texts.end()) return known->c_str();
    return texts.insert(std::move(text)).first->c_str();
}

std::string like_pattern(std::string_view text)
{
    std::string pattern = "%";
    for (const char c : text) {
        if (c == '%' || c == '_' || c == '\\') pattern += '\\';
        pattern += lower(c);
    }
    return pattern + "%";
}

}  // namespace

const ListColumn* ListStatement::find(std::string_view field) const noexcept
{
    const auto found = std::ranges::find(fields_, field, &ListColumn::field);
    return found == fields_.end() ? nullptr : &*found;
}

Result<ListStatement::Value> ListStatement::value_of(const ListColumn& column, const std::string& text) const
{
    const auto wrong = [&] {
        return fail(Errc::bad_request, "\"" + text + "\" is no value for " + std::string{column.field});
    };
    switch (column.type) {
        case ListColumn::Type::text: return text;
        case ListColumn::Type::boolean:
            if (text == "true" || text == "1") return std::int64_t{1};
            if (text == "false" || text == "0") return std::int64_t{0};
            return wrong();
        case ListColumn::Type::integer: {
            std::int64_t value = 0;
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
            if (error != std::errc{} || end != text.data() + text.size()) return wrong();
            return value;
        }
        case ListColumn::Type::time: {
            const auto at = parse_time(text);
            if (!at) return wrong();
            return *at;
        }
    }
    return wrong();
}

std::string ListStatement::parameter(Value value)
{
    values_.push_back(std::move(value));
    return "$" + std::to_string(values_.size());
}

void ListStatement::where(const char* condition, std::vector<Value> values)
{
    std::string text;
    std::size_t next = 0;
    for (const char* at = condition; *at != '\0'; ++at) {
        if (*at == '?') {
            text += parameter(values.at(next++));
        } else {
            text += *at;
        }
    }
    conditions_ += (conditions_.empty() ? " WHERE (" : " AND (") + text + ")";
}

void ListStatement::where_one_of(const char* column, std::span<const std::int64_t> ids)
{
    if (ids.empty()) {
        conditions_ += conditions_.empty() ? " WHERE (1 = 0)" : " AND (1 = 0)";
        return;
    }
    // Rounded up, the last one repeated, so that there are few different texts.
    const auto count = std::bit_ceil(ids.size());
    std::string list;
    for (std::size_t i = 0; i < count; ++i) list += (i ? ", " : "") + parameter(ids[std::min(i, ids.size() - 1)]);
    conditions_ += (conditions_.empty() ? " WHERE (" : " AND (") + std::string{column} + " IN (" + list + "))";
}

Result<> ListStatement::check_values(const ListCondition& condition)
{
    if (condition.values.size() <= most_values) return {};
    return fail(Errc::bad_request, condition.field + " has more than " + std::to_string(most_values) + " values");
}

Result<> ListStatement::add(const ListCondition& condition)
{
    const auto* column = find(condition.field);
    if (!column) return fail(Errc::bad_request, "this list has no field " + condition.field + " to ask for");
    CHECK(check_values(condition));
    const std::string name = column->column;
    std::string text;
    if (condition.kind == ListCondition::Kind::fuzzy) {
        if (column->type != ListColumn::Type::text) {
            return fail(Errc::bad_request, condition.field + " can't be searched for a part of it");
        }
        text = "lower(" + name + ") LIKE " + parameter(like_pattern(condition.values.at(0))) + " ESCAPE '\\'";
    } else if (condition.kind == ListCondition::Kind::range) {
        for (std::size_t end = 0; end < 2; ++end) {
            if (condition.values.at(end).empty()) continue;
            TRY(auto value, value_of(*column, condition.values[end]));
            text += (text.empty() ? "" : " AND ") + name + (end == 0 ? " >= " : " <= ") + parameter(std::move(value));
        }
        if (text.empty()) return {};
    } else {
        const bool all = condition.kind == ListCondition::Kind::all_of;
        for (const auto& wanted : condition.values) {
            TRY(auto value, value_of(*column, wanted));
            text += (text.empty() ? "" : all ? " AND " : " OR ") + name + " = " + parameter(std::move(value));
        }
    }
    conditions_ += (conditions_.empty() ? " WHERE (" : " AND (") + text + ")";
    return {};
}

Result<> ListStatement::apply(const ListQuery& query)
{
    for (const auto& condition : query.conditions) CHECK(add(condition));
    for (const auto& order : query.order) {
        const auto* column = find(order.field);
        if (!column) return fail(Errc::bad_request, "this list can't be sorted by " + order.field);
        order_ += (order_.empty() ? "" : ", ") + std::string{column->column} + (order.descending ? " DESC" : "");
    }
    offset_ = query.offset;
    limit_ = query.limit;
    varies_ = varies_ || !query.conditions.empty() || !query.order.empty();
    return {};
}

Result<SqlRows> ListStatement::run(SqlSession& session, std::string text, std::span<const Value> more) const
{
    std::vector<SqlParameter> parameters;
    parameters.reserve(values_.size() + more.size());
    const auto put = [&](const Value& value) {
        if (const auto* number = std::get_if<std::int64_t>(&value)) {
            parameters.emplace_back(*number);
        } else {
            parameters.emplace_back(std::string_view{std::get<std::string>(value)});
        }
    };
    for (const auto& value : values_) put(value);
    for (const auto& value : more) put(value);
    if (varies_) return session.run_once(text, parameters);
    return session.run_with(SqlStatement{interned(std::move(text))}, parameters);
}

std::string ListStatement::order_text() const
{
    std::string order = order_;
    if (*last_order_ != '\0') order += (order.empty() ? "" : ", ") + std::string{last_order_};
    return order.empty() ? order : " ORDER BY " + order;
}

std::string ListStatement::limits_text() const
{
    const auto next = values_.size();
    return " LIMIT $" + std::to_string(next + 1) + " OFFSET $" + std::to_string(next + 2);
}

Result<SqlRows> ListStatement::page(SqlSession& session) const
{
    const std::vector<Value> limits{limit_, offset_};
    return run(
        session,
        "SELECT " + std::string{columns_} + " FROM " + from_ + conditions_ + order_text() + limits_text(),
        limits
    );
}

Result<SqlRows> ListStatement::page_by(SqlSession& session, const char* key, const char* from) const
{
    const std::vector<Value> limits{limit_, offset_};
    return run(
        session,
        "SELECT " + std::string{columns_} + " FROM " + from_ + " WHERE " + key + " IN (SELECT " + key + " FROM " +
            from + conditions_ + order_text() + limits_text() + ")" + order_text(),
        limits
    );
}

Result<std::int64_t> ListStatement::count(SqlSession& session) const
{
    TRY(const auto rows, run(session, "SELECT COUNT(*) FROM " + std::string{from_} + conditions_, {}));
    return rows.front().integer(0);
}

}  // namespace entrepot
