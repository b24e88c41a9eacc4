#include "ports/event.hpp"

#include <array>

namespace entrepot {

std::span<const std::string_view> all_event_types() noexcept
{
    using namespace event_type;
    static constexpr std::array types{
        artifact_pushed,      artifact_pulled,       artifact_copied,
        artifact_deleted,     artifact_restored,     artifact_labelled,
        artifact_unlabelled,  tag_created,           tag_deleted,
        repository_updated,   repository_renamed,    repository_deleted,
        project_created,      project_updated,       project_renamed,
        project_deleted,      label_created,         label_updated,
        label_deleted,        grant_created,         grant_updated,
        grant_deleted,        role_created,          role_updated,
        role_deleted,         group_created,         group_updated,
        group_deleted,        team_created,          team_updated,
        team_deleted,         team_member_added,     team_member_removed,
        tenant_created,       tenant_updated,        tenant_deleted,
        tenant_member_added,  tenant_member_removed, user_created,
        user_updated,         user_deleted,          robot_created,
        robot_updated,        robot_deleted,         access_token_created,
        access_token_deleted, configuration_updated, webhook_created,
        webhook_updated,      webhook_deleted,       promotion_requested,
        promotion_approved,   promotion_rejected,    promotion_done,
        promotion_failed,     quota_warned,          quota_exceeded,
        scan_completed,       scan_stopped,          scan_failed,
        replication_finished, retention_finished,    garbage_collection_finished,
        scrub_finished,       blob_damaged,          blob_healed,
    };
    return types;
}

}  // namespace entrepot
