#include "api/token/first_user.hpp"
#include "app/backup_command.hpp"
#include "app/backup_places.hpp"
#include "app/data_directory.hpp"
#include "app/exit_code.hpp"
#include "app/index_parts.hpp"
#include "app/open_store.hpp"
#include "core/run_to_end.hpp"
#include "drivers/filesystem/filesystem_blobs.hpp"
#include "drivers/filesystem/stored_blob_files.hpp"
#include "events/webhooks/webhook_dispatch.hpp"
#include "exchange/replication/replication_dispatch.hpp"
#include "upkeep/backup/kept_backups.hpp"
#include "upkeep/backup/restore_backup.hpp"
#include "upkeep/index/index_replay.hpp"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <ranges>

namespace entrepot {
namespace {

// Kept in the database from its first moment on until it is whole.
constexpr const char* place_setting = "index.rebuild";
// There as long as nothing of what limits changes is asked (drivers/sql/repository_rows.cpp).
constexpr const char* repeating_setting = "index.repeating";

bool is_damage(const Error& error)
{
    return error.code() == Errc::corrupt || error.code() == Errc::not_found || error.code() == Errc::unsupported;
}

// The steps from a store with its index to a database.
class Rebuild {
public:
    Rebuild(const RebuildCommand& command, const Config& config, StoredBlobFiles& blobs)
        : command_{command},
          config_{config},
          blobs_{blobs},
          directory_{config.data, DataDirectory::Use::restoring},
          snapshots_{index_directory(config)},
          journal_{journal_directory(config)}
    {
    }

    Result<int> run()
    {
        TRY(const auto ids, backup_ids(snapshots_));
        TRY(const auto segments, journal_.segments());
        if (ids.empty() && segments.empty()) return no_index();
        TRY(const bool held, journal_.hold());
        if (!held)
            return fail(Errc::conflict, "a server uses the store in " + config_.storage_root().string() + ": stop it");
        bring_back_blobs();
        TRY(auto place, begin(ids));
        store_ = open_store(config_, clock_, [] {}, [] {});
        const auto ended = finish(std::move(place));
        store_->stop();
        return ended;
    }

private:
    std::unexpected<Error> no_index() const
    {
        return fail(
            Errc::not_found,
            "there is no index in " + index_directory(config_).string() +
                ": nothing tells which repositories the blobs belong to. Restore a backup, with --metadata-only where "
                "the blobs are there; or start with an empty database and push again: blobs that are there are kept "
                "until `entrepot ctl scrub run --orphans delete`"
        );
    }

    // Small ones that a power failure left in a journal of their own.
    void bring_back_blobs() const
    {
        FilesystemOptions options;
        options.root = config_.storage_root().string();
        FilesystemBlobs{options}.stop();
    }

    // Where the replay begins, or goes on: a snapshot's rows are in the database by then.
    Result<ReplayPlace> begin(const std::vector<std::string>& ids)
    {
        if (const auto filling = open_filling(config_, clock_); !filling) {
            if (filling.error().code() != Errc::conflict || !directory_.is_unfinished())
                return std::unexpected{filling.error()};
            return place_within(filling.error());
        }
        CHECK(directory_.mark_unfinished());
        for (const auto& id : std::views::reverse(ids)) {
            auto place = bring_snapshot(id);
            if (place || !is_damage(place.error())) return place;
            tell_progress("the snapshot " + id + " can't be used: " + place.error().message());
            is_whole_ = false;
        }
        tell_progress("there is no snapshot: the journal alone is repeated, all projects belong to admin");
        is_whole_ = false;
        return begin_empty();
    }

    Result<ReplayPlace> place_within(const Error& conflict)
    {
        const auto store = open_store(config_, clock_, [] {}, [] {});
        const auto values = run_to_end(store->settings().all());
        store->stop();
        if (!values) return std::unexpected{values.error()};
        const auto found = values->find(place_setting);
        auto place = found == values->end() ? std::nullopt : ReplayPlace::parse(found->second);
        if (!place) return std::unexpected{conflict};
        tell_progress("going on");
        is_whole_ = !place->snapshot.empty();
        if (!is_whole_) return *std::move(place);
        TRY(manifest_, load_backup(snapshots_, place->snapshot));
        return *std::move(place);
    }

    Result<ReplayPlace> bring_snapshot(const std::string& id)
    {
        TRY(auto manifest, load_backup(snapshots_, id));
        if (!manifest.journal) return fail(Errc::unsupported, "it does not say where its journal goes on");
        ReplayPlace place{.from = *manifest.journal, .segment = 0, .records = 0, .troubles = 0, .snapshot = id};
        tell_progress("bringing back the snapshot " + id);
        DirectoryFiles none{config_.data, is_any_file};
        RestoreBackup restore{
            manifest,
            snapshots_,
            {.open_filling = [this] { return open_filling(config_, clock_); },
             .blobs = blobs_,
             .audit = none,
             .directory = none},
            {.without_keys = command_.without_keys, .without_blobs = true, .setting = {place_setting, place.text()}},
            clock_,
            tell_progress
        };
        TRY(const auto report, restore.run());
        rows_ = report.rows;
        is_whole_ = is_whole_ && report.wrong.empty();
        manifest_ = std::move(manifest);
        return place;
    }

