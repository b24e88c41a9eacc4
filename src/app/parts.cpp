#include "app/parts.hpp"

#include "api/operations/http_metrics.hpp"
#include "app/open_store.hpp"
#include "app/start_failure.hpp"
#include "app/version.hpp"
#include "core/host_name.hpp"
#include "core/log.hpp"
#include "core/run_to_end.hpp"
#include "drivers/authoriser/webhook_authoriser.hpp"
#include "upkeep/retention/retention_order.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>
#include <thread>

#include <unistd.h>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

template <class T>
T or_throw(Result<T> result, std::string_view doing)
{
    if (result) {
        if constexpr (std::is_void_v<T>)
            return;
        else
            return *std::move(result);
    }
    throw start_failure(doing, result.error());
}

MasterKey master_key_of(const Config& config, Random& random)
{
    if (!config.auth.master_key.empty()) return or_throw(MasterKey::parse(config.auth.master_key), "auth.master_key");
    const auto& configured = config.auth.master_key_file;
    return or_throw(
        MasterKey::load_or_create(configured.empty() ? config.data / "master.key" : configured, random),
        "the master key"
    );
}

FilesystemOptions blob_options(const Config& config)
{
    FilesystemOptions options;
    options.root = config.storage_root().string();
    options.cache_bytes = config.caches.blob_bytes;
    options.open_files = config.caches.open_files;
    // Hashing is the work of a push: more threads than cores only share them.
    options.work_threads = std::clamp(std::thread::hardware_concurrency(), 2U, 16U);
    return options;
}

TokenSettings token_settings_of(const Config& config, const Settings& settings)
{
    TokenSettings tokens;
    tokens.issuer = config.auth.issuer;
    tokens.service = config.auth.service;
    tokens.lifetime = config.auth.token_lifetime;
    tokens.key_lifetime = config.auth.key_rotation;
    tokens.current_lifetime = [&settings] { return settings.token_lifetime(); };
    tokens.longest_lifetime = Settings::longest_token_lifetime;
    return tokens;
}

std::unique_ptr<ExternalAuthoriser> authoriser_of(const Config& config, const Clock& clock)
{
    const auto& wanted = config.authoriser;
    if (wanted.url.empty()) return nullptr;
    WebhookAuthoriserOptions options;
    options.url = wanted.url;
    options.token = wanted.token;
    options.ca_file = wanted.ca_file.string();
    options.patience = wanted.patience;
    options.remembered_for = wanted.remember;
    options.refuse_when_away = wanted.fail_closed;
    return or_throw(WebhookAuthoriser::create(std::move(options), clock), "the external authoriser");
}

Uploads::Limits upload_limits(const Config& config)
{
    return {.sessions_per_user = static_cast<std::int64_t>(config.uploads.per_user)};
}

GarbageWindows garbage_windows(const Config& config)
{
    const auto micros = [](std::chrono::seconds time) { return std::chrono::microseconds{time}.count(); };
    return {
        .lease = micros(config.gc.lease),
        .grace = micros(config.gc.grace),
        .untagged_after = micros(config.gc.untagged_after),
    };
}

JobHistoryLimits job_history_of(const Config& config)
{
    return {.keep = std::chrono::microseconds{config.jobs.keep}.count(), .most = config.jobs.keep_most};
}

JobRunnerOptions job_options(const Config& config)
{
    JobRunnerOptions options;
    options.workers = config.jobs.workers;
    options.alone = !config.uses_postgres();
    if (auto host = host_name(); !host.empty()) options.host = std::move(host);
    return options;
}

std::string joined(const std::vector<std::string>& names)
{
    std::string text;
    for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
}

constexpr std::string_view following_promotions = "promotions";

Task<> drained(OperationsHandler& operations)
{
    co_await operations.drain(5s);
    co_return Result<>{};
}

}  // namespace

