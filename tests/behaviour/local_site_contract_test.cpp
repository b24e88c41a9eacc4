// The contract of sites on this registry itself.
#include "tests/behaviour/local_registry.hpp"
#include "tests/contract/copy_site_contract.hpp"

namespace entrepot::copy_site_contract {
namespace {

struct ThisRegistry {
    static constexpr bool pages = true;
    static constexpr bool removes_tags = true;
    static constexpr bool mounts = true;
    static constexpr bool resumes_broken_uploads = true;
    static constexpr bool tells_states = true;

    LocalRegistry registry;
    LocalSite held{registry.parts(), {.user_id = registry.admin_id}};
    CopySite& site() { return held; }
    static RepositoryName repository(const std::string& name) { return RepositoryName::parse("test/" + name).value(); }
};

INSTANTIATE_TYPED_TEST_SUITE_P(ThisRegistry, CopySiteContract, ThisRegistry);

}  // namespace
}  // namespace entrepot::copy_site_contract
