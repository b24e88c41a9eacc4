#pragma once

#include "app/config.hpp"

#include <memory>
#include <optional>
#include <string>

namespace entrepot {

// One serving instance: everything from the data directory to the listeners, built in the order in which the parts
// need one another.
class App {
public:
    // Throws std::runtime_error or std::system_error with a message for the operator when something can't be had.
    App(Config config, std::optional<std::string> admin_password);
    ~App();
    App(const App&) = delete;
    App& operator=(const App&) = delete;

    // Serves until SIGTERM or SIGINT, then drains; SIGHUP reads the certificates again. Returns the exit code.
    // Requires that no other thread of the process runs yet.
    int run();

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace entrepot
