#include "core/log.hpp"
#include "delivery/swarm_service.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace entrepot {

namespace {

using namespace std::chrono_literals;

constexpr Micros second = 1'000'000;
// Tickets are made anew when they have so long left, which is looked at so often.
constexpr Micros ticket_left = 5 * 60 * second;
constexpr int ticks_between_renewals = 20;
// What nobody takes part in is not kept ready any longer than this.
constexpr Micros idle_time = 10 * 60 * second;
// Signing takes a tenth of a millisecond: others have their turn in between.
constexpr int tickets_at_once = 32;

}  // namespace

asio::awaitable<void> SwarmService::keep_time()
{
    boost::system::error_code unimportant;
    for (int tick = 1; !stopping_; ++tick) {
        clock_tick_.expires_after(settings_.tick);
        co_await clock_tick_.async_wait(asio::redirect_error(asio::use_awaitable, unimportant));
        if (stopping_) co_return;
        tracker_->look(now());
        if (needs_.clock.now() >= certified_until_) {
            if (const auto certified = certify_itself(); !certified) {
                log::failure(log::Level::error, "the registry's own certificate for nodes", certified.error());
            } else {
                control_->renew(tls_);
                network_->renew(tls_);
            }
        }
        if (tick % ticks_between_renewals == 0) {
            verifier_.forget(needs_.clock.now());
            while (!revocations_.empty() &&
                   revocations_.front().first + TicketVerifier::revocation_memory < needs_.clock.now())
                revocations_.pop_front();
            end_idle();
            co_await renew_tickets();
        }
        note_report();
        auto looking = look_at_images();
        co_await std::move(looking);
    }
}

asio::awaitable<void> SwarmService::renew_tickets()
{
    std::vector<SwarmId> swarms;
    for (const auto& [id, served] : served_) swarms.push_back(id);
    for (const auto& id : swarms) {
        if (stopping_) co_return;
        auto renewing = renew_tickets_of(id);
        co_await std::move(renewing);
    }
}

asio::awaitable<void> SwarmService::renew_tickets_of(SwarmId swarm)
{
    struct Due {
        ControlId stream;
        SwarmHandle handle;
        NodeId node;
    };
    std::vector<Due> due;
    std::map<NodeId, Right> rights;
    const auto served = served_.find(swarm);
    if (served == served_.end()) co_return;
    const auto image = served->second.image;
    const auto soon = needs_.clock.now() + ticket_left;
    tracker_->for_each_member(swarm, [&](ControlId stream, SwarmHandle handle, const NodeId& node) {
        const auto right = served->second.rights.find(node);
        if (right == served->second.rights.end()) return;
        rights.insert(*right);
        if (right->second.ends < soon) due.push_back({.stream = stream, .handle = handle, .node = node});
    });
    // Those of nodes that take part no more are forgotten.
    served->second.rights = std::move(rights);
    int made = 0;
    for (const auto& one : due) {
        const auto now_served = served_.find(swarm);
        if (now_served == served_.end()) co_return;
        const auto right = now_served->second.rights.find(one.node);
        if (right == now_served->second.rights.end()) continue;
        const TicketSubject subject{
            .swarm = swarm,
            .manifest = image->descriptor.manifest(),
            .tenant_id = static_cast<std::int64_t>(right->second.tenant),
            .repository_id = static_cast<std::int64_t>(right->second.repository),
        };
        auto making = needs_.tickets.issue(one.node, subject);
        const auto ticket = co_await std::move(making);
        if (!ticket) {
            // Whatever it is, the tickets are good for some minutes yet.
            log::failure(log::Level::warning, "tickets are not renewed", ticket.error());
            co_return;
        }
        if (!*ticket) {
            tracker_->refused(one.stream, one.handle, swarm);
            continue;
        }
        if (const auto again = served_.find(swarm); again != served_.end())
            again->second.rights[one.node].ends = needs_.clock.now() + Micros{Ticket::longest_lifetime} * second;
        tracker_->renew(one.stream, one.handle, **ticket);
        {
            const std::lock_guard lock{report_mutex_};
            ++report_.tickets_renewed;
        }
        if (++made % tickets_at_once == 0) co_await asio::post(loop_, asio::use_awaitable);
    }
}

void SwarmService::end_idle()
{
    const auto time = needs_.clock.now();
    std::vector<SwarmId> ended;
    for (auto& [id, served] : served_) {
        const auto overview = tracker_->overview(id);
        if (overview && overview->members > 0)
            served.idle_since = 0;
        else if (served.idle_since == 0)
            served.idle_since = time;
        else if (time - served.idle_since >= idle_time)
            ended.push_back(id);
    }
    for (const auto& id : ended) end(id, std::nullopt);
}

// ---- what is taken back

void SwarmService::recheck(std::uint64_t epoch)
{
    asio::post(loop_, [this, epoch] {
        needs_.epoch = std::max<std::uint64_t>(needs_.epoch, epoch);
        recheck_again_ = true;
        names_.clear();
        ++renames_;
        if (!std::exchange(rechecking_, true)) tasks_.spawn(loop_.get_executor(), recheck_all());
    });
}

asio::awaitable<void> SwarmService::recheck_all()
{
    while (std::exchange(recheck_again_, false) && !stopping_) {
        std::vector<std::pair<SwarmId, std::uint64_t>> looks;
        for (const auto& [id, served] : served_) {
            for (const auto repository : served.repositories) looks.emplace_back(id, repository);
        }
        for (const auto& [id, repository] : looks) {
            const auto served = served_.find(id);
            if (served == served_.end()) continue;
            auto checking = check_manifest(repository, served->second.image->descriptor.manifest());
            const auto there = co_await std::move(checking);
            if (there) continue;
            if (is_gone(there.error().code())) {
                revoke(id);
            } else {
                // Nothing is known, so it is asked again; tickets end by themselves.
                log::failure(log::Level::warning, "it isn't known whether an image is still there", there.error());
                recheck_again_ = true;
                boost::system::error_code unimportant;
                asio::steady_timer pause{loop_, 1s};
                co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, unimportant));
                break;
            }
        }
    }
    rechecking_ = false;
}

// Of all repositories: who has the right because of another one asks again, and has a ticket of this epoch.
void SwarmService::revoke(const SwarmId& swarm)
{
    RevokeFrame frame;
    frame.kind = RevokedKind::swarms;
    frame.epoch = needs_.epoch;
    frame.ids.push_back(Sha256{swarm.bytes});
    const auto time = needs_.clock.now();
    verifier_.revoke(frame, time);
    revocations_.emplace_back(time, frame);
    tracker_->revoke(frame);
    end(swarm, DenyCode::revoked);
    const std::lock_guard lock{report_mutex_};
    ++report_.revocations;
}

// ---- how it goes

void SwarmService::note_report()
{
    std::uint64_t members = 0;
    for (const auto& [id, served] : served_) {
        if (const auto overview = tracker_->overview(id)) members += overview->members;
    }
    const std::lock_guard lock{report_mutex_};
    report_.nodes = tracker_->nodes();
    report_.images = served_.size();
    report_.members = members;
    report_.received = tracker_->received();
    report_.pace = tracker_->pace();
    report_.seed = network_->counters();
}

SwarmReport SwarmService::report() const
{
    const std::lock_guard lock{report_mutex_};
    return report_;
}

}  // namespace entrepot
