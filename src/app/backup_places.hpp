#pragma once

#include "app/backup_command.hpp"
#include "core/clock.hpp"
#include "ports/metadata_copy.hpp"
#include "ports/stored_files.hpp"
#include "upkeep/backup/backup_manifest.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace entrepot {

// What backup and restore make of a configuration.
Result<std::unique_ptr<MetadataSnapshot>> open_snapshot(const Config& config, const Clock& clock);
Result<std::unique_ptr<MetadataFilling>> open_filling(const Config& config, const Clock& clock);
// A setting that is kept beside a running server, without an event.
Result<> note_setting(const Config& config, std::string_view name, std::string_view value, const Clock& clock);
// When the last whole backup ended, for the server's metrics.
Result<> note_backup(const Config& config, const Clock& clock);

// The master key's text, as it is configured or lies in the data directory; empty where there is none yet.
Result<std::string> master_key_text(const Config& config);
std::string fingerprint_of(const std::string& master_key);  // empty for none

// Says what can't be read without the key that the manifest's secrets are sealed under.
Result<> tell_of_keys(const BackupManifest& manifest, const Config& config, std::string_view command);

// The audit trail's files without their locks.
bool is_audit_file(std::string_view name);
bool is_any_file(std::string_view name);

// To standard error, with the time.
void tell_progress(const std::string& line);
// Loads the configuration, goes on as the owner of its data directory, and does the work: the exit code. What fails is
// told on standard error.
int run_on_place(
    const std::optional<std::string>& config_file,
    const ConfigFlags& flags,
    const std::function<Result<int>(const Config&)>& work
);

// To standard error; exit_code::failure.
int complain_of(const Error& error);

}  // namespace entrepot
