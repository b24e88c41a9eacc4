#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace entrepot {

// Which part of a list somebody asks for, in Harbor's terms (its `q` and `sort` parameters). Fields are the API's
// names; a catalog refuses those that it doesn't know with bad_request.
struct ListCondition {
    enum class Kind { equal, fuzzy, range, any_of, all_of };
    std::string field;
    Kind kind = Kind::equal;
    std::vector<std::string> values;  // of a range its two ends, an empty one being open
};

struct ListOrder {
    std::string field;
    bool descending = false;
};

struct ListQuery {
    std::vector<ListCondition> conditions;
    std::vector<ListOrder> order;  // empty: the list's own order
    std::int64_t offset = 0;
    std::int64_t limit = 10;
};

// One page and how many entries all pages hold.
template <class T>
struct ListPage {
    std::vector<T> items;
    std::int64_t total = 0;
};

}  // namespace entrepot
