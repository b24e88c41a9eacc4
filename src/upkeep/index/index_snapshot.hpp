#pragma once

#include "core/clock.hpp"
#include "core/random.hpp"
#include "ports/backup_target.hpp"
#include "ports/event_log.hpp"
#include "ports/index_files.hpp"
#include "ports/job_handler.hpp"
#include "ports/metadata_copy.hpp"
#include "upkeep/backup/backup_manifest.hpp"

#include <functional>
#include <memory>
#include <string>

namespace entrepot {

// The job that takes a snapshot of the index beside the blobs: a backup of the metadata alone. The newest two stay.
class IndexSnapshot final : public JobHandler {
public:
    static constexpr const char* kind = "index.snapshot";

    struct Parts {
        std::function<Result<std::unique_ptr<MetadataSnapshot>>()> open_snapshot;
        BackupTarget& target;
        IndexFiles& files;
        EventLog& log;
        asio::thread_pool& pool;  // one thread of it works as long as a snapshot takes
        const Clock& clock;
        Random& random;
        std::string engine;
        std::string program;
        std::string master_key;  // fingerprint
    };
    explicit IndexSnapshot(Parts parts) : parts_{std::move(parts)} {}

    Task<JobEnd> run(JobRun& run) override;

private:
    Result<BackupManifest> take();
    Result<std::unique_ptr<MetadataSnapshot>> open(BackupManifest::Journal& journal);
    Result<bool> has_renames(std::int64_t after, std::int64_t up_to);
    Result<BackupManifest> take_once();
    Result<std::size_t> drop_damaged(const BackupManifest& manifest);
    Result<> prune();

    Parts parts_;
};

}  // namespace entrepot
