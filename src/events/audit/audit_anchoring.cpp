#include "events/audit/audit_anchoring.hpp"

#include "core/log.hpp"

#include <utility>

namespace entrepot {

Task<> AuditAnchoring::check()
{
    const auto head = log_.position().head;
    CO_TRY(const auto anchors, co_await anchors_.anchors(log_.instance()));
    if (anchors.empty()) co_return Result<>{};
    const auto& last = anchors.back();
    const auto block = static_cast<std::uint64_t>(last.block);
    if (block > head.block || (block == head.block && last.hash != head.hash)) {
        log::error(
            "the audit trail is not the one that the database attests; `entrepot audit verify` says where",
            {{"attested_block", block}, {"last_block", head.block}}
        );
    }
    co_return Result<>{};
}

// A store that is away is no news every second.
Task<> AuditAnchoring::run()
{
    const auto at = log_.position();
    if (at.head.block == anchored_) co_return Result<>{};
    const AuditAnchor anchor{
        .block = static_cast<std::int64_t>(at.head.block),
        .hash = at.head.hash,
        .records = static_cast<std::int64_t>(at.head.record),
        .at = clock_.now(),
    };
    const auto from = static_cast<std::int64_t>(at.first_block);
    auto done = co_await anchors_.anchor(log_.instance(), anchor, from);
    if (done) anchored_ = at.head.block;
    const bool failed_before = std::exchange(failing_, !done);
    if (failed_before && !done) co_return Result<>{};
    co_return done;
}

}  // namespace entrepot
