#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/check_catalog.hpp"

namespace entrepot {

// CheckCatalog on any SqlEngine, which outlives it.
class SqlChecks final : public CheckCatalog {
public:
    explicit SqlChecks(SqlEngine& engine) : engine_{engine} {}

    Task<ListPage<ArtifactCheck>> list(RepositoryName name, Reference reference, ListQuery query) override;
    Task<ArtifactCheck> report(RepositoryName name, Reference reference, ArtifactCheck check, Actor actor) override;
    Task<> remove(RepositoryName name, Reference reference, std::string check, Actor actor) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
