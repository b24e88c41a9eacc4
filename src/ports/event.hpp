#pragma once

#include "core/clock.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace entrepot {

// What happens, by the names that clients filter by. docs/events.md says when each is written and what its details are;
// those that Harbor's webhooks know under names of their own are listed in events/webhooks/webhook_types.cpp.
namespace event_type {
inline constexpr std::string_view artifact_pushed = "artifact.pushed";
inline constexpr std::string_view artifact_pulled = "artifact.pulled";
inline constexpr std::string_view artifact_copied = "artifact.copied";
inline constexpr std::string_view artifact_deleted = "artifact.deleted";
inline constexpr std::string_view artifact_restored = "artifact.restored";
inline constexpr std::string_view artifact_labelled = "artifact.labelled";
inline constexpr std::string_view artifact_unlabelled = "artifact.unlabelled";
inline constexpr std::string_view artifact_checked = "artifact.checked";
inline constexpr std::string_view tag_created = "tag.created";
inline constexpr std::string_view tag_deleted = "tag.deleted";
inline constexpr std::string_view repository_updated = "repository.updated";
inline constexpr std::string_view repository_renamed = "repository.renamed";
inline constexpr std::string_view repository_deleted = "repository.deleted";
inline constexpr std::string_view project_created = "project.created";
inline constexpr std::string_view project_updated = "project.updated";
inline constexpr std::string_view project_renamed = "project.renamed";
inline constexpr std::string_view project_deleted = "project.deleted";
inline constexpr std::string_view label_created = "label.created";
inline constexpr std::string_view label_updated = "label.updated";
inline constexpr std::string_view label_deleted = "label.deleted";
inline constexpr std::string_view grant_created = "grant.created";
inline constexpr std::string_view grant_updated = "grant.updated";
inline constexpr std::string_view grant_deleted = "grant.deleted";
inline constexpr std::string_view role_created = "role.created";
inline constexpr std::string_view role_updated = "role.updated";
inline constexpr std::string_view role_deleted = "role.deleted";
inline constexpr std::string_view group_created = "group.created";
inline constexpr std::string_view group_updated = "group.updated";
inline constexpr std::string_view group_deleted = "group.deleted";
inline constexpr std::string_view team_created = "team.created";
inline constexpr std::string_view team_updated = "team.updated";
inline constexpr std::string_view team_deleted = "team.deleted";
inline constexpr std::string_view team_member_added = "team.member_added";
inline constexpr std::string_view team_member_removed = "team.member_removed";
inline constexpr std::string_view tenant_created = "tenant.created";
inline constexpr std::string_view tenant_updated = "tenant.updated";
inline constexpr std::string_view tenant_deleted = "tenant.deleted";
inline constexpr std::string_view tenant_member_added = "tenant.member_added";
inline constexpr std::string_view tenant_member_removed = "tenant.member_removed";
inline constexpr std::string_view user_created = "user.created";
inline constexpr std::string_view user_updated = "user.updated";
inline constexpr std::string_view user_deleted = "user.deleted";
inline constexpr std::string_view robot_created = "robot.created";
inline constexpr std::string_view robot_updated = "robot.updated";
inline constexpr std::string_view robot_deleted = "robot.deleted";
inline constexpr std::string_view access_token_created = "access_token.created";
inline constexpr std::string_view access_token_deleted = "access_token.deleted";
inline constexpr std::string_view configuration_updated = "configuration.updated";
inline constexpr std::string_view webhook_created = "webhook.created";
inline constexpr std::string_view webhook_updated = "webhook.updated";
inline constexpr std::string_view webhook_deleted = "webhook.deleted";
inline constexpr std::string_view registry_created = "registry.created";
inline constexpr std::string_view registry_updated = "registry.updated";
inline constexpr std::string_view registry_deleted = "registry.deleted";
inline constexpr std::string_view replication_policy_created = "replication_policy.created";
inline constexpr std::string_view replication_policy_updated = "replication_policy.updated";
inline constexpr std::string_view replication_policy_deleted = "replication_policy.deleted";
inline constexpr std::string_view promotion_requested = "promotion.requested";
inline constexpr std::string_view promotion_waiting = "promotion.waiting";
inline constexpr std::string_view promotion_approved = "promotion.approved";
inline constexpr std::string_view promotion_rejected = "promotion.rejected";
inline constexpr std::string_view promotion_done = "promotion.done";
inline constexpr std::string_view promotion_failed = "promotion.failed";
inline constexpr std::string_view promotion_superseded = "promotion.superseded";
inline constexpr std::string_view quota_warned = "quota.warned";
inline constexpr std::string_view quota_exceeded = "quota.exceeded";
inline constexpr std::string_view scan_completed = "scan.completed";
inline constexpr std::string_view scan_stopped = "scan.stopped";
inline constexpr std::string_view scan_failed = "scan.failed";
inline constexpr std::string_view replication_finished = "replication.finished";
inline constexpr std::string_view synchronisation_changed = "synchronisation.changed";
inline constexpr std::string_view synchronisation_degraded = "synchronisation.degraded";
inline constexpr std::string_view synchronisation_fenced = "synchronisation.fenced";
inline constexpr std::string_view synchronisation_overruled = "synchronisation.overruled";
inline constexpr std::string_view retention_finished = "retention.finished";
inline constexpr std::string_view garbage_collection_finished = "garbage_collection.finished";
inline constexpr std::string_view scrub_finished = "scrub.finished";
inline constexpr std::string_view blob_damaged = "blob.damaged";
inline constexpr std::string_view blob_healed = "blob.healed";
inline constexpr std::string_view node_token_created = "node_token.created";
inline constexpr std::string_view node_token_deleted = "node_token.deleted";
inline constexpr std::string_view node_admitted = "node.admitted";
inline constexpr std::string_view node_deleted = "node.deleted";
inline constexpr std::string_view preheat_created = "preheat.created";
inline constexpr std::string_view preheat_ended = "preheat.ended";
}  // namespace event_type

std::span<const std::string_view> all_event_types() noexcept;

// One thing that happened, as it was at that time: names are those of then. What does not apply is empty or 0.
struct Event {
    std::int64_t sequence = 0;  // given by the log: 1, 2, 3 … in the order in which everybody reads them
    std::string type;
    std::int64_t tenant_id = 0;
    std::int64_t project_id = 0;
    std::string project;
    std::string repository;  // with its project
    std::string digest;
    std::string tag;  // the first, where there are several
    std::string media_type;
    std::int64_t size = 0;
    std::int64_t user_id = 0;
    std::string user;
    Micros at = 0;
    std::int64_t count = 1;      // of pulls: how often within about a second
    std::string details = "{}";  // a JSON object with the rest
};

}  // namespace entrepot