App::Parts::Parts(Config with)
    : config{std::move(with)},
      directory{config.data},
      store{open_store(
          config,
          clock,
          hurrying(feed_listener, {"access"}),
          hurrying(
              feed_listener,
              {EventParts::following, ReplicationParts::following, SwarmParts::following, following_promotions}
          )
      )},
      blobs{blob_options(config)},
      policy{config.auth.create_project_on_push, clock},
      access_directory{store->access(), policy},
      settings{
          store->settings(),
          policy,
          clock,
          {.token_lifetime = config.auth.token_lifetime,
           .session_timeout = config.auth.session_timeout,
           .audits_pulls = config.audit.pulls,
           .audit_forward_endpoint = config.audit.forward_syslog}
      },
      audit{config, store->audit_anchors(), store->settings(), policy, clock, random},
      token_settings{token_settings_of(config, settings)},
      master_key{master_key_of(config, random)},
      keys{store->keys(), master_key, token_settings, clock, random},
      events{
          {.config = config,
           .store = *store,
           .policy = policy,
           .master_key = master_key,
           .audit = audit,
           .clock = clock,
           .random = random}
      },
      accounting{config, *store, policy, clock},
      job_runner{store->job_store(), clock, random, job_options(config)},
      authenticator{
          {.accounts = store->accounts(),
           .access_tokens = store->access_tokens(),
           .keys = keys,
           .policy = policy,
           .directory = access_directory,
           .clock = clock,
           .random = random},
          token_settings
      },
      sessions{store->sessions(), authenticator, clock, random, [this] { return settings.session_lifetime(); }},
      project_gate{policy, store->projects(), [this] { return access_directory.catch_up(); }},
      projects{
          {.catalog = store->projects(),
           .endpoints = store->endpoints(),
           .policy = policy,
           .directory = access_directory,
           .settings = settings,
           .clock = clock}
      },
      overview{store->overview(), store->projects(), policy},
      users{
          {.accounts = store->accounts(),
           .people = store->people(),
           .hasher = authenticator,
           .teams = store->teams(),
           .granting = {store->grants(), store->roles(), policy, access_directory, clock},
           .policy = policy,
           .directory = access_directory,
           .clock = clock,
           .self_registration = [this] { return settings.self_registration(); }}
      },
      access_tokens{
          {.catalog = store->access_tokens(),
           .accounts = store->accounts(),
           .policy = policy,
           .directory = access_directory,
           .clock = clock,
           .random = random}
      },
      labels{store->labels(), policy, clock},
      tenancy{*store, policy, access_directory, users, clock},
      robots{
          {.catalog = store->robots(),
           .granting = tenancy.granting,
           .settings = settings,
           .hasher = authenticator,
           .random = random}
      },
      ledger{store->pulls(), clock},
      garbage{store->garbage(), blobs, clock, garbage_windows(config)},
      scrub{config, *store, blobs, clock, random},
      index{config, *store, clock, random, master_key.fingerprint()},
      pull{store->manifests(), store->blobs(), blobs, ledger, clock, garbage_windows(config).lease},
      push_manifest{
          {store->manifests(), store->blobs(), blobs},
          project_gate,
          parsing,
          {config.manifests.accept_sparse, config.retention.expiry_labels}
      },
      mount_blob{store->blobs(), policy, project_gate},
      uploads{store->uploads(), store->blobs(), blobs, project_gate, random, clock, upload_limits(config)},
      browse{store->manifests(), store->blobs(), policy},
      repositories{store->repositories(), blobs, policy, [this] { return access_directory.catch_up(); }, clock},
      renames{store->renames(), policy, [this] { return access_directory.catch_up(); }, clock},
      promotions{store->promotions(), policy, clock},
      promotion_dispatch{{.log = store->events(), .catalog = store->promotions(), .clock = clock}},
      checks{store->checks(), policy, clock},
      pipelines{store->promotions(), store->artifacts(), policy, clock},
      artifacts{store->artifacts(), policy, clock},
      immutable_rules{store->immutable_rules(), policy, clock},
      tag_history{store->tag_history(), policy, clock, config.history.keep},
      trash{store->trash(), store->garbage(), policy, clock, config.trash.keep},
      push_policies{store->push_policies(), store->tag_inventory(), policy, clock},
      tag_lifetimes{store->tag_inventory(), policy, clock},
      retention_run{store->retention(), store->tag_inventory(), store->schedules(), clock},
      additions{
          {.artifacts = store->artifacts(),
           .manifests = store->manifests(),
           .links = store->blobs(),
           .blobs = blobs,
           .policy = policy,
           .clock = clock,
           .pool = unpacking}
      },
      icons{store->blobs(), blobs, policy, unpacking},
      jobs{store->jobs(), clock, job_history_of(config)},
      schedules{store->schedules(), store->jobs(), clock},
      retentions{
          {.catalog = store->retention(),
           .queue = store->job_queue(),
           .jobs = store->jobs(),
           .schedules = schedules,
           .policy = policy,
           .clock = clock}
      },
      replication{
          {.config = config,
           .store = *store,
           .master_key = master_key,
           .local = local_site(),
           .clock = clock,
           .random = random}
      },
      exchange{
          {.store = *store,
           .outbound = events.outbound(),
           .timetable = schedules,
           .policy = policy,
           .upstreams = replication.upstreams(),
           .secrets = replication.secrets(),
           .clock = clock}
      },
      synchronous{
          {.config = config,
           .store = *store,
           .policy = policy,
           .catch_up = [this] { return access_directory.catch_up(); },
           .master_key = master_key,
           .local = local_site(),
           .views = blobs,
           .clock = clock,
           .random = random}
      },
      swarm{
          {.config = config,
           .store = *store,
           .blobs = blobs,
           .trail = audit.trail(),
           .policy = policy,
           .master_key = master_key,
           .clock = clock,
           .random = random,
           .keys = keys,
           .token_settings = token_settings,
           .hurry_preheats = hurrying(feed_listener, {SwarmParts::preheating})}
      },
      job_metrics{jobs, job_runner, clock},
      backup_metrics{store->settings()},
      proxy{config, *store, blobs, policy, master_key, clock, random},
      authoriser{authoriser_of(config, clock)},
      gate{authenticator, sessions, policy, config.auth.service, config.auth.external_url},
      login_audit{audit.trail(), clock},
      oci_audit{audit.trail(), policy, clock},
      api_audit{audit.trail(), clock},
      reads{pull, oci_audit, &proxy.cache()},
      writes{push_manifest, browse, clock, config.manifests.max_bytes},
      upload_endpoints{uploads, mount_blob, gate, clock, config.uploads.chunk_min_length},
      lists{browse, &proxy.cache()},
      oci{gate,
          policy,
          settings,
          reads,
          writes,
          upload_endpoints,
          lists,
          oci_audit,
          accounting.watch,
          Mirrors::parse(config.oci.mirrors).value(),
          [this] { return access_directory.catch_up(); }},
      token{
          {.authenticator = authenticator,
           .keys = keys,
           .refresh_tokens = store->refresh_tokens(),
           .policy = policy,
           .clock = clock,
           .random = random,
           .logins = login_audit},
          token_settings
      },
      swarm_endpoint{new_swarm_endpoint()},
      operations{store->health(), blobs, clock, [this](MetricsText& text) { add_metrics(text); }},
      health_metrics{operations, blobs, config.data},
      idempotency{store->idempotency(), master_key, random, clock},
      management{management_needs()},
      session_endpoint{
          {.gate = gate, .authenticator = authenticator, .sessions = sessions, .users = users, .logins = login_audit}
      }
{
    // Among what a journal brought back may be blobs that were removed.
    or_throw(run_to_end(store->garbage().condemn_unknown(blobs.restored(), {0, clock.now()})), "the blobs' journal");
    gate.consult(authoriser.get());
    push_manifest.copy_to(&synchronous.copies());
    uploads.tell(&synchronous.copies());
    settings.watch([this] { audit.choose(settings.audit_choice()); });
    const auto loops = config.loops != 0 ? config.loops : std::max(1U, std::thread::hardware_concurrency());
    log::debug("management routes", {{"routes", joined(management.router().routes())}});
    server = std::make_unique<HttpServer>(listeners(), config.http, clock, loops);
    background = std::make_unique<Background>(chores());
    hire_job_handlers();
}

