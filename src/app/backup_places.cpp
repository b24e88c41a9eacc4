#include "app/backup_places.hpp"

#include "api/token/master_key.hpp"
#include "app/act_as_owner.hpp"
#include "app/backup_metrics.hpp"
#include "app/exit_code.hpp"
#include "core/log.hpp"
#include "drivers/postgres/postgres_copy.hpp"
#include "drivers/sqlite/sqlite_copy.hpp"

#include <cstdio>
#include <filesystem>
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

Result<> note_setting(const Config& config, std::string_view name, std::string_view value, const Clock& clock)
{
    if (config.uses_postgres()) return note_in_postgres(config.database.url, name, value, clock);
    return note_in_sqlite(config.sqlite_file(), name, value, clock);
}

Result<> note_backup(const Config& config, const Clock& clock)
{
    return note_setting(config, BackupMetrics::setting, std::to_string(clock.now()), clock);
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

Result<> tell_of_keys(const BackupManifest& manifest, const Config& config, std::string_view command)
{
    TRY(const auto key, master_key_text(config));
    const auto ours = fingerprint_of(key);
    if (manifest.master_key.empty() || ours == manifest.master_key) return {};
    std::fprintf(
        stderr,
        "entrepot: the master key %s. The backup's secrets are sealed under the one with the fingerprint %s: put it "
        "there before the server starts, which can't read its signing keys and the secrets of webhooks without it. If "
        "it is lost, %s with --without-keys.\n",
        ours.empty() ? "is not there" : ("is another one, " + ours).c_str(),
        manifest.master_key.c_str(),
        std::string{command}.c_str()
    );
    return {};
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

int run_on_place(
    const std::optional<std::string>& config_file,
    const ConfigFlags& flags,
    const std::function<Result<int>(const Config&)>& work
)
{
    log::configure(log::Level::warning, log::Format::text);
    const auto config = load_config(config_file, process_environment(), flags);
    if (!config) {
        std::fprintf(stderr, "%s\n", config.error().message().c_str());
        return exit_code::configuration;
    }
    std::error_code error;
    if (std::filesystem::exists(config->data, error)) act_as_owner(config->data);
    const auto ended = work(*config);
    return ended ? *ended : complain_of(ended.error());
}

}  // namespace entrepot
