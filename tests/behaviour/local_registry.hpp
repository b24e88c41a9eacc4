#pragma once

#include "core/run_to_end.hpp"
#include "drivers/memory/memory_blobs.hpp"
#include "drivers/sqlite/sqlite_store.hpp"
#include "registry/local_site.hpp"
#include "tenancy/access_directory.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace entrepot {

// The verbs of the registry on a real SQLite catalog and blobs in memory.
class LocalRegistry {
public:
    LocalRegistry()
    {
        Account account;
        account.name = "admin";
        account.credential_version = 1;
        admin_id = run_to_end(store->accounts().create_admin(account))->id;
        if (!run_to_end(directory.catch_up())) std::abort();
    }
    ~LocalRegistry()
    {
        parsing.join();
        reading.join();
        store->stop();
        store.reset();
        std::filesystem::remove_all(place);
    }
    LocalRegistry(const LocalRegistry&) = delete;
    LocalRegistry& operator=(const LocalRegistry&) = delete;

    LocalSite::Parts parts()
    {
        return {
            .pull = pull,
            .uploads = uploads,
            .push_manifest = push_manifest,
            .manifests = store->manifests(),
            .links = store->blobs(),
            .projects = store->projects(),
            .policy = policy,
            .catch_up = [this] { return directory.catch_up(); },
            .read_only = [this] { return read_only; },
            .reading = reading,
            .clock = clock,
        };
    }
    std::vector<Event> events(std::string_view type)
    {
        (void)run_to_end(store->events().settle());
        auto all = run_to_end(store->events().read(0, 1000)).value();
        std::erase_if(all, [&](const Event& event) { return event.type != type; });
        return all;
    }

    static std::string make_directory()
    {
        std::string made = std::filesystem::temp_directory_path() / "entrepot-local-site-XXXXXX";
        if (::mkdtemp(made.data()) == nullptr) std::abort();
        return made;
    }
    static std::unique_ptr<MetadataStore> open(const std::string& in, const Clock& clock)
    {
        SqliteOptions options;
        options.file = in + "/db";
        return open_sqlite_store(options, clock);
    }

    std::string place = make_directory();
    SystemClock clock;
    SystemRandom random;
    std::unique_ptr<MetadataStore> store{open(place, clock)};
    MemoryBlobs blobs;
    AccessPolicy policy{ProjectCreation::nobody, clock};
    AccessDirectory directory{store->access(), policy};
    ProjectGate gate{policy, store->projects(), [this] { return directory.catch_up(); }};
    PullLedger ledger{store->pulls(), clock};
    Pull pull{store->manifests(), store->blobs(), blobs, ledger, clock, 7'200'000'000};
    asio::thread_pool parsing{1};
    asio::thread_pool reading{1};
    PushManifest push_manifest{{store->manifests(), store->blobs(), blobs}, gate, parsing, {}};
    Uploads uploads{store->uploads(), store->blobs(), blobs, gate, random, clock, {}};
    std::int64_t admin_id = 0;
    bool read_only = false;
};

}  // namespace entrepot
