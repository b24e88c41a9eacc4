#include "access/id_lists.hpp"

#include <algorithm>
#include <iterator>

namespace entrepot {

IdList ids_in_both(IdList one, IdList other)
{
    if (!one) return other;
    if (!other) return one;
    std::vector<std::int64_t> ids;
    std::ranges::set_intersection(*one, *other, std::back_inserter(ids));
    return ids;
}

IdList ids_in_either(IdList one, IdList other)
{
    if (!one || !other) return std::nullopt;
    std::vector<std::int64_t> ids;
    std::ranges::set_union(*one, *other, std::back_inserter(ids));
    return ids;
}

}  // namespace entrepot
