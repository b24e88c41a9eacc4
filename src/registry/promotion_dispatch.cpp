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

json::object details_of(const Event& event)
{
    return parse_object(event.details).value_or(json::object{});
}

// Those that did not lead to the digest before.
std::vector<std::string> moved_tags(const Event& event, const json::object& details)
{
    if (event.type == event_type::tag_created) return {event.tag};
    std::vector<std::string> moved;
    if (event.type != event_type::artifact_pushed && event.type != event_type::artifact_copied) return moved;
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
        if (!is_read) {
            const auto details = details_of(event);
            moved = moved_tags(event, details);
            is_promoted = find_text(details, "via") == text_of(Via::promotion);
            is_read = true;
        }
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
PromotionDispatch::hand_over(std::int64_t to, std::vector<Event> events, const std::vector<PromotionPolicy>& policies)
{
    std::vector<PromotionStart> starts;
    std::vector<PromotionTouch> touched;
    for (const auto& event : events) {
        std::ranges::move(starts_of(event, policies), std::back_inserter(starts));
        std::ranges::move(touched_by(event), std::back_inserter(touched));
    }
    const bool asks = !starts.empty() || !touched.empty();
    std::int64_t made = 0;
    const auto write = [&](std::string name, std::int64_t from) -> Task<> {
        CO_TRY(made, co_await parts_.catalog.advance(std::move(name), from, to, std::move(starts), std::move(touched)));
        co_return Result<>{};
    };
    CO_TRY(const bool written, co_await cursor_.move(to, asks, write));
    if (written) started_.fetch_add(static_cast<std::uint64_t>(made), std::memory_order_relaxed);
    co_return Result<>{};
}

Task<> PromotionDispatch::run()
{
    return cursor_.follow(
        [this] { return parts_.catalog.event_based(); },
        [this](std::int64_t to, std::vector<Event> events, const std::vector<PromotionPolicy>& policies) {
            return hand_over(to, std::move(events), policies);
        }
    );
}

}  // namespace entrepot
