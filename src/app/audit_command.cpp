#include "app/audit_command.hpp"

#include "app/audit_parts.hpp"
#include "app/config_values.hpp"
#include "core/clock.hpp"
#include "drivers/audit_files/audit_files.hpp"
#include "drivers/postgres/postgres_connection.hpp"
#include "drivers/sql/sql_audit_anchors.hpp"
#include "drivers/sqlite/sqlite_connection.hpp"
#include "events/audit/audit_reader.hpp"
#include "events/audit/audit_verify.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>

namespace entrepot {
namespace {

constexpr int proven = 0;
constexpr int broken = 1;
constexpr int unreadable = 2;

int complain(const Error& error)
{
    const auto detail = error.detail().empty() ? std::string{} : " (" + error.detail() + ")";
    std::fprintf(stderr, "entrepot: %s%s\n", error.message().c_str(), detail.c_str());
    return unreadable;
}

std::filesystem::path directory_of(const std::string& data, const std::optional<std::string>& directory)
{
    return directory ? std::filesystem::path{*directory} : std::filesystem::path{data} / "audit";
}

// The instances whose chains lie here, and the one of the data directory whether it is there or not.
Result<std::vector<std::string>> instances_to_check(AuditFiles& files, const std::string& own)
{
    TRY(auto names, files.instances());
    if (!own.empty() && std::ranges::find(names, own) == names.end()) names.push_back(own);
    return names;
}

// What was recorded beside the instance has anchors even when its folder is gone.
Result<> add_local_chain(SqlSession& database, const std::string& own, std::vector<std::string>& names)
{
    const auto local = local_chain_of(own);
    if (own.empty() || std::ranges::find(names, local) != names.end()) return {};
    TRY(const auto anchors, audit_anchors_in(database, local));
    if (!anchors.empty()) names.push_back(local);
    return {};
}

Result<std::unique_ptr<SqlSession>> open_database(const AuditVerifyCommand& command, const Clock& clock)
{
    if (command.database) {
        auto connection = std::make_unique<PostgresConnection>(*command.database, clock);
        connection->set_deadline(clock.steady() + std::chrono::seconds{30});
        CHECK(connection->connect());
        return connection;
    }
    const auto file = std::filesystem::path{command.data} / "entrepot.db";
    try {
        return std::make_unique<SqliteConnection>(file.string(), SqliteConnection::Use::reading);
    } catch (const std::runtime_error& failure) {
        return fail(Errc::unavailable, failure.what());
    }
}

void print(const std::string& instance, const AuditProof& proof)
{
    if (proof.broken) {
        std::printf(
            "%s: BROKEN at segment %llu, record %llu: %s\n",
            instance.c_str(),
            static_cast<unsigned long long>(proof.broken->segment),
            static_cast<unsigned long long>(proof.broken->record),
            proof.broken->what.c_str()
        );
        return;
    }
    std::printf(
        "%s: proven: records %llu to %llu in %llu segments, %zu anchors met%s\n",
        instance.c_str(),
        static_cast<unsigned long long>(proof.first_record),
        static_cast<unsigned long long>(proof.head.record),
        static_cast<unsigned long long>(proof.segments),
        proof.anchors,
        proof.torn ? "; the last write is not finished" : ""
    );
}

// The moment itself, or so long before now.
Result<Micros> moment(const std::string& text, const Clock& clock)
{
    if (const auto time = parse_time(text)) return *time;
    const auto before = parse_duration(text);
    if (!before) return fail(Errc::bad_request, "\"" + text + "\" is neither a time nor a duration");
    return clock.now() - std::chrono::duration_cast<std::chrono::microseconds>(*before).count();
}

Result<AuditQuery> query_of(const AuditShowCommand& command, const Clock& clock)
{
    AuditQuery query;
    query.list.limit = 100;
    query.list.order.push_back({"op_time", false});
    const auto ask = [&](const char* field, const std::optional<std::string>& value, ListCondition::Kind kind) {
        if (value) query.list.conditions.push_back({field, kind, {*value}});
    };
    ask("username", command.user, ListCondition::Kind::equal);
    ask("resource", command.resource, ListCondition::Kind::fuzzy);
    ask("operation", command.operation, ListCondition::Kind::equal);
    ask("operation_result", command.result, ListCondition::Kind::equal);
    if (command.since || command.until) {
        ListCondition range{"op_time", ListCondition::Kind::range, {"", ""}};
        if (command.since) {
            TRY(const auto from, moment(*command.since, clock));
            range.values[0] = audit_time(from);
        }
        if (command.until) {
            TRY(const auto until, moment(*command.until, clock));
            range.values[1] = audit_time(until);
        }
        query.list.conditions.push_back(std::move(range));
    }
    return query;
}

Result<> show(const AuditShowCommand& command, const Clock& clock)
{
    const auto directory = directory_of(command.data, command.directory);
    std::error_code error;
    if (!std::filesystem::is_directory(directory, error))
        return fail(Errc::not_found, "there is no audit trail: " + directory.string() + " is no directory");
    AuditFiles files{directory};
    AuditReader reader{files};
    TRY(auto query, query_of(command, clock));
    auto left = command.limit == 0 ? ~0UL : command.limit;
    do {
        TRY(const auto page, reader.read_now(query));
        for (const auto& entry : page.entries) {
            if (left == 0) break;
            --left;
            std::string line;
            append_record_line(line, entry.number, entry.record);
            std::fputs(line.c_str(), stdout);
        }
        query.cursor = page.next_cursor;
    } while (left > 0 && !query.cursor.empty());
    return {};
}

}  // namespace

int run_audit_verify(const AuditVerifyCommand& command)
{
    const SystemClock clock;
    AuditFiles files{directory_of(command.data, command.directory)};
    std::string own;
    std::ifstream{std::filesystem::path{command.data} / "instance"} >> own;
    auto instances = instances_to_check(files, own);
    if (!instances) return complain(instances.error());
    if (instances->empty()) return complain(Error{Errc::not_found, "there is no audit trail"});
    const auto database = open_database(command, clock);
    if (!database) return complain(database.error());
    if (const auto added = add_local_chain(**database, own, *instances); !added) return complain(added.error());
    int code = proven;
    for (const auto& instance : *instances) {
        const auto anchors = audit_anchors_in(**database, instance);
        if (!anchors) return complain(anchors.error());
        const auto proof = verify_chain(files, instance, *anchors);
        if (!proof) return complain(proof.error());
        print(instance, *proof);
        if (proof->broken) code = broken;
    }
    return code;
}

int run_audit_show(const AuditShowCommand& command)
{
    const SystemClock clock;
    const auto shown = show(command, clock);
    return shown ? proven : complain(shown.error());
}

}  // namespace entrepot
