#pragma once

#include "api/management/api_values.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace entrepot {

// Lists that are short, so that they are read whole and the page is cut here: they know no q and no sort.

// bad_request.
inline Result<ListQuery> short_list_query_of(const Query& text)
{
    TRY(auto query, list_query_of(text));
    if (query.conditions.empty() && query.order.empty()) return query;
    return fail(Errc::bad_request, "this list knows no q and no sort");
}

template <class Item, class ToJson>
Response
short_list_response(const Request& request, const std::vector<Item>& all, const ListQuery& query, ToJson to_json)
{
    const auto total = static_cast<std::int64_t>(all.size());
    boost::json::array items;
    for (auto at = query.offset; at < std::min(total, query.offset + query.limit); ++at)
        items.push_back(to_json(all[static_cast<std::size_t>(at)]));
    return list_response(request, std::move(items), query, total);
}

}  // namespace entrepot