    Result<ReplayPlace> begin_empty()
    {
        open_store(config_, clock_, [] {}, [] {})->stop();
        const ReplayPlace place;
        CHECK(note_setting(config_, place_setting, place.text(), clock_));
        return place;
    }

    Result<int> finish(ReplayPlace place)
    {
        const char* const given = std::getenv("ENTREPOT_ADMIN_PASSWORD");
        TRY(const auto password,
            run_to_end(ensure_admin(
                store_->accounts(), given ? std::optional<std::string>{given} : std::nullopt, clock_, random_
            )));
        if (password) std::printf("first user: admin, password: %s   (shown this once)\n", password->c_str());
        CHECK(note_setting(config_, repeating_setting, "yes", clock_));
        TRY(const auto report, repeat_journal(std::move(place)));
        CHECK(pass_over_events());
        CHECK(end_journal());
        CHECK(forget_setting(repeating_setting));
        CHECK(directory_.mark_finished());
        CHECK(forget_setting(place_setting));
        CHECK(tell_of_keys(manifest_, config_, "rebuild"));
        return print(report);
    }

    Result<IndexReplay::Report> repeat_journal(ReplayPlace place)
    {
        IndexReplay replay{
            {.projects = store_->projects(),
             .repositories = store_->repositories(),
             .renames = store_->renames(),
             .manifests = store_->manifests(),
             .links = store_->blobs(),
             .scrub = store_->scrub(),
             .blobs = blobs_,
             .files = journal_,
             .clock = clock_,
             .progress = tell_progress,
             .keep = [this](const ReplayPlace& at) { return note_setting(config_, place_setting, at.text(), clock_); },
             .expire_tags = config_.retention.expiry_labels},
            std::move(place)
        };
        return run_to_end(replay.run());
    }

    Result<> forget_setting(const char* name)
    {
        return run_to_end(store_->settings().change({{name, std::nullopt}}, {0, clock_.now()}));
    }

    // What was repeated was told when it happened, to webhooks and to other registries.
    Result<> pass_over_events()
    {
        TRY(const auto events, run_to_end(store_->events().settle()));
        for (const char* consumer : {WebhookDispatch::consumer, ReplicationDispatch::consumer}) {
            TRY(const auto at, run_to_end(store_->events().cursor(consumer)));
            if (at >= events.newest) continue;
            CHECK(run_to_end(store_->events().advance(consumer, at, events.newest, {})));
        }
        return {};
    }

    // The new database numbers its events anew: what a server writes next does not go on where this journal ends.
    Result<> end_journal()
    {
        TRY(const auto segments, journal_.segments());
        std::string bytes;
        append_record(bytes, {.kind = IndexRecord::Kind::segment, .sequence = -1, .at = clock_.now()});
        return journal_.begin(segments.empty() ? 1 : segments.back() + 1, bytes);
    }

    int print(const IndexReplay::Report& report) const
    {
        const bool whole = is_whole_ && report.missing.empty() && report.not_repeated == 0 && report.gaps == 0 &&
                           report.damaged_bytes == 0;
        std::printf(
            "snapshot %s: %" PRIu64 " rows; journal: %" PRIu64 " records (%" PRIu64 " manifests, %" PRIu64
            " tags, %" PRIu64 " removals, %" PRIu64 " renames), %" PRIu64 " not repeated; %" PRIu64 " blobs of %" PRIu64
            " bytes are there, %zu missing\n",
            manifest_.id.empty() ? "none" : manifest_.id.c_str(),
            rows_,
            report.records,
            report.manifests,
            report.tags,
            report.removals,
            report.renames,
            report.not_repeated,
            report.blobs,
            report.bytes,
            report.missing.size()
        );
        const auto until = std::max(report.at, manifest_.snapshot_at);
        std::printf("repositories are those of event %" PRId64 ", %s\n", report.sequence, rfc3339(until).c_str());
        if (!manifest_.id.empty()) {
            std::printf(
                "users, robots, grants, rules, labels and settings are those of %s: look through them\n",
                rfc3339(manifest_.snapshot_at).c_str()
            );
        }
        if (report.damaged_bytes > 0)
            std::printf("DAMAGED: %" PRIu64 " bytes of the journal could not be read\n", report.damaged_bytes);
        if (report.gaps > 0) std::printf("GAPS: the journal lacks events in %" PRIu64 " places\n", report.gaps);
        for (const auto& digest : report.missing) std::printf("MISSING: %s\n", digest.c_str());
        return whole ? exit_code::success : exit_code::incomplete;
    }

    const RebuildCommand& command_;
    const Config& config_;
    StoredBlobFiles& blobs_;
    SystemClock clock_;
    SystemRandom random_;
    DataDirectory directory_;
    BackupDirectory snapshots_;
    IndexDirectory journal_;
    BackupManifest manifest_;  // of the snapshot, without an id where there is none
    std::unique_ptr<MetadataStore> store_;
    std::uint64_t rows_ = 0;
    bool is_whole_ = true;
};

Result<int> rebuild(const RebuildCommand& command, const Config& config)
{
    TRY(auto blobs, StoredBlobFiles::open_store(config.storage_root(), false));
    return Rebuild{command, config, blobs}.run();
}

}  // namespace

int run_rebuild(const RebuildCommand& command)
{
    return run_on_place(command.config_file, command.flags, [&](const Config& config) {
        return rebuild(command, config);
    });
}

}  // namespace entrepot
