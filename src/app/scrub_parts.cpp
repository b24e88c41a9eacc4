#include "app/scrub_parts.hpp"

#include "drivers/upstream/registry_replica.hpp"

#include <chrono>
#include <stdexcept>
#include <utility>

namespace entrepot {
namespace {

std::unique_ptr<BlobReplica> replica_of(const Config& config)
{
    const auto& wanted = config.scrub.replica;
    if (wanted.url.empty()) return nullptr;
    RegistryReplicaOptions options;
    options.url = wanted.url;
    options.user = wanted.user;
    options.password_file = wanted.password_file.string();
    options.ca_file = wanted.ca_file.string();
    auto replica = RegistryReplica::create(std::move(options));
    if (!replica) throw std::runtime_error{"scrub.replica: " + replica.error().message()};
    return *std::move(replica);
}

ScrubOptions usual_options(const Config& config)
{
    ScrubOptions usual;
    usual.rate = config.scrub.rate;
    usual.min_age = std::chrono::microseconds{config.scrub.min_age}.count();
    return usual;
}

}  // namespace

ScrubParts::ScrubParts(
    const Config& config, MetadataStore& store, FilesystemBlobs& blobs, const Clock& clock, Random& random
)
    : catalog_{store.scrub()},
      replica_{replica_of(config)},
      scrub_{
          {.catalog = store.scrub(),
           .blobs = store.blobs(),
           .garbage = store.garbage(),
           .inventory = blobs.inventory(),
           .ingest = blobs,
           .replica = replica_.get(),
           .clock = clock,
           .random = random},
          usual_options(config)
      }
{
}

Task<> ScrubParts::count_findings()
{
    CO_TRY(auto open, co_await catalog_.open_findings());
    const std::lock_guard lock{mutex_};
    open_ = std::move(open);
    co_return Result<>{};
}

void ScrubParts::add_metrics(MetricsText& text) const
{
    using enum FindingKind;
    const std::lock_guard lock{mutex_};
    for (const auto kind : {orphan, missing, rotten, unreadable, wrong_size, stray_upload}) {
        OpenFindings found{.kind = kind};
        for (const auto& open : open_) {
            if (open.kind == kind) found = open;
        }
        const MetricsText::Labels labels{{"kind", name_of(kind)}};
        text.gauge("entrepot_scrub_open_findings", "What scrubs found and is not settled.", found.count, labels);
        text.gauge("entrepot_scrub_open_bytes", "Bytes of the blobs that these are about.", found.bytes, labels);
    }
    text.counter(
        "entrepot_scrub_verified_bytes_total", "Bytes that this instance read again.", scrub_.verified_bytes()
    );
    text.gauge(
        "entrepot_scrub_last_end_seconds",
        "When the last scrub of this instance came to its end, in seconds since 1970; 0: none has.",
        static_cast<std::uint64_t>(scrub_.last_ended() / 1'000'000)
    );
}

}  // namespace entrepot
