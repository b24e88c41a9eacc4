#pragma once

#include "core/clock.hpp"
#include "core/task.hpp"
#include "oci/digest.hpp"
#include "oci/names.hpp"
#include "ports/actor.hpp"
#include "ports/blob_state.hpp"
#include "ports/blob_store.hpp"
#include "ports/list_query.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// What the catalog knows of a blob.
struct KnownBlob {
    Digest digest;
    std::uint64_t size = 0;
    BlobState state = BlobState::live;
};

// Where the catalog and the store don't say the same.
enum class FindingKind : std::uint8_t {
    orphan,        // bytes that the catalog doesn't know or doesn't count on
    missing,       // a repository holds the blob, and its bytes are gone
    rotten,        // its bytes had another digest, and were moved aside
    unreadable,    // the device doesn't give them back
    wrong_size,    // sound, and of another size than the catalog says
    stray_upload,  // bytes of an upload that the catalog doesn't know
};
std::string_view name_of(FindingKind kind) noexcept;  // "stray_upload"

enum class FindingState : std::uint8_t {
    open,
    healed,   // the right bytes are there again
    adopted,  // repositories whose manifests name it hold it now
    deleted,  // removed, or left to garbage collection
    gone,     // a later scrub did not find it any more
};
std::string_view name_of(FindingState state) noexcept;

struct NewFinding {
    FindingKind kind = FindingKind::orphan;
    std::string subject{};   // the digest; of a stray upload its id
    std::uint64_t size = 0;  // of the bytes that are there, else of those that should be
    std::string note{};      // what is there in the place of what should be
};

struct Finding {
    std::int64_t id = 0;
    FindingKind kind = FindingKind::orphan;
    FindingState state = FindingState::open;
    std::string subject;
    std::uint64_t size = 0;
    std::string note;
    Micros first_seen = 0;
    Micros last_seen = 0;
    Micros closed_at = 0;                   // 0: open
    std::vector<std::string> repositories;  // some of those that hold the blob or have a manifest that names it
};

struct OpenFindings {
    FindingKind kind = FindingKind::orphan;
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;
};

// The catalog's side of a scrub (docs/decisions/0017-scrub.md). Each method is one transaction and checks what it was
// told, so that none undoes what others have done meanwhile. Each may answer unavailable; those that write also
// storage_full.
class ScrubCatalog {
public:
    virtual ~ScrubCatalog() = default;

    // In the order of the digests' texts, those after `after` (empty: from the start), at most `limit`.
    virtual Task<std::vector<KnownBlob>> blobs(std::string after, std::int64_t limit) = 0;
    virtual Task<std::optional<KnownBlob>> blob(Digest digest) = 0;
    // Those of the uploads that have a session.
    virtual Task<std::vector<UploadId>> known_uploads(std::vector<UploadId> ids) = 0;

    // A live blob's bytes can't be had: until they are there again nobody reads or links it, and who asks for it before
    // a push is told that it is missing. Whoever holds it goes on holding it. False, with nothing changed, when it is
    // not live.
    virtual Task<bool> lose(NewFinding finding, Actor actor) = 0;

    // The bytes of a lost blob are there since a look that told `sweeps` (BlobCatalog::look). `by` goes into the event.
    // False, with nothing changed, when it is not lost, or its bytes may have been removed since.
    virtual Task<bool> restore(Digest digest, std::int64_t sweeps, std::string by, Actor actor) = 0;

    // Bytes that are there since `sweeps` and that no repository holds are linked into those whose manifests name them.
    // How many; 0, with nothing changed, when none does or the blob is not absent.
    virtual Task<std::uint64_t> adopt(Digest digest, std::uint64_t size, std::int64_t sweeps, Actor actor) = 0;

    // Opens findings that change nothing else, or says that they are still there.
    virtual Task<> report(std::vector<NewFinding> findings, Actor actor) = 0;
    // Those of these subjects that are open.
    virtual Task<> close(std::vector<std::string> subjects, FindingState state, Actor actor) = 0;
    // A scrub of everything has ended: what it has not seen since `began` is there no more. Without `verified` it has
    // not looked for what can't be read. `summary` is a JSON object for the event.
    virtual Task<> finish(Micros began, bool verified, std::string summary, Actor actor) = 0;

    // The newest first; fields: id, kind, state, subject.
    virtual Task<ListPage<Finding>> findings(ListQuery query) = 0;
    virtual Task<std::vector<OpenFindings>> open_findings() = 0;
    // Those closed before; how many went.
    virtual Task<std::uint64_t> forget(Micros closed_before) = 0;
};

}  // namespace entrepot
