#pragma once

#include "ports/backup_target.hpp"
#include "upkeep/backup/backup_manifest.hpp"
#include "upkeep/backup/take_backup.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace entrepot {

// The backups of a target. All block.

// Ids, oldest first.
Result<std::vector<std::string>> backup_ids(BackupTarget& target);
// corrupt, unsupported, not_found.
Result<BackupManifest> load_backup(BackupTarget& target, const std::string& id);

struct BackupProof {
    std::uint64_t backups = 0;
    std::uint64_t chunks = 0;
    std::uint64_t blobs = 0;
    std::uint64_t bytes = 0;
    std::vector<std::string> wrong;  // a line each
};
// Reads the backups and all that they need, and compares it with its names; `quick`: of blobs only whether they are
// there with their size.
Result<BackupProof>
verify_backups(BackupTarget& target, const std::vector<std::string>& ids, bool quick, const BackupProgress& progress);

struct Pruned {
    std::uint64_t backups = 0;
    std::uint64_t objects = 0;
    std::uint64_t bytes = 0;
};
// Removes all but the newest `keep` backups, and what no kept one needs. Nothing while one of those can't be read.
// conflict while another process works with the target.
Result<Pruned> prune_backups(BackupTarget& target, std::size_t keep);

}  // namespace entrepot
