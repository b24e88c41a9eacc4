// The contract of sites on the one in memory, which other tests rely on.
#include "drivers/memory/memory_site.hpp"
#include "tests/contract/copy_site_contract.hpp"

namespace entrepot::copy_site_contract {
namespace {

struct InMemory {
    static constexpr bool pages = true;
    static constexpr bool removes_tags = true;
    static constexpr bool mounts = true;
    static constexpr bool resumes_broken_uploads = true;
    static constexpr bool tells_states = true;

    MemorySite held;
    CopySite& site() { return held; }
    static RepositoryName repository(const std::string& name) { return RepositoryName::parse("test/" + name).value(); }
};

INSTANTIATE_TYPED_TEST_SUITE_P(InMemory, CopySiteContract, InMemory);

}  // namespace
}  // namespace entrepot::copy_site_contract
