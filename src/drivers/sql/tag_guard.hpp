#pragma once

#include "access/selectors.hpp"
#include "drivers/sql/repository_rows.hpp"
#include "drivers/sql/sql_session.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// The immutability rules of a project that are not disabled.
class ImmutableRules {
public:
    ImmutableRules() = default;
    static Result<ImmutableRules> read(SqlSession& session, std::int64_t project_id);

    // The rule that holds the tag, or null. `repository` is a whole name. What signs an artifact by its tag's name
    // (cosign's sha256-….sig) is never held: it is written anew with every signature.
    struct Rule {
        std::int64_t id = 0;
        Selectors repositories;
        Selectors tags;
    };
    const Rule* holding(std::string_view repository, std::string_view tag) const;

private:
    std::vector<Rule> rules_;
};

// Refuses what immutable tags of a repository forbid: precondition_failed, naming tag and rule. Reads nothing where the
// project has no rules. The repository's project is locked, so what it answers holds to the transaction's end.
class TagGuard {
public:
    TagGuard(SqlSession& session, const RepositoryRow& place) : session_{session}, place_{place} {}

    // The tag is to point elsewhere, or to go.
    Result<> check_tag(std::string_view tag);
    // The manifest is to go: it has immutable tags, or is part of an index that has.
    Result<> check_manifest(std::int64_t id);
    // All of them are.
    Result<> check_repository();

private:
    Result<> load();

    SqlSession& session_;
    RepositoryRow place_;
    std::string name_;
    std::optional<ImmutableRules> rules_;
};

}  // namespace entrepot
