#include "drivers/upstream/registry_site.hpp"

#include "tests/contract/copy_site_contract.hpp"
#include "tests/support/server_process.hpp"

#include <atomic>

// Entrepôt as others see it: a site by HTTP, with a log-in by token.
namespace entrepot::copy_site_contract {
namespace {

class EntrepotServer {
public:
    EntrepotServer() : process_{command(), port_, folder_.path() / "log"} {}
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    static constexpr const char* password = "Behaviour1pass";

private:
    std::vector<std::string> command() const
    {
        ::setenv("ENTREPOT_ADMIN_PASSWORD", password, 1);
        return {
            ENTREPOT_BINARY,
            "serve",
            "--listen",
            "127.0.0.1:" + std::to_string(port_),
            "--data",
            (folder_.path() / "data").string()
        };
    }

    const ServerFolder folder_;
    const std::uint16_t port_ = free_loopback_port();
    const ServerProcess process_;
};

struct OnEntrepot {
    static constexpr bool pages = true;
    static constexpr bool removes_tags = true;
    static constexpr bool mounts = true;
    static constexpr bool resumes_broken_uploads = true;
    static constexpr bool tells_states = true;

    OnEntrepot()
    {
        static const EntrepotServer server;
        RegistryEndpoint endpoint;
        endpoint.type = "entrepot";
        endpoint.url = server.url();
        endpoint.access_key = "admin";
        endpoint.access_secret = EntrepotServer::password;
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

INSTANTIATE_TYPED_TEST_SUITE_P(entrepot, CopySiteContract, OnEntrepot);

}  // namespace entrepot::copy_site_contract
