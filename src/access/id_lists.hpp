#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace entrepot {

// Lists of ids, ascending; nullopt: every one. As AccessPolicy::Ids.
using IdList = std::optional<std::vector<std::int64_t>>;

IdList ids_in_both(IdList one, IdList other);
IdList ids_in_either(IdList one, IdList other);

}  // namespace entrepot
