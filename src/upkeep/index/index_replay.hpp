#pragma once

#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/blob_catalog.hpp"
#include "ports/index_files.hpp"
#include "ports/manifest_catalog.hpp"
#include "ports/project_catalog.hpp"
#include "ports/rename_catalog.hpp"
#include "ports/repository_catalog.hpp"
#include "ports/scrub_catalog.hpp"
#include "ports/stored_files.hpp"
#include "upkeep/backup/backup_manifest.hpp"
#include "upkeep/backup/take_backup.hpp"
#include "upkeep/index/index_record.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// How far a journal has been repeated, as it is kept in the database that is being rebuilt: a replay that was killed
// goes on there.
struct ReplayPlace {
    BackupManifest::Journal from;  // where the snapshot stands
    std::int64_t segment = 0;      // all of those before it is done
    std::int64_t records = 0;      // and so many of this one
    std::int64_t troubles = 0;     // records that could not be repeated
    std::string snapshot{};        // its name; empty: there was none

    std::string text() const;
    static std::optional<ReplayPlace> parse(std::string_view text);
};

// Repeats the journal beside the blobs on a catalog that has a snapshot's rows, or none
// (docs/decisions/0021-index-beside-the-blobs.md). Nobody else uses the catalog. One thread.
class IndexReplay {
public:
    struct Parts {
        ProjectCatalog& projects;
        RepositoryCatalog& repositories;
        RenameCatalog& renames;
        ManifestCatalog& manifests;
        BlobCatalog& links;
        ScrubCatalog& scrub;
        BlobFiles& blobs;
        IndexFiles& files;
        const Clock& clock;
        BackupProgress progress;
        // Keeps the place, durable when it answers.
        std::function<Result<>(const ReplayPlace&)> keep;
        bool expire_tags = false;  // as PushManifest has it
    };
    struct Report {
        std::uint64_t records = 0;
        std::uint64_t manifests = 0;
        std::uint64_t tags = 0;
        std::uint64_t removals = 0;
        std::uint64_t renames = 0;
        std::int64_t sequence = 0;  // of the newest event that is known to be in it
        Micros at = 0;              // its time
        std::uint64_t damaged_bytes = 0;
        std::uint64_t gaps = 0;
        std::uint64_t not_repeated = 0;     // by runs that were killed as well
        std::vector<std::string> troubles;  // of this run, a line each, at most `most_troubles`
        std::uint64_t blobs = 0;
        std::uint64_t bytes = 0;
        std::vector<std::string> missing;  // digests of blobs that manifests need
    };
    static constexpr std::size_t most_troubles = 1'000;

    IndexReplay(Parts parts, ReplayPlace place) : parts_{std::move(parts)}, place_{std::move(place)} {}

    // unavailable, storage_full; what can't be repeated is a trouble, and the rest is.
    Task<Report> run();

private:
    Task<> repeat(std::int64_t segment);
    Task<> repeat(const IndexRecord& record);
    Task<> apply(const IndexRecord& record);
    Task<> put_project(const IndexRecord& record);
    Task<> rename_project(const IndexRecord& record);
    Task<> remove_project(const IndexRecord& record);
    Task<> put_manifest(const IndexRecord& record);
    Task<> link_blobs(const RepositoryName& repository, const Manifest& manifest);
    Task<> put_tag(const IndexRecord& record);
    Task<> rename_repository(const IndexRecord& record);
    Task<> give_up_name(const IndexRecord& record);
    Task<> commit(NewManifest manifest);
    Task<> make_project(const RepositoryName& repository);
    Task<> check_blobs();
    Task<> check_blob(const KnownBlob& blob);
    Result<ArtifactView> view(const Manifest& manifest, std::string_view bytes);
    Actor actor(const IndexRecord& record) const;
    void tell_now_and_then(const std::string& doing);

    Parts parts_;
    ReplayPlace place_;
    Report report_;
    std::chrono::steady_clock::time_point told_{};
};

}  // namespace entrepot
