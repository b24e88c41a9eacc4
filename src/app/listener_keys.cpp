#include "app/config_key_kinds.hpp"
#include "app/config_keys.hpp"
#include "app/config_values.hpp"

#include <array>

namespace entrepot {
namespace {

using namespace config_kinds;

constexpr std::array surfaces{
    Word{"oci", &Surfaces::oci},
    Word{"api", &Surfaces::api},
    Word{"token", &Surfaces::token},
    Word{"metrics", &Surfaces::metrics},
    Word{"swarm", &Surfaces::swarm},
};

Result<> set_surfaces(ListenerConfig& listener, std::string_view value)
{
    Surfaces chosen{false, false, false, false, false};
    const auto names = split_list(value);
    if (names.empty()) return fail(Errc::bad_request, "names no surface");
    for (const auto& name : names) {
        TRY(const auto surface, pick(surfaces, name));
        chosen.*surface = true;
    }
    listener.surfaces = chosen;
    return {};
}

std::string show_surfaces(const ListenerConfig& listener)
{
    std::vector<std::string> names;
    for (const auto& word : surfaces) {
        if (listener.surfaces.*word.value) names.emplace_back(word.text);
    }
    return joined(names);
}

Result<> set_address(ListenerConfig& listener, std::string_view value)
{
    TRY(listener.address, parse_address(value));
    return {};
}

template <std::string TlsFiles::* file>
Result<> set_tls_file(ListenerConfig& listener, std::string_view value)
{
    if (value.empty()) return fail(Errc::bad_request, "must not be empty");
    if (!listener.tls) listener.tls.emplace();
    (*listener.tls).*file = value;
    return {};
}

template <std::string TlsFiles::* file>
std::string show_tls_file(const ListenerConfig& listener)
{
    return listener.tls ? (*listener.tls).*file : std::string{};
}

constexpr std::array keys_of_a_listener{
    label<ListenerConfig>("name", ENTREPOT_FIELD(name), "Name in logs and metrics; when empty, its address and port."),
    ConfigKey<ListenerConfig>{
        "address",
        "address or interface",
        "Numeric address to listen on, or the name of an interface.",
        set_address,
        [](const ListenerConfig& listener) { return listener.address; },
    },
    count<ListenerConfig, 0, 65'535>("port", ENTREPOT_FIELD(port), "TCP port; 0: the system chooses."),
    ConfigKey<ListenerConfig>{
        "tls.certificate",
        "path",
        "PEM file with the certificate and its chain; read again on SIGHUP.",
        set_tls_file<&TlsFiles::certificate_file>,
        show_tls_file<&TlsFiles::certificate_file>,
    },
    ConfigKey<ListenerConfig>{
        "tls.key",
        "path",
        "PEM file with the certificate's key.",
        set_tls_file<&TlsFiles::key_file>,
        show_tls_file<&TlsFiles::key_file>,
    },
    ConfigKey<ListenerConfig>{
        "surfaces",
        "list of oci, api, token, metrics, swarm",
        "What it serves; /healthz and /readyz are everywhere.",
        set_surfaces,
        show_surfaces,
        true,
    },
    size<ListenerConfig, 0, any>(
        "rate", ENTREPOT_FIELD(bytes_per_second), "Bytes a second it sends in all; 0: no limit."
    ),
};

}  // namespace

std::span<const ConfigKey<ListenerConfig>> listener_keys()
{
    return keys_of_a_listener;
}

}  // namespace entrepot
