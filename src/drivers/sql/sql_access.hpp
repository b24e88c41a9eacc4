#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/access_catalog.hpp"

namespace entrepot {

// What decisions are made from, on any SqlEngine, which outlives it.
class SqlAccess final : public AccessCatalog {
public:
    explicit SqlAccess(SqlEngine& engine) : engine_{engine} {}

    Task<AccessChanges> changes_since(std::int64_t version) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
