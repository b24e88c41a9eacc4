#include "drivers/upstream/registry_site.hpp"

#include "tests/contract/copy_site_contract.hpp"
#include "tests/support/docker_registry.hpp"

#include <atomic>

namespace entrepot::copy_site_contract {
namespace {

// docker-registry 2.8: no referrers API, tags only all at once and not removable.
struct OnDockerRegistry {
    static constexpr bool pages = false;
    static constexpr bool removes_tags = false;
    static constexpr bool mounts = true;
    static constexpr bool resumes_broken_uploads = false;
    static constexpr bool tells_states = false;

    OnDockerRegistry()
    {
        static const DockerRegistry server;
        RegistryEndpoint endpoint;
        endpoint.type = "docker-registry";
        endpoint.url = server.url();
        opened = RegistrySite::create({.endpoint = std::move(endpoint)}, clock).value();
    }
    CopySite& site() { return *opened; }
    RepositoryName repository(const std::string& name)
    {
        return RepositoryName::parse("test" + std::to_string(number) + "/" + name).value();
    }

    static int next()
    {
        static std::atomic<int> last = 0;
        return ++last;
    }
    const int number = next();
    SystemClock clock;
    std::shared_ptr<RegistrySite> opened;
};

}  // namespace

INSTANTIATE_TYPED_TEST_SUITE_P(docker_registry, CopySiteContract, OnDockerRegistry);

}  // namespace entrepot::copy_site_contract
