#include "drivers/sql/sql_snapshot.hpp"

#include "drivers/sql/backup_tables.hpp"
#include "drivers/sql/project_budget.hpp"

#include <array>
#include <utility>

namespace entrepot {
namespace {

constexpr SqlStatement select_version{"SELECT version FROM schema_migrations ORDER BY version DESC LIMIT 1"};
// Their workers are gone: who looks for lost jobs takes them up at once.
constexpr SqlStatement end_leases{"UPDATE jobs SET lease_until = 0 WHERE state = 'running'"};
constexpr std::int64_t settled_at_once = 100;

// Each counts where a number differs from what it is made of.
struct Recount {
    const char* what;
    SqlStatement count;
};
constexpr std::array recounts{
    Recount{
        "projects whose bytes are not those of their manifests and blobs",
        {"SELECT COUNT(*) FROM projects p LEFT JOIN (SELECT r.project_id AS id, CAST(SUM(m.size) AS BIGINT) AS bytes "
         "FROM manifests m JOIN repositories r ON r.id = m.repository_id GROUP BY r.project_id) m ON m.id = p.id "
         "LEFT JOIN (SELECT x.project_id AS id, CAST(SUM(b.size) AS BIGINT) AS bytes FROM project_blobs x "
         "JOIN blobs b ON b.id = x.blob_id GROUP BY x.project_id) b ON b.id = p.id "
         "WHERE " PROJECT_BYTES " <> COALESCE(m.bytes, 0) + COALESCE(b.bytes, 0)"}
    },
    Recount{
        "projects whose number of artifacts is another than that of the artifacts",
        {"SELECT COUNT(*) FROM projects p LEFT JOIN (SELECT project_id AS id, COUNT(*) AS listed FROM artifacts "
         "WHERE listed = 1 GROUP BY project_id) a ON a.id = p.id "
         "WHERE " PROJECT_ARTIFACTS " <> COALESCE(a.listed, 0)"}
    },
    Recount{
        "repositories whose number of artifacts is another than that of the artifacts",
        {"SELECT COUNT(*) FROM repositories r LEFT JOIN (SELECT repository_id AS id, COUNT(*) AS listed "
         "FROM artifacts WHERE listed = 1 GROUP BY repository_id) a ON a.id = r.id "
         "WHERE r.artifact_count <> COALESCE(a.listed, 0)"}
    },
    Recount{
        "manifests that no list shows",
        {"SELECT COUNT(*) FROM manifests m LEFT JOIN artifacts a ON a.manifest_id = m.id WHERE a.manifest_id IS NULL"}
    },
    Recount{
        "blobs that neither a repository nor the trash holds, though they are said to be there",
        {"SELECT COUNT(*) FROM blobs b LEFT JOIN (SELECT blob_id AS id FROM repository_blobs UNION "
         "SELECT blob_id FROM trash_blobs) l ON l.id = b.id WHERE b.state = 0 AND l.id IS NULL"}
    },
};

}  // namespace

SqlSnapshot::SqlSnapshot(
    std::unique_ptr<SqlConnection> connection,
    std::int64_t version,
    std::vector<StoredTable> tables,
    GivenIds given,
    std::map<std::string, std::string> sources
)
    : connection_{std::move(connection)},
      version_{version},
      tables_{std::move(tables)},
      given_{std::move(given)},
      sources_{std::move(sources)}
{
}

SqlSnapshot::~SqlSnapshot()
{
    connection_->rollback();
}

Result<> SqlSnapshot::read(const StoredTable& table, const std::function<Result<>(const StoredRow&)>& each)
{
    const auto source = sources_.find(table.name);
    const auto query = select_of(table, source == sources_.end() ? std::string_view{} : source->second);
    return connection_->stream(query, [&](SqlRow& row) { return each(row.take_fields()); });
}

Result<std::int64_t> version_of_schema(SqlSession& session, std::int64_t known)
{
    TRY(const auto rows, session.run(select_version));
    if (rows.empty()) return fail(Errc::not_found, "the database has no schema of Entrepôt");
    const auto version = rows.front().integer(0);
    if (version <= known) return version;
    return fail(
        Errc::unsupported,
        "the database has schema version " + std::to_string(version) + " and this program knows version " +
            std::to_string(known) + "; use a newer program"
    );
}

Result<std::span<const Migration>> migrations_up_to(std::span<const Migration> migrations, std::int64_t version)
{
    for (std::size_t i = 0; i < migrations.size(); ++i)
        if (migrations[i].version == version) return migrations.first(i + 1);
    return fail(
        Errc::unsupported,
        "the backup has schema version " + std::to_string(version) + " and this program knows versions up to " +
            std::to_string(migrations.back().version) + "; use a newer program"
    );
}

Result<> settle_restored(SqlSession& session)
{
    CHECK(session.run(end_leases));
    for (;;) {
        TRY(const auto settled, settle_deltas(session, settled_at_once));
        if (settled < settled_at_once) return {};
    }
}

Result<std::vector<std::string>> discrepancies_in(SqlSession& session)
{
    std::vector<std::string> found;
    for (const auto& recount : recounts) {
        TRY(const auto rows, session.run(recount.count));
        const auto count = rows.at(0).integer(0);
        if (count > 0) found.push_back(std::to_string(count) + " " + recount.what);
    }
    return found;
}

Result<std::int64_t> count_rows(SqlSession& session, const std::string& table)
{
    TRY(const auto rows, session.run_once("SELECT COUNT(*) FROM " + quoted_name(table), {}));
    return rows.at(0).integer(0);
}

}  // namespace entrepot
