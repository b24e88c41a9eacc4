#pragma once

#include "drivers/upstream/adapter.hpp"

#include <vector>

// What another Entrepôt tells beside Harbor's API. unsupported for an older one that doesn't.
namespace entrepot::entrepot_api {

Task<TagSummary> tag_summary(AdapterCalls site, TagRange range);
Task<std::vector<TagState>> tag_states(AdapterCalls site, TagRange range);

}  // namespace entrepot::entrepot_api
