#include "events/webhooks/webhook_types.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>

namespace entrepot {
namespace {

namespace json = boost::json;
using namespace event_type;

constexpr std::string_view tag_moved_name = "TAG_MOVED";

constexpr WebhookType types[] = {
    {"PUSH_ARTIFACT", artifact_pushed, "harbor.artifact.pushed"},
    {"PUSH_ARTIFACT", artifact_copied, "harbor.artifact.pushed"},
    {"PULL_ARTIFACT", artifact_pulled, "harbor.artifact.pulled"},
    {"DELETE_ARTIFACT", artifact_deleted, "harbor.artifact.deleted"},
    {"QUOTA_EXCEED", quota_exceeded, "harbor.quota.exceeded"},
    {"QUOTA_WARNING", quota_warned, "harbor.quota.warned"},
    {"SCANNING_COMPLETED", scan_completed, "harbor.scan.completed"},
    {"SCANNING_STOPPED", scan_stopped, "harbor.scan.stopped"},
    {"SCANNING_FAILED", scan_failed, "harbor.scan.failed"},
    {"REPLICATION", replication_finished, "harbor.replication.status.changed"},
    {"TAG_RETENTION", retention_finished, "harbor.tag_retention.finished"},
    {"TAG_CREATED", tag_created, "entrepot.tag.created"},
    {tag_moved_name, "", "entrepot.tag.moved"},
    {"TAG_DELETED", tag_deleted, "entrepot.tag.deleted"},
    {"ARTIFACT_RESTORED", artifact_restored, "entrepot.artifact.restored"},
    {"ARTIFACT_LABELLED", artifact_labelled, "entrepot.artifact.labelled"},
    {"ARTIFACT_UNLABELLED", artifact_unlabelled, "entrepot.artifact.unlabelled"},
    {"ARTIFACT_CHECKED", artifact_checked, "entrepot.artifact.checked"},
    {"PROMOTION_REQUESTED", promotion_requested, "entrepot.promotion.requested"},
    {"PROMOTION_WAITING", promotion_waiting, "entrepot.promotion.waiting"},
    {"PROMOTION_APPROVED", promotion_approved, "entrepot.promotion.approved"},
    {"PROMOTION_REJECTED", promotion_rejected, "entrepot.promotion.rejected"},
    {"PROMOTION_DONE", promotion_done, "entrepot.promotion.done"},
    {"PROMOTION_FAILED", promotion_failed, "entrepot.promotion.failed"},
    {"PROMOTION_SUPERSEDED", promotion_superseded, "entrepot.promotion.superseded"},
    {"REPOSITORY_UPDATED", repository_updated, "entrepot.repository.updated"},
    {"REPOSITORY_RENAMED", repository_renamed, "entrepot.repository.renamed"},
    {"REPOSITORY_DELETED", repository_deleted, "entrepot.repository.deleted"},
    {"PROJECT_UPDATED", project_updated, "entrepot.project.updated"},
    {"PROJECT_RENAMED", project_renamed, "entrepot.project.renamed"},
    {"PROJECT_CREATED", project_created, "entrepot.project.created", true},
    {"PROJECT_DELETED", project_deleted, "entrepot.project.deleted", true},
    {"MEMBER_ADDED", grant_created, "entrepot.member.added"},
    {"MEMBER_UPDATED", grant_updated, "entrepot.member.updated"},
    {"MEMBER_REMOVED", grant_deleted, "entrepot.member.removed"},
    {"ROBOT_CREATED", robot_created, "entrepot.robot.created"},
    {"ROBOT_UPDATED", robot_updated, "entrepot.robot.updated"},
    {"ROBOT_DELETED", robot_deleted, "entrepot.robot.deleted"},
    {"LABEL_CREATED", label_created, "entrepot.label.created"},
    {"LABEL_UPDATED", label_updated, "entrepot.label.updated"},
    {"LABEL_DELETED", label_deleted, "entrepot.label.deleted"},
    {"USER_CREATED", user_created, "entrepot.user.created", true},
    {"USER_UPDATED", user_updated, "entrepot.user.updated", true},
    {"USER_DELETED", user_deleted, "entrepot.user.deleted", true},
    {"TENANT_CREATED", tenant_created, "entrepot.tenant.created", true},
    {"TENANT_UPDATED", tenant_updated, "entrepot.tenant.updated", true},
    {"TENANT_DELETED", tenant_deleted, "entrepot.tenant.deleted", true},
    {"CONFIGURATION_UPDATED", configuration_updated, "entrepot.configuration.updated", true},
    {"GARBAGE_COLLECTION", garbage_collection_finished, "entrepot.garbage_collection.finished", true},
    {"SCRUB", scrub_finished, "entrepot.scrub.finished", true},
    {"BLOB_DAMAGED", blob_damaged, "entrepot.blob.damaged", true},
    {"BLOB_HEALED", blob_healed, "entrepot.blob.healed", true},
};

json::object details_of(const Event& event)
{
    boost::system::error_code error;
    auto value = json::parse(event.details, error);
    return !error && value.is_object() ? std::move(value.as_object()) : json::object{};
}

// What a push did to its tags.
void add_tag_types(const Event& event, const json::object& details, std::vector<const WebhookType*>& found)
{
    const auto* tags = details.if_contains("tags");
    if (tags == nullptr || !tags->is_array()) return;
    bool created = false;
    bool moved = false;
    for (const auto& entry : tags->as_array()) {
        if (!entry.is_object()) continue;
        const auto* previous = entry.as_object().if_contains("previous");
        if (previous == nullptr) {
            created = true;
        } else if (previous->is_string() && previous->as_string() != event.digest) {
            moved = true;
        }
    }
    if (created) found.push_back(webhook_type_named("TAG_CREATED"));
    if (moved) found.push_back(webhook_type_named(tag_moved_name));
}

}  // namespace

std::span<const WebhookType> webhook_types() noexcept
{
    return types;
}

const WebhookType* webhook_type_named(std::string_view name) noexcept
{
    const auto* const found = std::ranges::find(types, name, &WebhookType::name);
    return found == std::ranges::end(types) ? nullptr : found;
}

std::vector<const WebhookType*> webhook_types_of(const Event& event)
{
    std::vector<const WebhookType*> found;
    const auto* const type = std::ranges::find(types, std::string_view{event.type}, &WebhookType::event);
    if (type == std::ranges::end(types)) return found;
    const bool is_push = event.type == artifact_pushed || event.type == artifact_copied;
    if (!is_push && event.type != artifact_deleted) return {type};
    const auto details = details_of(event);
    if (details.contains("with")) return found;
    found.push_back(type);
    if (is_push) add_tag_types(event, details, found);
    return found;
}

}  // namespace entrepot