App::Parts::~Parts()
{
    feed_listener = nullptr;
    if (background) background->stop();
    job_runner.stop();
    index.stop();
    (void)run_to_end(drained(operations));
    authenticator.stop();
    if (server) server->stop();
    proxy.stop();
    synchronous.stop();
    swarm.stop();
    parsing.join();
    unpacking.join();
    reading.join();
    (void)run_to_end(ledger.flush());
    (void)run_to_end(authenticator.flush_uses());
    audit.stop();
    events.stop();
    store->stop();
    blobs.stop();
}

std::vector<ListenerOptions> App::Parts::listeners()
{
    std::vector<ListenerOptions> options;
    for (const auto& listener : config.listeners) {
        SurfaceRouter::Surfaces surfaces;
        if (listener.surfaces.oci) surfaces.oci = &oci;
        if (listener.surfaces.api) surfaces.api = &management;
        if (listener.surfaces.api) surfaces.sessions = &session_endpoint;
        if (listener.surfaces.token) surfaces.token = &token;
        if (listener.surfaces.swarm) surfaces.swarm = swarm_endpoint.get();
        surfaces.metrics = listener.surfaces.metrics;
        auto& router = routers.emplace_back(surfaces, operations, config.log.access);
        options.push_back({
            .name = listener.name,
            .address = listener.address,
            .port = listener.port,
            .tls = listener.tls,
            .bytes_per_second = listener.bytes_per_second,
            .handler = &router,
        });
    }
    return options;
}

