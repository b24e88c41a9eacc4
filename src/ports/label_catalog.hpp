#pragma once

#include "core/task.hpp"
#include "ports/actor.hpp"
#include "ports/list_query.hpp"

#include <cstdint>
#include <string>

namespace entrepot {

// A mark for artifacts: of the whole installation, or of one project.
struct Label {
    std::int64_t id = 0;
    std::string name{};
    std::string description{};
    std::string color{};          // "#RRGGBB", or empty
    std::int64_t project_id = 0;  // 0: global
    Micros created_at = 0;
    Micros updated_at = 0;
};

// Labels. Names are unique among the global ones and within a project. Durable when acknowledged; unavailable,
// storage_full.
class LabelCatalog {
public:
    virtual ~LabelCatalog() = default;

    // Those of one project, or the global ones for 0, in the order of names where the query has none. Fields: id, name,
    // description, color, creation_time, update_time. bad_request.
    virtual Task<ListPage<Label>> list(std::int64_t project_id, ListQuery query) = 0;
    virtual Task<Label> find(std::int64_t id) = 0;             // not_found
    virtual Task<Label> create(Label label, Actor actor) = 0;  // conflict; not_found without the project
    // Name, description and colour; also what the artifacts that carry it show of it. not_found, conflict.
    virtual Task<Label> change(Label label, Actor actor) = 0;
    virtual Task<> remove(std::int64_t id, Actor actor) = 0;  // not_found
};

}  // namespace entrepot
