#include "exchange/replication/copy_round.hpp"

#include "core/pause.hpp"
#include "exchange/copy/at_once.hpp"
#include "exchange/replication/replication_filter.hpp"
#include "oci/json_fields.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace entrepot {

namespace json = boost::json;

namespace {

using namespace std::chrono_literals;

constexpr std::size_t artifacts_at_once = 6;
constexpr auto between_looks_at_a_save = 5ms;

// Not the artifact's fault, and not for ever.
bool passes(const Error& error) noexcept
{
    return CopyRun::worth_retrying(error.code()) || error.code() == Errc::storage_full ||
           error.code() == Errc::cancelled || error.code() == Errc::internal || error.code() == Errc::conflict;
}

}  // namespace

CopyRound::CopyRound(
    const ReplicationCopy::Parts& parts,
    ReplicationCopy::Counters& counters,
    JobRun& run,
    const ReplicationPolicy& policy,
    const ReplicationTask& task,
    const ReplicationSites::Ends& ends
)
    : parts_{parts}, counters_{counters}, run_{run}, policy_{policy}, task_{task}
{
    CopyHooks hooks{
        .log = [this](std::string line) { run_.log(std::move(line)); },
        .halt = [this] { return halt(); },
        .save = [this] { return save(); },
    };
    CopyLedger ledger;
    if (const auto saved = parse_object(run.checkpoint())) {
        const auto& object = *saved;
        tally_ = ReplicationTally::of(object);
        if (const auto* list = find_array(object, "done")) {
            for (const auto& entry : *list) {
                if (entry.is_string()) done_.emplace(entry.get_string());
            }
        }
        const auto* uploads = object.if_contains("uploads");
        if (uploads != nullptr && uploads->is_array()) ledger = CopyLedger::parse(uploads->get_array());
    }
    copies_.emplace(
        parts.sites.parts_of(policy, ends), parts.sites.options_of(policy), std::move(hooks), std::move(ledger)
    );
}

CopyHalt CopyRound::halt() const
{
    if (run_.stop_requested()) return CopyHalt::now;
    return wait_for_window(policy_.window, parts_.clock.now()) > 0 ? CopyHalt::after_chunk : CopyHalt::no;
}

// One at a time, so that an older state never takes the place of a later one.
Task<> CopyRound::save()
{
    while (saving_) co_await pause(between_looks_at_a_save);
    saving_ = true;
    auto saved = co_await write();
    saving_ = false;
    co_return saved;
}

Task<> CopyRound::write()
{
    // What is settled twice because of a crash in between was settled.
    if (!settled_.empty()) CO_CHECK(co_await parts_.catalog.settle(std::exchange(settled_, {})));
    add_up();
    json::array done;
    for (const auto& reference : done_) done.push_back(json::value(reference));
    const json::object checkpoint{
        {"done", std::move(done)},
        {"uploads", copies_->ledger().json()},
        {"copied", tally_.copied},
        {"skipped", tally_.skipped},
        {"failed", tally_.failed},
        {"bytes", tally_.bytes},
    };
    co_return co_await run_.save(json::serialize(checkpoint), tally_.json());
}

void CopyRound::add_up()
{
    const auto& now = copies_->tally();
    tally_.bytes += static_cast<std::int64_t>(now.bytes - counted_.bytes);
    counters_.bytes += now.bytes - counted_.bytes;
    counters_.bytes_again += now.again - counted_.again;
    counters_.breaks += now.breaks - counted_.breaks;
    counted_ = now;
}

std::string CopyRound::name(const Reference& reference) const
{
    const auto* sign = reference.tag() != nullptr ? ":" : "@";
    const auto text = sign + reference.text();
    return from_->text() + text + " → " + into_->text() + (reference.tag() != nullptr ? text : "");
}

ReplicationCatalog::Settled CopyRound::row(const Reference& reference, const std::optional<Digest>& digest) const
{
    ReplicationCatalog::Settled settled{
        .policy_id = policy_.id, .repository = from_->text(), .reference = reference.text()
    };
    if (digest) settled.digest = digest->text();
    settled.removal = task_.removal;
    return settled;
}

Task<> CopyRound::note_failure(const Reference& reference, const Error& error)
{
    co_return co_await parts_.catalog.note_failure(row(reference, std::nullopt), error.message());
}

