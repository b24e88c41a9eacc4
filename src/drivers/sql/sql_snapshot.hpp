#pragma once

#include "drivers/sql/migrate.hpp"
#include "ports/metadata_copy.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace entrepot {

// A connection inside a transaction that sees one moment.
class SqlSnapshot final : public MetadataSnapshot {
public:
    // `sources`: what is read instead of a table.
    SqlSnapshot(
        std::unique_ptr<SqlConnection> connection,
        std::int64_t version,
        std::vector<StoredTable> tables,
        GivenIds given,
        std::map<std::string, std::string> sources = {}
    );
    ~SqlSnapshot() override;
    SqlSnapshot(const SqlSnapshot&) = delete;
    SqlSnapshot& operator=(const SqlSnapshot&) = delete;

    std::int64_t schema_version() const override { return version_; }
    const std::vector<StoredTable>& tables() const override { return tables_; }
    const GivenIds& given_ids() const override { return given_; }
    Result<> read(const StoredTable& table, const std::function<Result<>(const StoredRow&)>& each) override;

private:
    std::unique_ptr<SqlConnection> connection_;
    std::int64_t version_;
    std::vector<StoredTable> tables_;
    GivenIds given_;
    std::map<std::string, std::string> sources_;
};

// The schema's version. unsupported where it is newer than `known`, not_found where there is none.
Result<std::int64_t> version_of_schema(SqlSession& session, std::int64_t known);

// The first migrations, up to the one that made `version`. unsupported when there is no such.
Result<std::span<const Migration>> migrations_up_to(std::span<const Migration> migrations, std::int64_t version);

// Puts in order what was under way at the moment of a backup: jobs that ran are given up, what PostgreSQL's projects
// had yet to add up is added up. On the newest schema, inside a transaction.
Result<> settle_restored(SqlSession& session);
// What does not add up, a line each: numbers that are kept beside what they count.
Result<std::vector<std::string>> discrepancies_in(SqlSession& session);
Result<std::int64_t> count_rows(SqlSession& session, const std::string& table);

}  // namespace entrepot