std::vector<Background::Chore> App::Parts::chores()
{
    std::vector<Background::Chore> chores;
    chores.push_back({.name = "pull counts", .every = 1s, .run = [this] { return ledger.flush(); }});
    for (auto& chore : events.chores()) chores.push_back(std::move(chore));
    chores.push_back({.name = "audit anchors", .every = 1s, .run = [this] { return audit.anchor(); }});
    chores.push_back({.name = "signing keys", .every = 1min, .run = [this] { return keys.maintain(); }});
    chores.push_back({.name = "access", .every = 5min, .run = [this] { return access_directory.catch_up(); }});
    chores.push_back({.name = "credential uses", .every = 1min, .run = [this] { return authenticator.flush_uses(); }});
    chores.push_back({.name = "expired access tokens", .every = 1h, .run = [this] {
                          return access_tokens.remove_expired();
                      }});
    chores.push_back({.name = "expired sessions", .every = 10min, .run = [this] { return sessions.remove_expired(); }});
    // Other instances change settings as well; SQLite has one instance.
    const auto between_settings = config.uses_postgres() ? std::chrono::steady_clock::duration{900ms} : 1h;
    chores.push_back({.name = "settings", .every = between_settings, .run = [this] { return settings.refresh(); }});
    for (auto& chore : index.chores()) chores.push_back(std::move(chore));
    for (auto& chore : health_metrics.chores()) chores.push_back(std::move(chore));
    for (auto& chore : accounting.chores()) chores.push_back(std::move(chore));
    for (auto& chore : exchange.chores()) chores.push_back(std::move(chore));
    for (auto& chore : replication.chores()) chores.push_back(std::move(chore));
    for (auto& chore : synchronous.chores()) chores.push_back(std::move(chore));
    for (auto& chore : swarm.chores()) chores.push_back(std::move(chore));
    chores.push_back({.name = "expired idempotency keys", .every = 1h, .run = [this] {
                          return idempotency.remove_expired();
                      }});
    chores.push_back({.name = "job counts", .every = 10s, .run = [this] { return job_metrics.count_queues(); }});
    chores.push_back({.name = "backups", .every = 10s, .run = [this] { return backup_metrics.refresh(); }});
    chores.push_back({.name = "old jobs", .every = 10min, .run = [this] { return jobs.remove_old(); }});
    chores.push_back({.name = "audit purge", .every = 10s, .run = [this] { return audit.purge().obey(); }});
    chores.push_back({.name = "expired grants", .every = 1h, .run = [this] { return tenancy.grants.remove_expired(); }}
    );
    chores.push_back({.name = "expired uploads", .every = 10min, .run = [this] {
                          return uploads.expire(std::chrono::microseconds{config.uploads.expire_after}.count());
                      }});
    chores.push_back({.name = std::string{following_promotions}, .every = 1s, .run = [this] { return promote(); }});
    chores.push_back({.name = "expired promotions", .every = 1min, .run = [this] { return promotions.expire(); }});
    chores.push_back({.name = "blob removals", .every = 1min, .run = [this] { return garbage.end_removals(); }});
    chores.push_back({.name = "scrub findings", .every = 10s, .run = [this] { return scrub.count_findings(); }});
    chores.push_back({.name = "schedules", .every = 1s, .run = [this] { return schedules.fire_due(); }});
    chores.push_back({.name = "expired tags", .every = 1min, .run = [this] { return tag_lifetimes.remove_expired(); }});
    chores.push_back({.name = "images in use", .every = 1h, .run = [this] { return tag_lifetimes.forget_unused(); }});
    chores.push_back({.name = "tag history", .every = 10min, .run = [this] { return tag_history.forget_old(); }});
    chores.push_back({.name = "trash", .every = 1min, .run = [this] { return trash.forget_old(); }});
    chores.push_back({.name = "expired refresh tokens", .every = 1h, .run = [this] {
                          return store->refresh_tokens().remove_expired(clock.now());
                      }});
    return chores;
}

void App::Parts::add_metrics(MetricsText& text) const
{
    add_http_metrics(text, server->counters());
    for (const auto& [listener, end] : server->certificate_ends()) {
        text.gauge(
            "entrepot_tls_certificate_end_timestamp_seconds",
            "When the certificate of a listener ends, seconds since 1970.",
            end / 1'000'000,
            {{"listener", listener}}
        );
    }
    health_metrics.add_to(text);
    garbage.add_metrics(text);
    audit.add_metrics(text);
    job_metrics.add_to(text);
    backup_metrics.add_to(text);
    events.add_metrics(text);
    accounting.add_metrics(text);
    scrub.add_metrics(text);
    index.add_metrics(text);
    exchange.add_metrics(text);
    replication.add_metrics(text);
    text.counter(
        "entrepot_promotions_started_total", "Promotions that events have asked for.", promotion_dispatch.started()
    );
    proxy.add_metrics(text);
    synchronous.add_metrics(text);
    swarm.add_metrics(text);
    const auto streams = static_cast<std::uint64_t>(management.open_event_streams());
    trash.add_metrics(text);
    text.gauge("entrepot_event_streams", "Streams of events that are open.", streams);
    text.gauge(
        "entrepot_swarm_streams", "Streams of the swarm's state that are open.", management.open_swarm_streams()
    );
    ledger.add_metrics(text);
}

}  // namespace entrepot
