#pragma once

#include "app/config.hpp"

#include <span>
#include <string>
#include <string_view>

namespace entrepot {

// One thing that can be configured. The tables of these are the only place that knows a key: the file's reader, the
// environment's, --help and the reference page all go by them.
template <class Target>
struct ConfigKey {
    std::string_view name;  // "http.header_timeout": a section of the file and a key in it
    std::string_view kind;  // "duration", or the words allowed
    std::string_view text;  // what it does, one line
    Result<> (*set)(Target& target, std::string_view value);  // its messages do not repeat secrets
    std::string (*show)(const Target& target);
    bool list = false;  // may be a sequence in the file; items are joined by commas
};

// In the order in which the reference lists them.
std::span<const ConfigKey<Config>> config_keys();
// Those of them that are about the swarm.
std::span<const ConfigKey<Config>> swarm_keys();
// The keys of one entry of `listeners`.
std::span<const ConfigKey<ListenerConfig>> listener_keys();

// "ENTREPOT_HTTP_HEADER_TIMEOUT"
std::string variable_of(std::string_view key);

}  // namespace entrepot
