// The contract of every MetadataStore, compiled once and linked into the test program of each engine.
#include "tests/contract/metadata_store_contract_access.hpp"
#include "tests/contract/metadata_store_contract_accounts.hpp"
#include "tests/contract/metadata_store_contract_artifact_changes.hpp"
#include "tests/contract/metadata_store_contract_artifacts.hpp"
#include "tests/contract/metadata_store_contract_audit.hpp"
#include "tests/contract/metadata_store_contract_blobs.hpp"
#include "tests/contract/metadata_store_contract_checks.hpp"
#include "tests/contract/metadata_store_contract_chunks.hpp"
#include "tests/contract/metadata_store_contract_environments.hpp"
#include "tests/contract/metadata_store_contract_events.hpp"
#include "tests/contract/metadata_store_contract_exchange.hpp"
#include "tests/contract/metadata_store_contract_garbage.hpp"
#include "tests/contract/metadata_store_contract_grants.hpp"
#include "tests/contract/metadata_store_contract_jobs.hpp"
#include "tests/contract/metadata_store_contract_labels.hpp"
#include "tests/contract/metadata_store_contract_manifests.hpp"
#include "tests/contract/metadata_store_contract_nodes.hpp"
#include "tests/contract/metadata_store_contract_people.hpp"
#include "tests/contract/metadata_store_contract_preheats.hpp"
#include "tests/contract/metadata_store_contract_projects.hpp"
#include "tests/contract/metadata_store_contract_promotions.hpp"
#include "tests/contract/metadata_store_contract_proxies.hpp"
#include "tests/contract/metadata_store_contract_push_policies.hpp"
#include "tests/contract/metadata_store_contract_quotas.hpp"
#include "tests/contract/metadata_store_contract_races.hpp"
#include "tests/contract/metadata_store_contract_renames.hpp"
#include "tests/contract/metadata_store_contract_retention.hpp"
#include "tests/contract/metadata_store_contract_robots.hpp"
#include "tests/contract/metadata_store_contract_scrub.hpp"
#include "tests/contract/metadata_store_contract_settings.hpp"
#include "tests/contract/metadata_store_contract_synchronous.hpp"
#include "tests/contract/metadata_store_contract_tag_rules.hpp"
#include "tests/contract/metadata_store_contract_tenancy.hpp"
#include "tests/contract/metadata_store_contract_trash.hpp"
#include "tests/contract/metadata_store_contract_uploads.hpp"
#include "tests/contract/metadata_store_contract_webhooks.hpp"

namespace entrepot::contract {

#define ON_THE_ENGINE(Suite)                                                                                 \
    INSTANTIATE_TEST_SUITE_P(Engine, Suite, testing::Values(engine_under_test()), [](const auto& instance) { \
        return instance.param.name;                                                                          \
    })

ON_THE_ENGINE(MetadataStoreContract);
ON_THE_ENGINE(RobotContract);
ON_THE_ENGINE(ArtifactContract);
ON_THE_ENGINE(GarbageContract);
ON_THE_ENGINE(TrashContract);
ON_THE_ENGINE(AccessContract);
ON_THE_ENGINE(LabelContract);
ON_THE_ENGINE(TagRuleContract);
ON_THE_ENGINE(PushPolicyContract);
ON_THE_ENGINE(PromotionContract);
ON_THE_ENGINE(CheckContract);
ON_THE_ENGINE(EnvironmentContract);
ON_THE_ENGINE(ProxyContract);
ON_THE_ENGINE(RenameContract);
ON_THE_ENGINE(RetentionContract);
ON_THE_ENGINE(AuditAnchorContract);
ON_THE_ENGINE(QuotaContract);
ON_THE_ENGINE(EventContract);
ON_THE_ENGINE(WebhookContract);
ON_THE_ENGINE(EndpointContract);
ON_THE_ENGINE(ReplicationContract);
ON_THE_ENGINE(SynchronousContract);
ON_THE_ENGINE(JobContract);
ON_THE_ENGINE(ScheduleContract);
ON_THE_ENGINE(ScrubContract);
ON_THE_ENGINE(NodeContract);
ON_THE_ENGINE(PreheatContract);
ON_THE_ENGINE(ChunkContract);

#undef ON_THE_ENGINE

}  // namespace entrepot::contract
