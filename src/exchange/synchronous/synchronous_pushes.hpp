#pragma once

#include "access/policy.hpp"
#include "core/metrics.hpp"
#include "core/task_group.hpp"
#include "exchange/synchronous/site_copier.hpp"
#include "exchange/synchronous/upload_relays.hpp"
#include "ports/push_copies.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace entrepot {

// What a push to a synchronous project waits for, and what brings the sites up to date that were not there
// (docs/decisions/0025-synchronous-projects.md). Copies run on a thread of their own, to all sites at once. Safe from
// any loop; tasks resume on their caller's.
class SynchronousPushes final : public PushCopies {
public:
    struct Needs {
        const AccessPolicy& policy;
        SiteCopier::Parts copier;  // its loop is run here, by one thread, until stop()
    };
    explicit SynchronousPushes(Needs needs);
    ~SynchronousPushes() override;
    SynchronousPushes(const SynchronousPushes&) = delete;
    SynchronousPushes& operator=(const SynchronousPushes&) = delete;

    bool concerns(const RepositoryName& repository) const override;
    Task<bool> concerns_now(RepositoryName repository) override;
    void blob_comes(
        const RepositoryName& repository, DigestAlgorithm algorithm, const UploadId& upload, std::uint64_t bytes
    ) override;
    void blob_fails(const UploadId& upload) override;
    void blob_came(const RepositoryName& repository, const UploadId& upload, const Digest& digest, std::uint64_t size)
        override;
    Task<> bring_content(CopiedPushPtr push) override;
    Task<std::string> bring_tags(CopiedPushPtr push) override;

    // Begins to bring over what sites lack; called every second.
    Task<> catch_up();
    void add_metrics(MetricsText& text) const;
    // Ends what is under way and the loop. Blocks.
    void stop();

private:
    // The sites' answers to one step of one push.
    struct Round {
        Bell bell;
        std::mutex mutex;
        std::int64_t confirmed = 0;
        std::size_t ended = 0;
        std::map<std::int64_t, std::string> lacking;  // by endpoint: its name, and why where that is known
    };
    using RoundPtr = std::shared_ptr<Round>;
    using Step = std::function<Task<>(SiteOrder)>;

    asio::awaitable<RoundPtr> ask_all(const Synchronisation& project, Step step);
    asio::awaitable<void> ask(RoundPtr round, SiteOrder order, Step step);
    bool enter_step(std::int64_t site);
    void leave_step(std::int64_t site);
    asio::awaitable<void> begin_blob(RepositoryName repository, Descriptor blob);
    asio::awaitable<void> update_site(SiteOrder order, bool knows_home);
    Task<> bring_lacking(SiteOrder order, bool knows_home);
    Task<> note_degraded(const CopiedPush& push, std::int64_t project_id, std::vector<std::string> sites);

    const AccessPolicy& policy_;
    SiteCopier::Parts parts_;
    asio::executor_work_guard<asio::io_context::executor_type> work_{parts_.loop.get_executor()};
    SiteCopier copier_;
    UploadRelays relays_{copier_, parts_};
    std::atomic<std::uint64_t> acknowledged_{0};
    std::atomic<std::uint64_t> degraded_{0};
    std::atomic<std::uint64_t> refused_{0};
    mutable std::mutex mutex_;
    std::vector<Synchronisation> known_;  // as it was a second ago
    struct Wait {
        bool running = false;
        int failures = 0;
        std::chrono::steady_clock::time_point until{};
    };
    std::map<std::pair<std::int64_t, std::int64_t>, Wait> updates_;  // by project and site
    std::map<std::int64_t, int> steps_;                              // under way, by endpoint
    TaskGroup tasks_;
    std::jthread thread_;
};

}  // namespace entrepot
