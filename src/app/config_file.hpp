#pragma once

#include "app/config.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// A configuration while it is being put together from its sources, with what is wrong so far.
struct ConfigDraft {
    Config config;
    std::map<std::string, std::string, std::less<>> places;  // key -> where it was last set, "site.yaml:12"
    std::vector<std::string> problems;                       // "site.yaml:12: http.idle_timeout: …"

    void complain(std::string_view place, std::string_view key, std::string_view what);
    // A problem of the finished whole, told at the place the key was set.
    void complain_of(std::string_view key, std::string_view what);
};

// Sets what the YAML text says. `file` is its name for messages.
void apply_file(ConfigDraft& draft, std::string_view yaml, const std::string& file);

}  // namespace entrepot
