#pragma once

#include "core/random.hpp"
#include "core/task.hpp"
#include "ports/blob_catalog.hpp"
#include "ports/blob_inventory.hpp"
#include "ports/blob_replica.hpp"
#include "ports/blob_store.hpp"
#include "ports/scrub_catalog.hpp"
#include "upkeep/scrub/scrub_round.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace entrepot {

// One blob at a time: whether its bytes are the right ones, and what is done where they aren't. Every step may be
// repeated after a kill, and none takes away what others have stored meanwhile (docs/decisions/0017-scrub.md).
class BlobRepair {
public:
    struct Needs {
        ScrubCatalog& catalog;
        BlobCatalog& blobs;
        BlobInventory& inventory;
        BlobIngest& ingest;
        BlobReplica* replica = nullptr;  // null: nothing can be fetched
        Random& random;
        std::atomic<std::uint64_t>& verified_bytes;
    };
    explicit BlobRepair(const Needs& needs) : needs_{needs} {}

    // Of a blob that is held and was not listed in the store.
    Task<> missing(ScrubRound& round, KnownBlob blob);
    // Of one that was: reads all of it.
    Task<> verify(ScrubRound& round, KnownBlob blob);
    // Of bytes that no repository holds: whether they have their digest. False also when the run is to stop.
    Task<bool> sound(ScrubRound& round, Digest digest);

private:
    enum class Verdict { sound, rotten, unreadable, gone, stopped };
    struct Looked {
        Verdict verdict = Verdict::gone;
        std::unique_ptr<BlobCheck> check;
    };
    Task<Looked> look_at(ScrubRound& round, Digest digest);
    Task<> rotten(ScrubRound& round, KnownBlob blob, BlobCheck& check, std::string note);
    Task<> unreadable(ScrubRound& round, KnownBlob blob, BlobCheck& check);
    Task<> lost(ScrubRound& round, KnownBlob blob, NewFinding finding);
    Task<bool> restore(ScrubRound& round, Digest digest, std::string by);
    Task<bool> heal(ScrubRound& round, KnownBlob blob);
    Task<> fetch(ScrubRound& round, RepositoryName repository, KnownBlob blob);

    const Needs needs_;
};

}  // namespace entrepot
