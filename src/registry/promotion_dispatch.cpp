#include "registry/promotion_dispatch.hpp"

#include "oci/artifact_view.hpp"
#include "oci/json_fields.hpp"
#include "oci/names.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <iterator>

namespace entrepot {

namespace json = boost::json;

namespace {

using namespace std::chrono_literals;

constexpr std::int64_t events_at_once = 200;
constexpr std::int64_t most_unwritten = 2'000;
constexpr auto longest_unwritten = 5s;

json::object details_of(const Event& event)
{
    return parse_object(event.details).value_or(json::object{});
}

// Those that did not lead to the digest before.
std::vector<std::string> moved_tags(const Event& event)
{
    if (event.type == event_type::tag_created) return {event.tag};
    std::vector<std::string> moved;
    if (event.type != event_type::artifact_pushed && event.type != event_type::artifact_copied) return moved;
    const auto details = details_of(event);
    const auto* tags = find_array(details, "tags");
    if (tags == nullptr) return moved;
    for (const auto& entry : *tags) {
        if (!entry.is_object() || find_text(entry.get_object(), "previous") == event.digest) continue;
        moved.emplace_back(find_text(entry.get_object(), "name"));
    }
    return moved;
}

// Signatures by tag come along with what they sign.
bool is_chosen(const PromotionPolicy& policy, const std::string& text)
{
    const auto tag = Tag::parse(text);
    return tag && !accessory_of(*tag) && policy.tags.choose(text);
}

}  // namespace

std::vector<PromotionStart>
PromotionDispatch::starts_of(const Event& event, const std::vector<PromotionPolicy>& policies)
{
    std::vector<PromotionStart> starts;
    const auto path = event.repository.substr(event.repository.find('/') + 1);
    std::vector<std::string> moved;
    bool is_read = false;
    bool is_promoted = false;
    for (const auto& policy : policies) {
        if (policy.project_id != event.project_id || !policy.repositories.choose(path)) continue;
        if (!is_read) moved = moved_tags(event);
        if (!is_read) is_promoted = find_text(details_of(event), "via") == text_of(Via::promotion);
        is_read = true;
        for (const auto& tag : moved) {
            if (!is_chosen(policy, tag)) continue;
            starts.push_back({
                .project_id = policy.project_id,
                .policy_id = policy.id,
                .repository = path,
                .digest = event.digest,
                .tag = tag,
                // Who carried out the step before has not made what it brought.
                .caused_by = is_promoted ? 0 : event.user_id,
                .at = event.at,
            });
        }
    }
    return starts;
}

std::vector<PromotionTouch> PromotionDispatch::touched_by(const Event& event)
{
    if (event.type == event_type::artifact_checked || event.type == event_type::artifact_labelled ||
        event.type == event_type::artifact_unlabelled) {
        return {{.project_id = event.project_id, .digest = event.digest, .at = event.at}};
    }
    if (event.type != event_type::artifact_pushed && event.type != event_type::artifact_copied) return {};
    const auto details = details_of(event);
    const auto subject = find_text(details, "subject");
    if (subject.empty()) return {};
    return {{.project_id = event.project_id, .digest = std::string{subject}, .at = event.at}};
}

Task<>
PromotionDispatch::hand_over(std::int64_t to, std::vector<PromotionStart> starts, std::vector<PromotionTouch> touched)
{
    const bool worth_writing =
        to > written_ && (to - written_ >= most_unwritten || parts_.clock.steady() - written_at_ >= longest_unwritten);
    if (starts.empty() && touched.empty() && !worth_writing) {
        read_ = to;
        co_return Result<>{};
    }
    auto done = co_await parts_.catalog.advance(consumer, written_, to, std::move(starts), std::move(touched));
    // Another instance was faster, or nobody knows: the log does.
    if (!done) written_ = -1;
    if (!done && done.error().code() == Errc::conflict) co_return Result<>{};
    CO_TRY(const auto made, std::move(done));
    written_ = read_ = to;
    written_at_ = parts_.clock.steady();
    started_.fetch_add(static_cast<std::uint64_t>(made), std::memory_order_relaxed);
    co_return Result<>{};
}

Task<> PromotionDispatch::run()
{
    CO_TRY(const auto range, co_await parts_.log.settle());
    while (true) {
        if (written_ < 0) {
            CO_TRY(written_, co_await parts_.log.cursor(consumer));
            read_ = written_;
            written_at_ = parts_.clock.steady();
        }
        if (read_ >= range.newest) {
            if (read_ > written_) co_return co_await hand_over(read_, {}, {});
            co_return Result<>{};
        }
        CO_TRY(const auto policies, co_await parts_.catalog.event_based());
        if (policies.empty()) {
            CO_CHECK(co_await hand_over(range.newest, {}, {}));
            continue;
        }
        CO_TRY(const auto events, co_await parts_.log.read(read_, events_at_once));
        if (events.empty()) co_return Result<>{};
        std::vector<PromotionStart> starts;
        std::vector<PromotionTouch> touched;
        for (const auto& event : events) {
            std::ranges::move(starts_of(event, policies), std::back_inserter(starts));
            std::ranges::move(touched_by(event), std::back_inserter(touched));
        }
        CO_CHECK(co_await hand_over(events.back().sequence, std::move(starts), std::move(touched)));
    }
}

}  // namespace entrepot
