#include "exchange/replication/plan_round.hpp"

#include "exchange/copy/at_once.hpp"
#include "exchange/replication/namespace_mapping.hpp"
#include "exchange/replication/pending_review.hpp"
#include "oci/json_fields.hpp"

#include <algorithm>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace entrepot {

namespace json = boost::json;

namespace {

constexpr std::int64_t names_a_page = 1'000;
constexpr std::size_t names_a_step = 64;  // between two checkpoints
constexpr std::size_t repositories_at_once = 8;
constexpr std::size_t tags_at_once = 8;  // of each
constexpr std::size_t references_a_task = 50;
constexpr std::size_t batches_at_once = 100;
constexpr std::int64_t referrers_a_page = 100;
constexpr int most_referrer_pages = 10;
constexpr std::int32_t most_attempts = 5;

// A listing in ASCII order, as ours is, may begin just before what all wanted names begin with.
std::string place_before(const std::string& prefix)
{
    if (prefix.empty()) return {};
    auto place = prefix;
    place.back() = static_cast<char>(place.back() - 1);
    return place + "~";
}

}  // namespace

PlanRound::PlanRound(
    const ReplicationPlan::Parts& parts,
    JobRun& run,
    const ReplicationPolicy& policy,
    const ReplicationSites::Ends& ends,
    bool asked_by_somebody
)
    : parts_{parts},
      run_{run},
      policy_{policy},
      ends_{ends},
      filters_{policy},
      asked_by_somebody_{asked_by_somebody},
      copies_{
          parts.sites.parts_of(policy, ends),
          parts.sites.options_of(policy),
          {[this](std::string line) { run_.log(std::move(line)); },
           [this] { return halted() ? CopyHalt::after_chunk : CopyHalt::no; },
           []() -> Task<> { co_return Result<>{}; }},
          {}
      }
{
    const auto saved = parse_object(run.checkpoint());
    if (!saved) return;
    page_ = find_text(*saved, "page");
    repository_ = find_text(*saved, "repository");
    place_ = {std::string{find_text(*saved, "states_repository")}, std::string{find_text(*saved, "states_tag")}};
    tally_ = ReplicationTally::of(*saved);
}

// Whoever stopped the execution stopped the tasks that it had then: these are the others.
Task<JobEnd> PlanRound::interrupted()
{
    if (run_.stop_requested()) {
        CO_CHECK(co_await parts_.jobs.stop_tasks(run_.id(), parts_.clock.now()));
        co_return JobEnd{.kind = JobEnd::Kind::stopped, .result = tally_.json()};
    }
    const auto wait = std::max<Micros>(window_wait(), 1'000'000);
    co_return JobEnd{.kind = JobEnd::Kind::later, .result = tally_.json(), .wait = wait};
}

// One that fails for good keeps no other from being copied.
Result<> PlanRound::pass_over(const std::string& what, const Error& error)
{
    if (error.code() == Errc::cancelled || CopyRun::worth_retrying(error.code())) return std::unexpected{error};
    run_.log(what + ": failed: " + error.message() + (error.detail().empty() ? "" : " (" + error.detail() + ")"));
    ++tally_.failed;
    tally_.error = error.message();
    return {};
}

Task<JobEnd> PlanRound::walk()
{
    if (halted()) co_return co_await interrupted();
    if (page_.empty() && repository_.empty() && place_.repository.empty()) {
        PendingReview review{parts_.catalog, copies_, policy_, filters_};
        const auto reviewed = co_await review();
        if (!reviewed && reviewed.error().code() == Errc::cancelled && halted()) co_return co_await interrupted();
        CO_TRY(const auto settled, reviewed);
        if (settled > 0) run_.log(std::to_string(settled) + " that were noted as pending are no more");
    }
    auto walked = filters_.names() ? co_await walk_names(*filters_.names()) : co_await walk_everything();
    if (!walked && walked.error().code() == Errc::cancelled && halted()) co_return co_await interrupted();
    if (!walked && walked.error().code() == Errc::unsupported) {
        co_return JobEnd{
            .kind = JobEnd::Kind::failed,
            .result = "the source lists no repositories: the policy needs a name filter without wildcards"
        };
    }
    CO_TRY(const bool to_the_end, std::move(walked));
    if (!to_the_end) co_return co_await interrupted();
    run_.log(
        std::to_string(tally_.copied) + " artifacts to copy, " + std::to_string(tally_.skipped) +
        " that are there or are not to be changed"
    );
    if (run_.stop_requested()) co_return co_await interrupted();
    co_return JobEnd{.kind = tally_.failed > 0 ? JobEnd::Kind::failed : JobEnd::Kind::done, .result = tally_.json()};
}

