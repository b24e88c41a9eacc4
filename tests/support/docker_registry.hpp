#pragma once

#include "tests/support/server_process.hpp"

#include <fstream>
#include <optional>

namespace entrepot {

// docker-registry of Debian on a port of its own, gone with this object. Throws std::runtime_error where it isn't
// installed.
class DockerRegistry {
public:
    DockerRegistry()
    {
        const auto configuration = folder_.path() / "registry.yml";
        std::ofstream{configuration} << "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
                                     << "storage: {filesystem: {rootdirectory: " << (folder_.path() / "data").string()
                                     << "}, delete: {enabled: true}}\nhttp: {addr: '127.0.0.1:" << port_
                                     << "', secret: test}\n";
        ::unsetenv("AWS_CA_BUNDLE");  // upsets its S3 driver even where that isn't used
        process_.emplace(
            std::vector<std::string>{"docker-registry", "serve", configuration.string()}, port_, folder_.path() / "log"
        );
    }

    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

private:
    const ServerFolder folder_;
    const std::uint16_t port_ = free_loopback_port();
    std::optional<ServerProcess> process_;
};

}  // namespace entrepot
