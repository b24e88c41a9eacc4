#include "app/config_keys.hpp"
#include "api/oci/mirrors.hpp"
#include "client/http_url.hpp"
#include "client/outbound_rules.hpp"

#include "api/token/master_key.hpp"
#include "app/config_key_kinds.hpp"
#include "core/ascii.hpp"
#include "drivers/syslog/syslog_sink.hpp"

#include <array>
#include <utility>

namespace entrepot {
namespace {

using namespace config_kinds;

constexpr std::array levels{
    Word{"debug", log::Level::debug},
    Word{"info", log::Level::info},
    Word{"warning", log::Level::warning},
    Word{"error", log::Level::error},
};
constexpr std::array formats{Word{"text", log::Format::text}, Word{"json", log::Format::json}};
constexpr std::array creators{
    Word{"nobody", ProjectCreation::nobody},
    Word{"admins", ProjectCreation::admins},
    Word{"everyone", ProjectCreation::everyone},
};

Result<> set_database_url(Config& config, std::string_view value)
{
    const bool postgres = value.starts_with("postgresql://") || value.starts_with("postgres://");
    if (!value.empty() && !postgres) {
        return fail(Errc::bad_request, "must be empty (SQLite in the data directory) or start with postgresql://");
    }
    config.database.url = value;
    return {};
}

Result<> set_instance_name(Config& config, std::string_view value)
{
    const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.'; };
    const bool good = value.size() <= 63 && std::ranges::all_of(value, plain) && !value.starts_with('.');
    if (!good) return fail(Errc::bad_request, "must be at most 63 lower-case letters, digits, '-' and '.'");
    config.instance.name = value;
    return {};
}

Result<> set_forward_syslog(Config& config, std::string_view value)
{
    if (!value.empty()) CHECK(parse_syslog_target(value));
    config.audit.forward_syslog = value;
    return {};
}

Result<> set_external_url(Config& config, std::string_view value)
{
    auto host = value;
    if (host.starts_with("https://"))
        host.remove_prefix(8);
    else if (host.starts_with("http://"))
        host.remove_prefix(7);
    else
        host = {};
    if (!check_label(value) || host.empty() || host.find_first_of("/?#@") != std::string_view::npos) {
        return fail(Errc::bad_request, "must be http://HOST[:PORT] or https://HOST[:PORT], without a path");
    }
    config.auth.external_url = value;
    return {};
}

Result<> set_authoriser_url(Config& config, std::string_view value)
{
    if (!value.empty()) CHECK(parse_http_url(value));
    config.authoriser.url = value;
    return {};
}

Result<> set_replica_url(Config& config, std::string_view value)
{
    if (!value.empty()) {
        TRY(const auto url, parse_http_url(value));
        if (url.target != "/") return fail(Errc::bad_request, "must be http(s)://HOST[:PORT], without a path");
    }
    config.scrub.replica.url = value;
    return {};
}

Result<> set_master_key(Config& config, std::string_view value)
{
    CHECK(MasterKey::parse(value));
    config.auth.master_key = value;
    return {};
}

Result<> set_outbound_allow(Config& config, std::string_view value)
{
    auto allow = split_list(value);
    CHECK(OutboundRules::parse(allow));
    config.outbound.allow = std::move(allow);
    return {};
}

Result<> set_mirrors(Config& config, std::string_view value)
{
    auto mirrors = split_list(value);
    CHECK(Mirrors::parse(mirrors));
    config.oci.mirrors = std::move(mirrors);
    return {};
}

Result<> set_warn_at(Config& config, std::string_view value)
{
    std::vector<std::int64_t> percents;
    for (const auto& text : split_list(value)) {
        const auto level = parse_decimal(text);
        if (!level || *level < 1 || *level > 100 ||
            (!percents.empty() && std::cmp_less_equal(*level, percents.back()))) {
            return fail(Errc::bad_request, "must be percentages from 1 to 100, each above the one before");
        }
        percents.push_back(static_cast<std::int64_t>(*level));
    }
    config.quotas.warn_at = std::move(percents);
    return {};
}

std::string show_warn_at(const Config& config)
{
    std::vector<std::string> percents;
    for (const auto level : config.quotas.warn_at) percents.push_back(std::to_string(level));
    return joined(percents);
}

Result<> set_trusted_proxies(Config& config, std::string_view value)
{
    auto networks = split_list(value);
    for (const auto& network : networks) CHECK(check_network(network));
    config.http.trusted_proxies = std::move(networks);
    return {};
}

constexpr std::array general_keys{
    path<Config>(
        "data", ENTREPOT_FIELD(data), "Directory that holds everything; created if missing, locked while in use."
    ),
    ConfigKey<Config>{
        "database.url",
        "URL",
        "postgresql://USER:PASSWORD@HOST/NAME; when empty, SQLite in the data directory.",
        set_database_url,
        [](const Config& config) { return config.database.url; },
    },
    count<Config, 1, 1000>(
        "database.connections", ENTREPOT_FIELD(database.connections), "Connections to PostgreSQL at most."
    ),
    path<Config>(
        "storage.root",
        ENTREPOT_FIELD(storage.root),
        "Directory of the blobs; when empty, blobs/ in the data directory."
    ),
    ConfigKey<Config>{
        "instance.name",
        "text",
        "Name of this instance in the audit trail, unlike any other's; when empty, one is made in the data directory.",
        set_instance_name,
        [](const Config& config) { return config.instance.name; },
    },
    path<Config>(
        "audit.directory",
        ENTREPOT_FIELD(audit.directory),
        "Directory of the audit trail, may be shared by instances; when empty, audit/ in the data directory."
    ),
    on_or_off(
        "audit.pulls", ENTREPOT_FIELD(audit.pulls), "Whether pulls are recorded, until pull_audit_log_disable is set."
    ),
    duration<day, 36'600 * day>(
        "audit.retention", ENTREPOT_FIELD(audit.retention), "Age at which segments of the audit trail are dropped."
    ),
    ConfigKey<Config>{
        "audit.forward_syslog",
        "URL",
        "tcp://HOST:PORT or tls://HOST:PORT of a syslog server that gets every record; when empty, none.",
        set_forward_syslog,
        [](const Config& config) { return config.audit.forward_syslog; },
    },
    path<Config>(
        "audit.forward_ca",
        ENTREPOT_FIELD(audit.forward_ca),
        "PEM file with the authorities that the syslog server's certificate may come from; when empty, the system's."
    ),
    path<Config>(
        "audit.forward_file", ENTREPOT_FIELD(audit.forward_file), "File that gets every record as a line of JSON."
    ),
    on_or_off(
        "events.pulls", ENTREPOT_FIELD(events.pulls), "Whether pulls are events, those of a second counted in one."
    ),
    duration<hour, 36'600 * day>(
        "events.keep", ENTREPOT_FIELD(events.keep), "Age at which events are dropped that every consumer has read."
    ),
    count<Config, 0, 100'000>(
        "events.streams", ENTREPOT_FIELD(events.streams), "Streams of events that this instance serves at once."
    ),
    ConfigKey<Config>{
        "outbound.allow",
        "list of networks and hosts",
        "Loopback, link-local and metadata addresses that webhooks may point at all the same.",
        set_outbound_allow,
        [](const Config& config) { return joined(config.outbound.allow); },
        true,
    },
    ConfigKey<Config>{
        "oci.mirrors",
        "list of host=project",
        "Which project answers clients that know this registry as the mirror of a host, such as docker.io=hub.",
        set_mirrors,
        [](const Config& config) { return joined(config.oci.mirrors); },
        true,
    },
    size<Config, 4 * kib, mib>("http.header_bytes", ENTREPOT_FIELD(http.header_bytes), "Longest head of a request."),
    count<Config, 16, 1000>(
        "http.header_count", ENTREPOT_FIELD(http.header_count), "Header lines of a request at most."
    ),
    duration<1, 300>(
        "http.header_timeout", ENTREPOT_FIELD(http.header_timeout), "A head that is not complete by then is cut."
    ),
    duration<1, hour>(
        "http.idle_timeout", ENTREPOT_FIELD(http.idle_timeout), "An idle connection is closed after this."
    ),
    size<Config, 0, gib>(
        "http.least_body_rate",
        ENTREPOT_FIELD(http.least_body_rate),
        "Bytes a second that a body must move at least, over 10 s; 0: any."
    ),
    count<Config, 0, 10'000'000>(
        "http.connections", ENTREPOT_FIELD(http.connections), "Connections at once; 0: 90 % of the descriptor limit."
    ),
    count<Config, 1, 10'000'000>(
        "http.connections_per_client",
        ENTREPOT_FIELD(http.connections_per_client),
        "Connections at once of one client address."
    ),
    count<Config, 1, 10'000'000>(
        "http.requests_in_flight",
        ENTREPOT_FIELD(http.requests_in_flight),
        "Requests being worked on at once; those beyond get 503."
    ),
    ConfigKey<Config>{
        "http.trusted_proxies",
        "list of networks",
        "Whose X-Forwarded-* headers are believed.",
        set_trusted_proxies,
        [](const Config& config) { return joined(config.http.trusted_proxies); },
        true,
    },
    count<Config, 0, 1024>("http.loops", ENTREPOT_FIELD(loops), "Event loops; 0: one a core."),
    label<Config>(
        "auth.service", ENTREPOT_FIELD(auth.service), "Name of this registry in token requests (their audience)."
    ),
    label<Config>("auth.issuer", ENTREPOT_FIELD(auth.issuer), "Issuer that tokens name."),
    ConfigKey<Config>{
        "auth.external_url",
        "URL",
        "https://HOST[:PORT] by which clients reach us; when empty, as each request asked for us.",
        set_external_url,
        [](const Config& config) { return config.auth.external_url; },
    },
    duration<60, day>("auth.token_lifetime", ENTREPOT_FIELD(auth.token_lifetime), "How long an access token is valid."),
    duration<60, 366 * day>(
        "auth.session_timeout",
        ENTREPOT_FIELD(auth.session_timeout),
        "How long a browser's session may be idle before it ends."
    ),
    duration<hour, 3660 * day>(
        "auth.key_rotation", ENTREPOT_FIELD(auth.key_rotation), "Age at which a new signing key takes over."
    ),
    path<Config>(
        "auth.master_key_file", ENTREPOT_FIELD(auth.master_key_file), "File with the key that seals stored secrets."
    ),
    ConfigKey<Config>{
        "auth.master_key",
        "secret",
        "The same key itself, meant for the environment; when both are empty, one is made in the data directory.",
        set_master_key,
        [](const Config&) { return std::string{}; },
    },
    ConfigKey<Config>{
        "auth.create_project_on_push",
        "nobody, admins, everyone",
        "Whose push creates the project it names.",
        [](Config& config, std::string_view value) -> Result<> {
            TRY(config.auth.create_project_on_push, pick(creators, value));
            return {};
        },
        [](const Config& config) { return shown(creators, config.auth.create_project_on_push); },
    },
    ConfigKey<Config>{
        "authoriser.url",
        "URL",
        "Service that is asked, by POST, whether it objects to what was allowed; when empty, nobody is.",
        set_authoriser_url,
        [](const Config& config) { return config.authoriser.url; },
    },
    ConfigKey<Config>{
        "authoriser.token",
        "secret",
        "Sent to it as a bearer token.",
        [](Config& config, std::string_view value) -> Result<> {
            config.authoriser.token = value;
            return {};
        },
        [](const Config&) { return std::string{}; },
    },
    path<Config>(
        "authoriser.ca_file", ENTREPOT_FIELD(authoriser.ca_file), "Certificate authorities it is trusted by (PEM)."
    ),
    duration<1, 60>("authoriser.patience", ENTREPOT_FIELD(authoriser.patience), "How long its answer is waited for."),
    duration<0, hour>(
        "authoriser.remember", ENTREPOT_FIELD(authoriser.remember), "How long an answer counts for the same question."
    ),
    on_or_off(
        "authoriser.fail_closed",
        ENTREPOT_FIELD(authoriser.fail_closed),
        "Whether it counts as an objection when it can't be asked."
    ),
    ConfigKey<Config>{
        "log.level",
        "debug, info, warning, error",
        "Least level that is written.",
        [](Config& config, std::string_view value) -> Result<> {
            TRY(config.log.level, pick(levels, value));
            return {};
        },
        [](const Config& config) { return shown(levels, config.log.level); },
    },
    ConfigKey<Config>{
        "log.format",
        "text, json",
        "How a line of the log is written.",
        [](Config& config, std::string_view value) -> Result<> {
            TRY(config.log.format, pick(formats, value));
            return {};
        },
        [](const Config& config) { return shown(formats, config.log.format); },
    },
    on_or_off("log.access", ENTREPOT_FIELD(log.access), "Whether every request is logged."),
    size<Config, 0, 64 * gib>(
        "caches.metadata_bytes", ENTREPOT_FIELD(caches.metadata_bytes), "Memory for manifests and metadata."
    ),
    size<Config, 0, 64 * gib>("caches.blob_bytes", ENTREPOT_FIELD(caches.blob_bytes), "Memory for small blobs."),
    count<Config, 0, 1'000'000>(
        "caches.open_files", ENTREPOT_FIELD(caches.open_files), "Files of large blobs that are kept open."
    ),
    duration<60, 3660 * day>(
        "uploads.expire_after", ENTREPOT_FIELD(uploads.expire_after), "Age at which an idle upload is dropped."
    ),
    count<Config, 1, 10'000'000>("uploads.per_user", ENTREPOT_FIELD(uploads.per_user), "Open uploads of one user."),
    size<Config, 0, gib>(
        "uploads.chunk_min_length",
        ENTREPOT_FIELD(uploads.chunk_min_length),
        "OCI-Chunk-Min-Length that clients are told; 0: none."
    ),
    count<Config, 1, 1000>(
        "jobs.workers",
        ENTREPOT_FIELD(jobs.workers),
        "Jobs that this instance runs at once; most of them wait for others (webhooks)."
    ),
    duration<hour, 3660 * day>("jobs.keep", ENTREPOT_FIELD(jobs.keep), "How long a job that has ended is known."),
    count<Config, 100, 10'000'000>(
        "jobs.keep_most",
        ENTREPOT_FIELD(jobs.keep_most),
        "Jobs of one kind that have ended, the newest of which are kept."
    ),
    size<Config, 64 * kib, 64 * mib>(
        "manifests.max_bytes", ENTREPOT_FIELD(manifests.max_bytes), "Largest manifest that is taken."
    ),
    on_or_off(
        "manifests.accept_sparse",
        ENTREPOT_FIELD(manifests.accept_sparse),
        "Whether an image is taken whose config or layers were not pushed; an index may always lack children."
    ),
    duration<1, 30 * day>(
        "gc.lease",
        ENTREPOT_FIELD(gc.lease),
        "How long a blob that was pushed, mounted or asked for waits for its manifest: the longest push."
    ),
    duration<0, 30 * day>(
        "gc.grace", ENTREPOT_FIELD(gc.grace), "How long the bytes of a blob stay that no repository holds any more."
    ),
    duration<0, 3660 * day>(
        "gc.untagged_after",
        ENTREPOT_FIELD(gc.untagged_after),
        "How long a manifest stays that no tag, no index and no subject keeps."
    ),
    ConfigKey<Config>{
        "quotas.warn_at",
        "list of percentages",
        "How full a project or tenant is when its quota is warned of: an event, once for each level that is reached.",
        set_warn_at,
        show_warn_at,
        true,
    },
    duration<day, 36'600 * day>(
        "quotas.keep_usage", ENTREPOT_FIELD(quotas.keep_usage), "How long it is remembered what projects used each day."
    ),
    size<Config, 0, 1024 * gib>(
        "scrub.rate", ENTREPOT_FIELD(scrub.rate), "Bytes a second that a scrub reads again; 0: it reads none."
    ),
    duration<0, 3660 * day>(
        "scrub.min_age",
        ENTREPOT_FIELD(scrub.min_age),
        "How old bytes are that a scrub calls orphans: longer than the longest push."
    ),
    ConfigKey<Config>{
        "scrub.replica.url",
        "URL",
        "Another registry with the same repositories, where lost blobs are fetched from; when empty, nowhere.",
        set_replica_url,
        [](const Config& config) { return config.scrub.replica.url; },
    },
    ConfigKey<Config>{
        "scrub.replica.user",
        "text",
        "Who logs in there, and may pull; when empty, nobody in particular.",
        [](Config& config, std::string_view value) -> Result<> {
            config.scrub.replica.user = value;
            return {};
        },
        [](const Config& config) { return config.scrub.replica.user; },
    },
    path<Config>("scrub.replica.password_file", ENTREPOT_FIELD(scrub.replica.password_file), "Their password, a line."),
    path<Config>(
        "scrub.replica.ca_file",
        ENTREPOT_FIELD(scrub.replica.ca_file),
        "Certificate authorities it is trusted by (PEM)."
    ),
    on_or_off(
        "index.enabled",
        ENTREPOT_FIELD(index.enabled),
        "Keep an index beside the blobs, from which `entrepot rebuild-index` makes a lost database anew."
    ),
    duration<1, 366 * day>(
        "index.every",
        ENTREPOT_FIELD(index.every),
        "How old the newest snapshot of that index gets; what came since is in its journal."
    ),
    duration<hour, 36'600 * day>(
        "history.keep", ENTREPOT_FIELD(history.keep), "How long it is remembered what a tag pointed at before."
    ),
    duration<0, 3660 * day>(
        "trash.keep",
        ENTREPOT_FIELD(trash.keep),
        "How long what was deleted can be brought back; its project is charged for it until then. 0s: not at all."
    ),
    on_or_off(
        "retention.expiry_labels",
        ENTREPOT_FIELD(retention.expiry_labels),
        "Whether tags expire as the label or annotation quay.expires-after of what is pushed says."
    ),
    duration<0, hour>(
        "shutdown.stalled",
        ENTREPOT_FIELD(shutdown.stalled),
        "At shutdown, a transfer that stands still this long is cut."
    ),
    duration<0, hour>(
        "shutdown.longest", ENTREPOT_FIELD(shutdown.longest), "At shutdown, everything is cut after this."
    ),
};

}  // namespace

std::span<const ConfigKey<Config>> config_keys()
{
    static const auto all = [] {
        std::vector<ConfigKey<Config>> keys{general_keys.begin(), general_keys.end()};
        keys.insert(keys.end(), swarm_keys().begin(), swarm_keys().end());
        return keys;
    }();
    return all;
}

std::string variable_of(std::string_view key)
{
    std::string variable = "ENTREPOT_";
    for (const char letter : key) {
        const bool lower = letter >= 'a' && letter <= 'z';
        variable += letter == '.' ? '_' : lower ? static_cast<char>(letter - 'a' + 'A') : letter;
    }
    return variable;
}

}  // namespace entrepot