// By lists where one of the two doesn't tell its states, or not to us, as older ones.
Task<bool> PlanRound::walk_everything()
{
    if (page_.empty() && repository_.empty()) {
        auto compared = co_await walk_states();
        const auto code = compared ? Errc::cancelled : compared.error().code();
        if (code != Errc::unsupported && code != Errc::denied) co_return compared;
        run_.log("compared by lists: " + compared.error().message());
        place_ = {};
        referrers_deep_ = 1;
    }
    co_return co_await walk_listing();
}

// False: interrupted.
Task<bool> PlanRound::walk_listing()
{
    const bool sorted = policy_.source_id == 0;
    if (page_.empty() && sorted) page_ = place_before(filters_.prefix());
    std::int64_t pages = 0;
    for (bool more = true; more;) {
        if (++pages > parts_.most_pages) {
            co_return fail(Errc::unavailable, "the source's list of repositories does not end");
        }
        const PageRequest page{.limit = names_a_page, .last = page_};
        CO_TRY(auto listing, co_await copies_.patiently([&] { return copies_.source().repositories(page); }));
        const auto past = [&](const std::string& name) {
            return sorted && name > filters_.prefix() && !name.starts_with(filters_.prefix());
        };
        more = !listing.next.empty() && (listing.names.empty() || !past(listing.names.back()));
        CO_TRY(const bool to_the_end, co_await walk_names(std::move(listing.names)));
        if (!to_the_end) co_return false;
        page_ = listing.next;
        repository_.clear();
        if (more) CO_CHECK(co_await save());
    }
    co_return true;
}

Task<bool> PlanRound::walk_names(std::vector<std::string> names)
{
    if (const auto done = std::ranges::find(names, repository_); done != names.end())
        names.erase(names.begin(), done + 1);
    std::erase_if(names, [&](const std::string& name) { return !filters_.wants_repository(name); });
    for (std::size_t start = 0; start < names.size(); start += names_a_step) {
        if (halted()) co_return false;
        const auto count = std::min(names_a_step, names.size() - start);
        CO_CHECK(co_await at_once(count, repositories_at_once, [&](std::size_t index) {
            return plan_repository(names[start + index]);
        }));
        CO_CHECK(co_await flush());
        repository_ = names[start + count - 1];
        CO_CHECK(co_await save());
    }
    co_return true;
}

std::optional<PlanRound::Destination> PlanRound::destination_of(const std::string& name)
{
    auto from = RepositoryName::parse(name);
    auto into = from ? mapped_repository(*from, policy_.namespace_there, policy_.replaced_levels) : from;
    if (into) return Destination{*std::move(from), *std::move(into)};
    run_.log(name + ": left out: " + into.error().message());
    return std::nullopt;
}

Task<> PlanRound::plan_repository(std::string name)
{
    const auto ends = destination_of(name);
    if (!ends) co_return Result<>{};
    const auto& [from, into] = *ends;
    std::string last;
    std::int64_t pages = 0;
    for (bool more = true; more;) {
        if (++pages > parts_.most_pages) {
            co_return pass_over(name, Error{Errc::unprocessable, "the source's list of its tags does not end"});
        }
        const PageRequest page{.limit = names_a_page, .last = last};
        auto listing = co_await copies_.patiently([&] { return copies_.source().tags(ends->from, page); });
        if (!listing && is_unknown(listing.error().code())) co_return Result<>{};
        if (!listing) co_return pass_over(name, listing.error());
        auto tags = *std::move(listing);
        std::erase_if(tags.names, [&](const std::string& tag) { return !filters_.wants_tag(tag); });
        CO_CHECK(co_await plan_tags(from, into, std::move(tags.names)));
        last = tags.next;
        more = !last.empty();
    }
    co_return Result<>{};
}

