#pragma once

#include "app/background.hpp"
#include "app/config.hpp"
#include "core/metrics.hpp"
#include "drivers/filesystem/backup_directory.hpp"
#include "drivers/filesystem/index_directory.hpp"
#include "ports/metadata_store.hpp"
#include "upkeep/index/index_snapshot.hpp"
#include "upkeep/index/index_writer.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace entrepot {

// Where the index of a store lies, and its journal.
std::filesystem::path index_directory(const Config& config);
std::filesystem::path journal_directory(const Config& config);

// The index that a store keeps beside its blobs: its journal, and the snapshots that jobs take.
class IndexParts {
public:
    // `master_key`: its fingerprint.
    IndexParts(
        const Config& config, MetadataStore& store, const Clock& clock, Random& random, const std::string& master_key
    );
    ~IndexParts() { pool_.join(); }
    IndexParts(const IndexParts&) = delete;
    IndexParts& operator=(const IndexParts&) = delete;

    // The handler of the jobs IndexSnapshot::kind.
    JobHandler& snapshot() noexcept { return snapshot_; }
    std::vector<Background::Chore> chores();
    void add_metrics(MetricsText& text) const { writer_.add_metrics(text); }
    // When neither chores nor jobs run any more, and before the metadata store stops: writes what is left. Blocks.
    void stop();

private:
    Task<> order_snapshot();
    bool is_due() const;

    const Config& config_;
    JobQueue& queue_;
    const Clock& clock_;
    const std::chrono::steady_clock::time_point started_;
    std::chrono::steady_clock::time_point ordered_{};
    asio::thread_pool pool_{2};  // the journal's and the snapshot's
    // Two of each: none is asked by two threads at once.
    IndexDirectory journal_;
    IndexDirectory read_journal_;
    BackupDirectory snapshots_;
    BackupDirectory written_snapshots_;
    IndexWriter writer_;
    IndexSnapshot snapshot_;
};

}  // namespace entrepot