// What the policy says now counts: it may have been changed since the task was added. nullopt: nothing is in the way.
std::optional<std::string> CopyRound::objection() const
{
    constexpr auto unknown = ReplicationTask::unknown_end;
    const bool elsewhere = (task_.source_id != unknown && task_.source_id != policy_.source_id) ||
                           (task_.target_id != unknown && task_.target_id != policy_.target_id);
    if (elsewhere) return "the policy leads elsewhere now";
    if (!task_.removal) return std::nullopt;
    const bool removes = policy_.enabled && policy_.replicates_deletion && policy_.source_id == 0;
    return removes ? std::nullopt : std::optional<std::string>{"the policy removes nothing any more"};
}

// Its rows stand for nothing that the policy has to do.
Task<JobEnd> CopyRound::refuse(std::string why)
{
    run_.log(why + ": nothing was " + (task_.removal ? "removed" : "copied"));
    std::vector<ReplicationCatalog::Settled> rows;
    for (const auto& reference : task_.references) {
        rows.push_back({.policy_id = policy_.id, .repository = task_.source_repository, .reference = reference});
        rows.back().removal = task_.removal;
    }
    CO_CHECK(co_await parts_.catalog.settle(std::move(rows)));
    tally_.failed = std::ssize(task_.references) - (tally_.copied + tally_.skipped);
    tally_.error = std::move(why);
    co_return JobEnd{.kind = JobEnd::Kind::failed, .result = tally_.json()};
}

Task<JobEnd> CopyRound::all()
{
    if (auto why = objection()) co_return co_await refuse(*std::move(why));
    CO_TRY(from_, RepositoryName::parse(task_.source_repository));
    CO_TRY(into_, RepositoryName::parse(task_.target_repository));
    if (halt() == CopyHalt::no) {
        std::vector<std::string> left;
        for (const auto& reference : task_.references) {
            if (!done_.contains(reference)) left.push_back(reference);
        }
        CO_CHECK(co_await at_once(left.size(), artifacts_at_once, [&](std::size_t index) { return one(left[index]); }));
    }
    if (is_done()) co_await give_up_uploads();
    CO_CHECK(co_await save());
    if (passing_ && halt() == CopyHalt::no && passing_->retry_after() == std::chrono::seconds{0}) {
        co_return std::unexpected{*passing_};
    }
    co_return ending();
}

bool CopyRound::is_done() const
{
    return std::ranges::all_of(task_.references, [&](const std::string& one) { return done_.contains(one); });
}

// Of artifacts that failed for good. Where it does not succeed the target drops them in its own time.
asio::awaitable<void> CopyRound::give_up_uploads()
{
    for (auto& upload : copies_->ledger().entries()) {
        auto digest = Digest::parse(upload.digest);
        auto repository = RepositoryName::parse(upload.repository);
        if (!digest || !repository) continue;
        copies_->ledger().forget(*repository, *digest);
        (void)co_await copies_->target().cancel(*std::move(repository), std::move(upload.place));
    }
}

JobEnd CopyRound::ending()
{
    const bool all = is_done();
    if (!all && run_.stop_requested()) return {.kind = JobEnd::Kind::stopped, .result = tally_.json()};
    if (!all) {
        auto wait = std::max<Micros>(wait_for_window(policy_.window, parts_.clock.now()), 1'000'000);
        if (passing_) {
            const auto asked = std::chrono::duration_cast<std::chrono::microseconds>(passing_->retry_after());
            wait = std::max<Micros>(wait, asked.count());
            run_.log("left alone for " + std::to_string(wait / 1'000'000) + " s, as it was asked for");
        }
        return {.kind = JobEnd::Kind::later, .result = tally_.json(), .wait = wait};
    }
    const auto failed = tally_.failed > 0;
    return {.kind = failed ? JobEnd::Kind::failed : JobEnd::Kind::done, .result = tally_.json()};
}

// A failure ends this one artifact. Only what is wrong with the whole task comes out as an error.
Task<> CopyRound::one(std::string text)
{
    auto parsed = Reference::parse(text);
    if (!parsed) co_return std::unexpected{parsed.error()};
    if (halt() != CopyHalt::no || (passing_ && passing_->retry_after() > std::chrono::seconds{0})) co_return Result<>{};
    auto done = task_.removal ? co_await remove(*parsed) : co_await copy(*parsed);
    if (!done) {
        const auto& error = done.error();
        if (error.code() == Errc::cancelled && halt() != CopyHalt::no) co_return Result<>{};
        run_.log(
            name(*parsed) + ": failed: " + error.message() + (error.detail().empty() ? "" : " (" + error.detail() + ")")
        );
        tally_.error = error.message();
        CO_CHECK(co_await note_failure(*parsed, error));
        if (passes(error)) {
            passing_ = error;
            co_return Result<>{};
        }
        ++tally_.failed;
        counters_.failed.fetch_add(1, std::memory_order_relaxed);
    }
    done_.insert(std::move(text));
    co_return co_await copies_->save_now_and_then();
}

