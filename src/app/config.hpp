#pragma once

#include "access/policy.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "http/server.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace entrepot {

// What a listener answers. /healthz and /readyz are no surface: every listener has them.
struct Surfaces {
    bool oci = true;      // /v2
    bool api = true;      // /api
    bool token = true;    // /service/token and its keys
    bool metrics = true;  // /metrics
    bool swarm = true;    // /swarm/v1, where there is a swarm

    bool operator==(const Surfaces&) const = default;
};

struct ListenerConfig {
    std::string name = "main";
    std::string address = "127.0.0.1";  // numeric, without brackets, or an interface's name
    std::uint16_t port = 5000;
    std::optional<TlsFiles> tls;
    Surfaces surfaces;
    std::uint64_t bytes_per_second = 0;  // 0: no limit
};

// All that can be configured, with its defaults; the keys that set it are the table in config_keys.cpp.
struct Config {
    std::filesystem::path data = "./var";

    struct Database {
        std::string url;  // empty: SQLite in the data directory; else postgresql://…
        unsigned connections = 16;
    } database;

    struct Instance {
        std::string name;  // empty: made once, in the data directory
    } instance;

    struct Audit {
        std::filesystem::path directory;  // empty: audit/ in the data directory
        bool pulls = true;
        std::chrono::seconds retention = std::chrono::hours{24 * 365};
        std::string forward_syslog;  // tcp://host:port or tls://host:port; empty: nowhere
        std::filesystem::path forward_ca;
        std::filesystem::path forward_file;
    } audit;

    struct Events {
        bool pulls = true;
        std::chrono::seconds keep = std::chrono::hours{24 * 30};
        std::int64_t streams = 1000;
    } events;

    struct Outbound {
        std::vector<std::string> allow;
    } outbound;

    struct Oci {
        std::vector<std::string> mirrors;  // host=project
    } oci;

    struct Storage {
        std::filesystem::path root;  // empty: blobs/ in the data directory
    } storage;

    std::vector<ListenerConfig> listeners{ListenerConfig{}};
    HttpLimits http;
    unsigned loops = 0;  // 0: one a core

    struct Auth {
        std::string service = "entrepot";
        std::string issuer = "entrepot";
        std::string external_url;  // http(s)://host[:port], no path; empty: as the request asked for us
        std::chrono::seconds token_lifetime = std::chrono::minutes{30};
        std::chrono::seconds session_timeout = std::chrono::minutes{60};
        std::chrono::seconds key_rotation = std::chrono::hours{720};
        std::filesystem::path master_key_file;  // at most one of the two; both empty: a file in the data directory
        std::string master_key;                 // secret, never logged
        ProjectCreation create_project_on_push = ProjectCreation::admins;
    } auth;

    // A service that is asked for a second opinion on what our own decision allows.
    struct Authoriser {
        std::string url;    // empty: nobody is asked
        std::string token;  // secret, never logged
        std::filesystem::path ca_file;
        std::chrono::seconds patience{2};
        std::chrono::seconds remember{10};
        bool fail_closed = true;
    } authoriser;

    struct Log {
        entrepot::log::Level level = entrepot::log::Level::info;
        entrepot::log::Format format = entrepot::log::Format::text;
        bool access = false;
    } log;

    struct Caches {
        std::size_t metadata_bytes = std::size_t{32} << 20U;
        std::size_t blob_bytes = std::size_t{64} << 20U;
        std::size_t open_files = 1024;
    } caches;

    struct Uploads {
        std::chrono::seconds expire_after = std::chrono::hours{168};
        std::size_t per_user = 4096;
        std::uint64_t chunk_min_length = 0;  // 0: not announced
    } uploads;

    struct Jobs {
        std::int64_t workers = 64;
        std::chrono::seconds keep = std::chrono::hours{24 * 30};
        std::int64_t keep_most = 100'000;
    } jobs;

    struct Manifests {
        std::size_t max_bytes = std::size_t{4} << 20U;
        bool accept_sparse = false;
    } manifests;

    // How long things stay that nobody needs.
    struct Gc {
        std::chrono::seconds lease = std::chrono::hours{2};
        std::chrono::seconds grace = std::chrono::minutes{15};
        std::chrono::seconds untagged_after = std::chrono::hours{24};
    } gc;

    struct Quotas {
        std::vector<std::int64_t> warn_at{85, 95};  // percent, ascending; empty: nobody is warned
        std::chrono::seconds keep_usage = std::chrono::days{800};
    } quotas;
    struct Scrub {
        std::uint64_t rate = std::uint64_t{50} << 20U;  // bytes a second that are read again; 0: none
        std::chrono::seconds min_age = std::chrono::hours{24};
        struct Replica {
            std::string url;  // empty: none
            std::string user;
            std::filesystem::path password_file;
            std::filesystem::path ca_file;
        } replica;
    } scrub;

    // What brings the database back from the store alone.
    struct Index {
        bool enabled = true;
        std::chrono::seconds every = std::chrono::hours{24};
    } index;

    struct History {
        std::chrono::seconds keep = std::chrono::days{180};
    } history;

    // What was deleted can be brought back.
    struct Trash {
        std::chrono::seconds keep = std::chrono::days{7};
    } trash;

    struct Retention {
        bool expiry_labels = false;
    } retention;

    // Images to many nodes at once.
    struct Swarm {
        bool enabled = false;
        std::string binding;                 // an address or an interface's name; empty: all
        std::uint16_t control_port = 7400;   // nodes' control streams
        std::uint16_t peer_port = 7401;      // the registry as one of them
        std::string advertise;               // the address that nodes are told of; empty: by which they came
        std::uint64_t bytes_per_second = 0;  // for nodes; 0: no limit
        std::chrono::seconds forget_after = std::chrono::days{30};  // nodes that are not heard of
        bool prepare = true;                                        // images when they are pushed
    } swarm;

    struct Shutdown {
        std::chrono::seconds stalled{10};
        std::chrono::seconds longest{60};
    } shutdown;

    bool uses_postgres() const noexcept { return !database.url.empty(); }
    std::filesystem::path sqlite_file() const { return data / "entrepot.db"; }
    std::filesystem::path audit_directory() const { return audit.directory.empty() ? data / "audit" : audit.directory; }
    std::filesystem::path storage_root() const { return storage.root.empty() ? data / "blobs" : storage.root; }
};

// What the command line may set; it wins over everything else.
struct ConfigFlags {
    std::optional<std::string> listen{};      // ADDR:PORT; with tls_listen it replaces all configured listeners
    std::optional<std::string> tls_listen{};  // ADDR:PORT
    std::optional<std::string> tls_cert{};
    std::optional<std::string> tls_key{};
    std::optional<std::string> data{};
    std::optional<std::string> database{};
};

// Names and values. Only names that start with ENTREPOT_ are looked at.
using Environment = std::vector<std::pair<std::string, std::string>>;
Environment process_environment();

// Flags over environment over file over defaults. On bad_request the message holds every problem found, one a line,
// each with the file and line, the variable or the flag it is in.
Result<Config>
load_config(const std::optional<std::string>& file, const Environment& environment, const ConfigFlags& flags);
// The same with the file's text already read; `file` is its name for messages.
Result<Config>
read_config(std::string_view yaml, std::string_view file, const Environment& environment, const ConfigFlags& flags);

// docs/operations/configuration.md, printed from the table of keys.
std::string config_reference();

// "127.0.0.1:5000", "[::1]:5000", "eth1:5000", ":5000" (all addresses) as address and port.
Result<std::pair<std::string, std::uint16_t>> parse_endpoint(std::string_view text);

}  // namespace entrepot
