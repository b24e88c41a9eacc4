#include "app/backup_places.hpp"

#include "api/token/master_key.hpp"
#include "app/backup_metrics.hpp"
#include "app/exit_code.hpp"
#include "drivers/postgres/postgres_copy.hpp"
#include "drivers/sqlite/sqlite_copy.hpp"

#include <cstdio>
#include <fstream>
#include <iterator>

namespace entrepot {

Result<std::unique_ptr<MetadataSnapshot>> open_snapshot(const Config& config, const Clock& clock)
{
    if (config.uses_postgres()) return open_postgres_snapshot(config.database.url, clock);
    return open_sqlite_snapshot(config.sqlite_file());
}

Result<std::unique_ptr<MetadataFilling>> open_filling(const Config& config, const Clock& clock)
{
    if (config.uses_postgres()) return open_postgres_filling(config.database.url, clock);
    return open_sqlite_filling(config.sqlite_file(), clock);
}

Result<> note_backup(const Config& config, const Clock& clock)
{
    const auto time = std::to_string(clock.now());
    if (config.uses_postgres()) return note_in_postgres(config.database.url, BackupMetrics::setting, time, clock);
    return note_in_sqlite(config.sqlite_file(), BackupMetrics::setting, time, clock);
}

Result<std::string> master_key_text(const Config& config)
{
    auto text = config.auth.master_key;
    if (text.empty()) {
        const auto& configured = config.auth.master_key_file;
        const auto file = configured.empty() ? config.data / "master.key" : configured;
        std::error_code error;
        if (!std::filesystem::exists(file, error)) return std::string{};
        std::ifstream stream{file};
        text.assign(std::istreambuf_iterator<char>{stream}, {});
        if (!stream) return fail(Errc::unavailable, "the master key file " + file.string() + " can't be read");
    }
    CHECK(MasterKey::parse(text));
    return text;
}

std::string fingerprint_of(const std::string& master_key)
{
    const auto key = MasterKey::parse(master_key);
    return key ? key->fingerprint() : std::string{};
}

bool is_audit_file(std::string_view name)
{
    return name != "lock";
}

bool is_any_file(std::string_view)
{
    return true;
}

void tell_progress(const std::string& line)
{
    const SystemClock clock;
    std::fprintf(stderr, "%s %s\n", rfc3339(clock.now()).c_str(), line.c_str());
}

int complain_of(const Error& error)
{
    const auto detail = error.detail().empty() ? std::string{} : " (" + error.detail() + ")";
    std::fprintf(stderr, "entrepot: %s%s\n", error.message().c_str(), detail.c_str());
    return exit_code::failure;
}

}  // namespace entrepot
