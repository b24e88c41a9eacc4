#pragma once

#include "drivers/sql/sql_session.hpp"
#include "ports/list_query.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace entrepot {

// A column that a list can be filtered and sorted by. Only what stands in such a table ever gets into a statement's
// text; values are parameters.
struct ListColumn {
    enum class Type { text, integer, time, boolean };
    std::string_view field;  // as the API calls it
    const char* column;      // "p.name"
    Type type = Type::text;
};

// One statement asks for this many ids at most: engines bound the number of parameters. What each group of them finds,
// in the groups' order.
inline constexpr std::size_t most_ids_at_once = 1024;
template <class Find>
auto of_each_group(std::span<const std::int64_t> ids, Find find) -> decltype(find(ids))
{
    typename decltype(find(ids))::value_type all;
    while (!ids.empty()) {
        const auto some = ids.first(std::min(ids.size(), most_ids_at_once));
        ids = ids.subspan(some.size());
        TRY(auto found, find(some));
        all.insert(all.end(), std::move_iterator{found.begin()}, std::move_iterator{found.end()});
    }
    return all;
}

// Builds the statements of one list: conditions, order, page, and the count of all pages.
class ListStatement {
public:
    // `columns_and_from`: "p.id, p.name" and "projects p JOIN …". All texts are literals.
    ListStatement(const char* columns, const char* from, std::span<const ListColumn> fields)
        : columns_{columns}, from_{from}, fields_{fields}
    {
    }

    // A condition of ours; each '?' takes the next value. "p.tenant_id = ?"
    void where(const char* condition, std::vector<std::variant<std::int64_t, std::string>> values = {});
    // `column` is one of `ids`; none of them: nothing is listed.
    void where_one_of(const char* column, std::span<const std::int64_t> ids);
    // The query's conditions and order. bad_request for a field that is not in the table, or a value of another type.
    // A statement that has any of them is not kept prepared: there are more of these than could be counted.
    Result<> apply(const ListQuery& query);
    // The same for a text that where() was given and that depends on a request.
    void varies() noexcept { varies_ = true; }
    // bad_request for more values than one condition can have.
    static Result<> check_values(const ListCondition& condition);
    // The order of a list without `sort`, and what makes every order total: "p.name", "a.pushed_at DESC, a.id DESC".
    void order_by(const char* terms) { last_order_ = terms; }

    Result<SqlRows> page(SqlSession& session) const;
    // The same where `key` is unique and `from`, with fewer tables, holds all that conditions and order name: what
    // comes before the page is passed over without its other columns and tables, which a late page would spend its time
    // on.
    Result<SqlRows> page_by(SqlSession& session, const char* key, const char* from) const;
    Result<std::int64_t> count(SqlSession& session) const;
    // Both: the page, each of its rows as `read` answers it (a value, or a Result of one), and how many there are in
    // all.
    template <class Read>
    auto list(SqlSession& session, Read read) const;

private:
    using Value = std::variant<std::int64_t, std::string>;
    const ListColumn* find(std::string_view field) const noexcept;
    Result<Value> value_of(const ListColumn& column, const std::string& text) const;
    Result<> add(const ListCondition& condition);
    std::string parameter(Value value);
    std::string order_text() const;
    std::string limits_text() const;
    Result<SqlRows> run(SqlSession& session, std::string text, std::span<const Value> more) const;

    const char* columns_;
    const char* from_;
    std::span<const ListColumn> fields_;
    std::string conditions_;
    std::string order_;
    const char* last_order_ = "";
    std::vector<Value> values_;
    std::int64_t offset_ = 0;
    std::int64_t limit_ = 10;
    bool varies_ = false;  // its text depends on a request
};

template <class Read>
auto ListStatement::list(SqlSession& session, Read read) const
{
    using Item = std::invoke_result_t<Read&, SqlRow&>;
    constexpr bool may_fail = requires(Item item) { item.error(); };
    const auto to_page = [&]<class Value>(std::type_identity<Value>) -> Result<ListPage<Value>> {
        ListPage<Value> page;
        TRY(auto rows, this->page(session));
        page.items.reserve(rows.size());
        for (SqlRow& row : rows) {
            if constexpr (may_fail) {
                TRY(auto item, read(row));
                page.items.push_back(std::move(item));
            } else {
                page.items.push_back(read(row));
            }
        }
        TRY(page.total, count(session));
        return page;
    };
    if constexpr (may_fail) {
        return to_page(std::type_identity<typename Item::value_type>{});
    } else {
        return to_page(std::type_identity<Item>{});
    }
}

}  // namespace entrepot