Task<> PlanRound::plan_tags(RepositoryName repository, RepositoryName into, std::vector<std::string> tags)
{
    std::vector<std::optional<Found>> found(tags.size());
    CO_CHECK(co_await at_once(tags.size(), tags_at_once, [&](std::size_t index) -> Task<> {
        auto tag = Tag::parse(tags[index]);
        if (!tag) co_return Result<>{};
        auto lacks = co_await compare(repository, into, *std::move(tag));
        if (!lacks) co_return pass_over(repository.text() + ":" + tags[index], lacks.error());
        found[index] = *std::move(lacks);
        if (!found[index]) ++tally_.skipped;
        co_return Result<>{};
    }));
    Batch batch{.repository = repository.text(), .into = into.text(), .found = {}};
    for (auto& one : found) {
        if (!one) continue;
        batch.found.push_back(*std::move(one));
        if (batch.found.size() == references_a_task)
            batches_.push_back(std::exchange(batch, {repository.text(), into.text(), {}}));
    }
    if (!batch.found.empty()) batches_.push_back(std::move(batch));
    if (batches_.size() >= batches_at_once) CO_CHECK(co_await flush());
    co_return Result<>{};
}

// What the target lacks of it; nullopt: nothing.
Task<std::optional<PlanRound::Found>> PlanRound::compare(RepositoryName repository, RepositoryName into, Tag tag)
{
    const std::optional<Found> nothing;
    const Reference reference{tag};
    CO_TRY(const auto here, co_await look(&copies_.source(), nullptr, repository, reference));
    if (!here) co_return nothing;  // removed since it was listed
    if (filters_.asks_for_labels()) {
        CO_TRY(const bool wanted, co_await has_wanted_labels(repository, reference));
        if (!wanted) co_return nothing;
    }
    CO_TRY(const auto there, co_await look(nullptr, &copies_.target(), into, reference));
    if (there && there->digest != here->digest && !policy_.overrides) co_return nothing;
    if (there && there->digest == here->digest) {
        if (!policy_.with_referrers) co_return nothing;
        CO_TRY(const bool lacks, co_await lacks_referrers(repository, into, here->digest, 1));
        if (!lacks) co_return nothing;
    }
    co_return Found{tag.text(), here->digest.text(), static_cast<std::int64_t>(here->size)};
}

Task<std::optional<ManifestHead>>
PlanRound::look(CopySource* source, CopyTarget* target, RepositoryName in, Reference which)
{
    auto head = co_await copies_.patiently([&] {
        return source != nullptr ? source->look(in, which) : target->look(in, which);
    });
    if (head) co_return std::optional{*std::move(head)};
    if (is_unknown(head.error().code())) co_return std::optional<ManifestHead>{};
    co_return std::unexpected{head.error()};
}

// Labels are known of this registry's artifacts alone; elsewhere nothing has any.
Task<bool> PlanRound::has_wanted_labels(RepositoryName repository, Reference reference)
{
    std::vector<std::string> labels;
    if (policy_.source_id == 0) {
        auto artifact = co_await parts_.artifacts.find(
            std::move(repository), std::move(reference), {.tags = false, .labels = true}
        );
        if (!artifact && is_unknown(artifact.error().code())) co_return false;
        CO_TRY(const auto found, std::move(artifact));
        boost::system::error_code broken;
        const auto document = json::parse(found.labels_json, broken);
        if (!broken && document.is_array()) {
            for (const auto& label : document.get_array()) {
                if (label.is_object()) labels.emplace_back(find_text(label.get_object(), "name"));
            }
        }
    }
    co_return filters_.wants_labels(labels);
}

Task<bool> PlanRound::lacks_referrers(RepositoryName repository, RepositoryName into, Digest subject, int depth)
{
    std::string last;
    for (int pages = 0; pages < most_referrer_pages; ++pages) {
        const PageRequest page{.limit = referrers_a_page, .last = last};
        auto listing =
            co_await copies_.patiently([&] { return copies_.source().referrers(repository, subject, page); });
        if (!listing && (is_unknown(listing.error().code()) || listing.error().code() == Errc::unsupported))
            co_return false;
        CO_TRY(const auto found, std::move(listing));
        for (const auto& referrer : found.referrers) {
            CO_TRY(const auto there, co_await look(nullptr, &copies_.target(), into, Reference{referrer.digest}));
            if (!there) co_return true;
            if (depth >= referrers_deep_) continue;
            CO_TRY(const bool lacks, co_await lacks_referrers(repository, into, referrer.digest, depth + 1));
            if (lacks) co_return true;
        }
        if (!found.more || found.referrers.empty()) break;
        last = found.referrers.back().digest.text();
    }
    co_return false;
}

