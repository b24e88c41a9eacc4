#pragma once

#include "core/random.hpp"
#include "core/task_group.hpp"
#include "exchange/proxy/blob_fetch.hpp"
#include "exchange/proxy/upstream_desk.hpp"
#include "ports/blob_catalog.hpp"
#include "ports/blob_store.hpp"
#include "ports/proxy_catalog.hpp"
#include "ports/upload_catalog.hpp"
#include "ports/upload_view.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace entrepot {

// Brings blobs here from upstreams: one fetch for all who want one, among all instances that share the catalogs. A
// fetch is an upload of the store: killed, it is gone on with by whoever asks next.
class ProxyBlobs {
public:
    struct Needs {
        ProxyCatalog& catalog;
        BlobCatalog& links;
        UploadCatalog& sessions;
        BlobIngest& store;
        UploadViews& views;
        UpstreamDesk& desk;
        Random& random;
        const Clock& clock;
    };
    struct Options {
        bool alone = false;         // no other instance uses the catalogs: earlier claims are of the dead
        Micros lease = 15'000'000;  // of a claim
        int most_breaks = 8;        // in a row, without a byte between
        std::uint64_t checkpoint = 64ULL << 20;
    };
    // Fetches run on `loop`, by one thread.
    ProxyBlobs(Needs needs, asio::io_context& loop, Options options);

    // The fetch of a blob that is not here: the one that runs, or a new one. `size`: as a manifest describes it. What
    // an earlier one failed with, for a while; blob_unknown.
    Task<BlobFetchPtr>
    fetch(OpenProxyPtr proxy, RepositoryName repository, Digest digest, std::optional<std::uint64_t> size);

    std::size_t running() const;
    // Ends all fetches; none begins any more. They can be gone on with.
    asio::awaitable<void> drain();

private:
    struct Run;
    struct Failure {
        Error error;
        Micros until = 0;
    };
    // What each proxy has under way. On the loop alone, and as long there as a fetch is.
    struct Traffic {
        int fetches = 0;
        std::chrono::steady_clock::time_point paid_until{};
    };
    struct Lanes {
        std::map<std::int64_t, Traffic> traffic;
        Bell turns;
    };
    class Turn;
    using Key = std::pair<std::int64_t, std::string>;

    asio::awaitable<void> run(std::shared_ptr<Run> run);
    asio::awaitable<void> keep_claim(std::shared_ptr<Run> run);
    Task<bool> bring(Run& run);
    Task<bool> is_here(const Run& run);
    Task<bool> linked_from_sibling(Run& run);
    Task<bool> own(Run& run);
    Task<bool> follow(Run& run);
    Task<bool> ended(Run& run, UploadView* watched, std::uint64_t size);
    Task<bool> is_whole(const Run& run, UploadView& view, std::uint64_t size);
    Task<> wait_for_turn(const OpenProxy& proxy);

    Task<bool> transfer(Run& run);
    Task<> open(Run& run);
    Task<> open_source(Run& run);
    Task<> take_up(Run& run);
    Task<> open_upload(Run& run);
    Task<> write_down(Run& run);
    Task<> copy(Run& run);
    Task<> reopen(Run& run);
    struct Pumped {
        bool ended = false;
        std::optional<Error> broke;
    };
    Task<Pumped> pump(Run& run);
    Task<> written_some(Run& run, bool flush);
    Task<> keep_to_rate(Run& run, std::uint64_t bytes);
    Task<> hold_claim(Run& run);
    Task<bool> complete(Run& run);
    Task<> arrive(Run& run);
    Task<> drop_upload(Run& run);

    Actor actor() const { return {.user_id = 0, .at = needs_.clock.now(), .via = Via::copy}; }
    std::optional<Error> failed_lately(const std::string& key);
    void remember_failure(const Run& run, const Error& error);

    Needs needs_;
    asio::io_context& loop_;
    const Options options_;
    const std::string owner_;
    mutable std::mutex mutex_;
    std::map<Key, std::shared_ptr<BlobFetch>> running_;
    std::unordered_map<std::string, Failure> failures_;
    const std::shared_ptr<Lanes> lanes_ = std::make_shared<Lanes>();
    TaskGroup tasks_;
};

// The upstream's name of what is asked for here. name_unknown where nothing can be cached by that name.
Result<RepositoryName> upstream_name(const OpenProxy& proxy, const RepositoryName& repository);

}  // namespace entrepot
