#include "app/index_parts.hpp"

#include "app/backup_places.hpp"
#include "app/version.hpp"
#include "core/run_to_end.hpp"

#include <algorithm>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

// A registry that has just been made has little to keep, and its journal has it.
constexpr std::chrono::seconds before_first{600};
constexpr auto between_orders = 1min;

}  // namespace

std::filesystem::path index_directory(const Config& config)
{
    return config.storage_root() / "index";
}

std::filesystem::path journal_directory(const Config& config)
{
    return index_directory(config) / "journal";
}

IndexParts::IndexParts(
    const Config& config, MetadataStore& store, const Clock& clock, Random& random, const std::string& master_key
)
    : config_{config},
      queue_{store.job_queue()},
      clock_{clock},
      started_{clock.steady()},
      journal_{journal_directory(config)},
      read_journal_{journal_directory(config)},
      snapshots_{index_directory(config)},
      written_snapshots_{index_directory(config)},
      writer_{
          {.files = journal_,
           .snapshots = snapshots_,
           .log = store.events(),
           .manifests = store.manifests(),
           .projects = store.projects(),
           .pool = pool_,
           .clock = clock}
      },
      snapshot_{
          {.open_snapshot = [&config, &clock] { return open_snapshot(config, clock); },
           .target = written_snapshots_,
           .files = read_journal_,
           .log = store.events(),
           .pool = pool_,
           .clock = clock,
           .random = random,
           .engine = config.uses_postgres() ? "postgresql" : "sqlite",
           .program = version_text,
           .master_key = master_key}
      }
{
}

std::vector<Background::Chore> IndexParts::chores()
{
    if (!config_.index.enabled) return {};
    return {
        {.name = "index journal", .every = 1s, .run = [this] { return writer_.run(); }},
        {.name = "index snapshots", .every = 1s, .run = [this] { return order_snapshot(); }},
    };
}

void IndexParts::stop()
{
    // Says itself what goes wrong.
    if (writer_.is_writer()) (void)run_to_end(writer_.run());
    pool_.join();
}

bool IndexParts::is_due() const
{
    if (!writer_.is_writer()) return false;
    if (writer_.wants_snapshot()) return true;
    const auto every = config_.index.every;
    if (writer_.last_snapshot() == 0) return clock_.steady() - started_ >= std::min(every, before_first);
    return clock_.now() - writer_.last_snapshot() >= std::chrono::microseconds{every}.count();
}

Task<> IndexParts::order_snapshot()
{
    const auto now = clock_.steady();
    const bool was_ordered = ordered_ != std::chrono::steady_clock::time_point{};
    if (!is_due() ||
        (was_ordered && now - ordered_ < std::min<std::chrono::seconds>(config_.index.every, between_orders)))
        co_return Result<>{};
    ordered_ = now;
    NewJob job;
    job.kind = IndexSnapshot::kind;
    job.trigger = "schedule";
    job.unique_key = IndexSnapshot::kind;
    job.actor = {0, clock_.now()};
    std::vector<NewJob> jobs;
    jobs.push_back(std::move(job));
    CO_CHECK(co_await queue_.add(std::move(jobs)));
    co_return Result<>{};
}

}  // namespace entrepot