// For `removed` (a digest) one that removes.
NewJob PlanRound::job_of(const Batch& batch, const std::optional<std::string>& removed) const
{
    ReplicationTask task{
        .policy_id = policy_.id,
        .source_id = policy_.source_id,
        .target_id = policy_.target_id,
        .source_repository = batch.repository,
        .target_repository = batch.into,
    };
    for (const auto& one : batch.found) task.references.push_back(one.reference);
    task.removal = removed.has_value();
    if (removed) task.digest = *removed;
    NewJob job;
    job.kind = ReplicationTask::kind;
    job.parent_id = run_.id();
    job.subject_id = policy_.id;
    job.tenant_id = policy_.tenant_id;
    job.priority = policy_.priority;
    job.trigger = asked_by_somebody_ ? "manual" : "schedule";
    job.parameters = task.json();
    // The same after a crash between here and the checkpoint.
    const auto name = batch.repository + ":" + batch.found.front().reference;
    job.unique_key = std::to_string(run_.id()) + "-" + digest_of(name).text().substr(7, 32);
    job.most_attempts = most_attempts;
    job.actor = {.user_id = 0, .at = parts_.clock.now()};
    return job;
}

Task<> PlanRound::flush()
{
    const auto batches = std::exchange(batches_, {});
    if (batches.empty()) co_return Result<>{};
    std::vector<PendingCopy> pending;
    std::vector<NewJob> jobs;
    for (const auto& batch : batches) {
        for (const auto& one : batch.found) {
            PendingCopy copy{.policy_id = policy_.id, .repository = batch.repository, .reference = one.reference};
            copy.digest = one.digest;
            copy.bytes = one.bytes;
            copy.since = parts_.clock.now();
            pending.push_back(std::move(copy));
        }
        tally_.copied += std::ssize(batch.found);
        jobs.push_back(job_of(batch, std::nullopt));
    }
    CO_CHECK(co_await parts_.catalog.note_pending(std::move(pending)));
    CO_TRY(const auto ids, co_await parts_.queue.add(std::move(jobs)));
    (void)ids;
    co_return Result<>{};
}

Task<> PlanRound::save()
{
    const json::object checkpoint{
        {"page", page_},
        {"repository", repository_},
        {"states_repository", place_.repository},
        {"states_tag", place_.tag},
        {"copied", tally_.copied},
        {"skipped", tally_.skipped},
        {"failed", tally_.failed},
        {"bytes", tally_.bytes},
    };
    co_return co_await run_.save(json::serialize(checkpoint), tally_.json());
}

Task<JobEnd> PlanRound::hand_over(ReplicationEvent event)
{
    if (halted()) co_return co_await interrupted();
    CO_TRY(const auto from, RepositoryName::parse(event.repository));
    const auto into = mapped_repository(from, policy_.namespace_there, policy_.replaced_levels);
    if (!into) co_return JobEnd{.kind = JobEnd::Kind::failed, .result = into.error().message()};
    if (!event.subject.empty()) {
        CO_TRY(auto subject, Digest::parse(event.subject));
        CO_TRY(const auto there, co_await look(nullptr, &copies_.target(), *into, Reference{std::move(subject)}));
        if (!there) {
            run_.log("what it refers to is not there: nothing to do");
            co_return JobEnd{.kind = JobEnd::Kind::done, .result = tally_.json()};
        }
    }
    Batch batch{.repository = from.text(), .into = into->text(), .found = {}};
    std::vector<PendingCopy> pending;
    for (const auto& reference : event.references) {
        batch.found.push_back({reference, event.digest, event.bytes});
        PendingCopy copy{.policy_id = policy_.id, .repository = from.text(), .reference = reference};
        copy.removal = event.removal;
        copy.digest = event.digest;
        copy.bytes = event.bytes;
        copy.since = event.at;
        pending.push_back(std::move(copy));
    }
    if (batch.found.empty()) co_return JobEnd{.kind = JobEnd::Kind::done, .result = tally_.json()};
    tally_.copied = std::ssize(batch.found);
    auto job = job_of(batch, event.removal ? std::optional{event.digest} : std::nullopt);
    job.trigger = "event";
    CO_CHECK(co_await parts_.catalog.note_pending(std::move(pending)));
    CO_TRY(const auto ids, co_await parts_.queue.add({std::move(job)}));
    (void)ids;
    if (run_.stop_requested()) co_return co_await interrupted();
    co_return JobEnd{.kind = JobEnd::Kind::done, .result = tally_.json()};
}

}  // namespace entrepot