Task<> CopyRound::copy(Reference reference)
{
    const auto began = parts_.clock.steady();
    CopyOrder order{.from = *from_, .reference = reference, .into = *into_};
    if (reference.tag() != nullptr) order.tag = *reference.tag();
    ArtifactCopier copier{*copies_, std::move(order)};
    auto copied = co_await copier();
    if (!copied && is_unknown(copied.error().code())) {
        const auto still = co_await copies_->source().look(*from_, reference);
        if (!still && is_unknown(still.error().code())) {
            run_.log(name(reference) + ": is not at the source any more");
            ++tally_.skipped;
            settled_.push_back(row(reference, std::nullopt));
            co_return Result<>{};
        }
    }
    if (!copied) co_return std::unexpected{copied.error()};
    note_copied(reference, *copied, parts_.clock.steady() - began);
    // Whatever was noted of it before, it is there now.
    settled_.push_back(row(reference, copied->newest ? std::nullopt : copied->digest));
    co_return Result<>{};
}

void CopyRound::note_copied(const Reference& reference, const CopiedArtifact& copied, std::chrono::nanoseconds took)
{
    using End = CopiedArtifact::End;
    std::string what;
    switch (copied.end) {
        case End::copied: {
            const auto before = tally_.bytes;
            add_up();
            const auto bytes = static_cast<std::uint64_t>(tally_.bytes - before);
            what = "copied, " + bytes_text(bytes) + " in " +
                   std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()) + " ms";
            if (bytes > 0) what += " (" + speed_text(bytes, took) + ")";
            break;
        }
        case End::already_there: what = "was there"; break;
        case End::differs: what = "left as it is: the tag is there with other content"; break;
        case End::not_signed: what = "left out: no signature refers to it"; break;
        case End::no_platform: what = "left out: it is for none of the wanted platforms"; break;
    }
    const bool is_copied = copied.end == End::copied;
    ++(is_copied ? tally_.copied : tally_.skipped);
    (is_copied ? counters_.copied : counters_.skipped).fetch_add(1, std::memory_order_relaxed);
    run_.log(name(reference) + ": " + what + (copied.note.empty() ? "" : "; " + copied.note));
}

// One attempt: both ends are looked at each time, since either may change between two. What came back at the source
// stays, and so does what the target has of its own.
Task<CopyRound::Removed> CopyRound::remove_once(Reference reference, Digest deleted)
{
    const auto here = co_await copies_->source().look(*from_, reference);
    if (here) co_return Removed::is_back;
    if (!is_unknown(here.error().code())) co_return std::unexpected{here.error()};
    const auto there = co_await copies_->target().look(*into_, reference);
    if (!there && is_unknown(there.error().code())) co_return Removed::was_not_there;
    if (!there) co_return std::unexpected{there.error()};
    if (there->digest != deleted) co_return Removed::something_else;
    const auto removed = co_await copies_->target().remove(*into_, std::move(reference));
    if (removed) co_return Removed::removed;
    if (is_unknown(removed.error().code())) co_return Removed::was_not_there;
    co_return std::unexpected{removed.error()};
}

Task<> CopyRound::remove(Reference reference)
{
    auto outcome = Removed::not_said;
    if (!task_.digest.empty()) {
        CO_TRY(const auto deleted, Digest::parse(task_.digest));
        CO_TRY(outcome, co_await copies_->patiently([&] { return remove_once(reference, deleted); }));
    }
    const bool removed = outcome == Removed::removed;
    ++(removed ? tally_.copied : tally_.skipped);
    const auto what = [&] {
        switch (outcome) {
            case Removed::removed: return "removed";
            case Removed::is_back: return "is at the source again: not removed";
            case Removed::was_not_there: return "was not there";
            case Removed::something_else: return "holds something else: stays";
            case Removed::not_said: break;
        }
        return "stays: the task does not say which content was deleted";
    };
    run_.log(name(reference) + ": " + what());
    settled_.push_back(row(reference, std::nullopt));
    co_return Result<>{};
}

}  // namespace entrepot
