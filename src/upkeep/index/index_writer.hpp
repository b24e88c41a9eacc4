#pragma once

#include "core/clock.hpp"
#include "core/metrics.hpp"
#include "core/task.hpp"
#include "ports/backup_target.hpp"
#include "ports/event_log.hpp"
#include "ports/index_files.hpp"
#include "upkeep/index/index_changes.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace entrepot {

// Keeps the journal of the index beside the blobs (docs/decisions/0021-index-beside-the-blobs.md): follows the log of
// events, as far behind as run() is called seldom, and writes what changed. Of all instances one does; how far it is
// stands in the journal itself. Fails quietly: nobody's push waits for it. run() is called by one at a time.
class IndexWriter {
public:
    struct Parts {
        IndexFiles& files;
        BackupTarget& snapshots;
        EventLog& log;
        ManifestCatalog& manifests;
        ProjectCatalog& projects;
        asio::thread_pool& pool;  // where files are written
        const Clock& clock;
    };
    explicit IndexWriter(const Parts& parts) : parts_{parts}, changes_{parts.manifests, parts.projects} {}

    // A chore.
    Task<> run();

    // A snapshot has to make up for something: events were lost, or what the journal has is damaged.
    bool wants_snapshot() const noexcept { return wants_snapshot_.load(); }
    bool is_writer() const noexcept { return is_writer_.load(); }
    Micros last_snapshot() const noexcept { return last_snapshot_.load(); }  // 0: none
    void add_metrics(MetricsText& text) const;

private:
    struct Position {
        std::int64_t sequence = 0;
        Micros at = 0;
    };
    struct Found {                 // in the journal
        std::int64_t segment = 0;  // the last
        std::int64_t marked = 0;   // the last that does not go on where the one before ended
        bool is_empty = false;     // nothing is lost when that segment is made anew
        bool is_damaged = false;
        std::optional<Position> position;
    };
    struct Snapshots {
        std::string newest;
        Micros at = 0;
        std::int64_t newest_segment = 0;  // that the newest needs
        std::int64_t oldest_segment = 0;  // that any of them needs
    };

    Task<> step();
    Task<> open();
    Task<Position> newest_event();
    Task<bool> goes_on(Position position, EventRange range);
    Task<> begin_segment(bool goes_on, Position from);
    void want_snapshot();
    Task<> look_ahead(std::int64_t newest);
    // True when there was something.
    Task<bool> follow();
    Task<> write(std::string bytes, Position to);
    Task<> tidy();
    static Result<Found> find_position(IndexFiles& files);
    static Result<Snapshots> find_snapshots(BackupTarget& target);

    Parts parts_;
    IndexChanges changes_;
    bool is_open_ = false;
    std::int64_t segment_ = 0;
    Position position_;         // all events up to here are in the journal, or need not be
    std::int64_t written_ = 0;  // what the journal says itself
    std::chrono::steady_clock::time_point written_at_{};
    std::vector<IndexRename> renames_;  // newer than `position_`, up to `seen_`
    std::int64_t seen_ = 0;
    std::string snapshot_;             // the newest that is known here
    std::int64_t wanted_segment_ = 0;  // a snapshot makes up for what is missing when it is from then on
    bool is_tidied_ = false;
    std::chrono::steady_clock::time_point tidied_at_{};
    bool told_ = false;  // of the failure that goes on

    std::atomic<bool> is_writer_{false};
    std::atomic<bool> wants_snapshot_{false};
    std::atomic<Micros> last_snapshot_{0};
    std::atomic<std::int64_t> lag_{0};
    std::atomic<std::uint64_t> errors_{0};
    std::atomic<std::uint64_t> gaps_{0};
    std::atomic<std::uint64_t> bytes_{0};
};

}  // namespace entrepot
