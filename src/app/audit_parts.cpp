#include "app/audit_parts.hpp"

#include "core/log.hpp"
#include "core/run_to_end.hpp"
#include "drivers/audit_files/audit_file_sink.hpp"
#include "drivers/syslog/syslog_sink.hpp"

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace entrepot {
namespace {

[[noreturn]] void give_up(std::string_view doing, const Error& error)
{
    const auto detail = error.detail().empty() ? std::string{} : " (" + error.detail() + ")";
    throw std::runtime_error{std::string{doing} + ": " + error.message() + detail};
}

// The configured name, or one that is made once and kept in the data directory.
std::string instance_name(const Config& config, Random& random)
{
    if (!config.instance.name.empty()) return config.instance.name;
    const auto file = config.data / "instance";
    std::string name;
    if (std::ifstream{file} >> name) return name;
    name = "i" + random.hex(6);
    std::ofstream stream{file};
    if (!(stream << name << '\n' << std::flush)) throw std::runtime_error{"can't write " + file.string()};
    return name;
}

}  // namespace

std::string local_chain_of(std::string_view instance)
{
    return std::string{instance} + "-local";
}

AuditParts::AuditParts(
    const Config& config,
    AuditAnchors& anchors,
    SettingsCatalog& kept_settings,
    const AccessPolicy& policy,
    const Clock& clock,
    Random& random,
    Chain chain
)
    : files_{config.audit_directory()}, reader_{files_}
{
    const auto instance = open_chain(config, random, chain);
    AuditLog::Settings settings;
    settings.instance = instance;
    settings.retention = config.audit.retention;
    log_ = std::make_unique<AuditLog>(files_, *writer_, policy, clock, std::move(settings));
    log_->choose({.pulls = config.audit.pulls});
    if (const auto opened = log_->open(); !opened) give_up("the audit trail", opened.error());
    anchoring_ = std::make_unique<AuditAnchoring>(*log_, anchors, clock);
    purge_ = std::make_unique<AuditPurge>(*log_, files_, kept_settings, clock);
    if (const auto checked = run_to_end(anchoring_->check()); !checked) {
        give_up("the audit trail's anchors", checked.error());
    }
    if (!config.audit.forward_syslog.empty()) {
        auto target = parse_syslog_target(config.audit.forward_syslog);
        if (!target) give_up("audit.forward_syslog", target.error());
        target->ca_file = config.audit.forward_ca;
        target->instance = instance;
        forward_to("syslog", std::make_unique<SyslogSink>(*std::move(target)));
    }
    if (!config.audit.forward_file.empty()) {
        forward_to("file", std::make_unique<AuditFileSink>(config.audit.forward_file));
    }
}

AuditParts::~AuditParts()
{
    for (auto& forward : forwards_) forward.forwarder->stop();
    if (log_) log_->stop();
}

// The chain's name.
std::string AuditParts::open_chain(const Config& config, Random& random, Chain chain)
{
    auto instance = instance_name(config, random);
    try {
        writer_ = std::make_unique<AuditFileWriter>(config.audit_directory(), instance);
    } catch (const AuditChainInUse&) {
        if (chain == Chain::own) throw;
        instance = local_chain_of(instance);
        writer_ = std::make_unique<AuditFileWriter>(config.audit_directory(), instance);
    }
    return instance;
}

void AuditParts::forward_to(std::string name, std::unique_ptr<AuditSink> sink)
{
    auto forwarder = std::make_unique<AuditForwarder>(name, files_, *writer_, *log_, *sink);
    if (const auto started = forwarder->start(); !started) give_up("forwarding the audit trail", started.error());
    forwards_.push_back({std::move(name), std::move(sink), std::move(forwarder)});
}

void AuditParts::stop()
{
    if (std::exchange(stopped_, true)) return;
    reader_.stop();
    for (auto& forward : forwards_) forward.forwarder->stop();
    log_->stop();
    if (const auto done = run_to_end(anchoring_->run()); !done) {
        log::failure(log::Level::warning, "anchoring the audit trail", done.error());
    }
}

bool AuditParts::forwarded_within(std::chrono::milliseconds time) const
{
    const auto all = [this] {
        return std::ranges::all_of(forwards_, [](const auto& forward) {
            return forward.forwarder->counters().behind == 0;
        });
    };
    constexpr std::chrono::milliseconds step{20};
    for (; !all(); time -= step) {
        if (time <= step) return false;
        std::this_thread::sleep_for(step);
    }
    return true;
}

void AuditParts::add_metrics(MetricsText& text) const
{
    const auto counters = log_->counters();
    text.counter("entrepot_audit_records_total", "Audit records written.", counters.records);
    text.counter(
        "entrepot_audit_blocks_total", "Audit blocks written, each by one sync or a share of one.", counters.blocks
    );
    text.counter("entrepot_audit_dropped_pulls_total", "Pulls whose audit record was dropped.", counters.dropped_pulls);
    text.counter(
        "entrepot_audit_dropped_notes_total",
        "Denials and log-ins whose audit record was dropped.",
        counters.dropped_notes
    );
    text.gauge("entrepot_audit_room_bytes", "Room reserved on the disk for audit records.", counters.room);
    text.gauge("entrepot_audit_admits_changes", "1 while changes can be recorded.", counters.admits ? 1 : 0);
    for (const auto& forward : forwards_) {
        const auto sent = forward.forwarder->counters();
        const MetricsText::Labels to{{"to", forward.name}};
        text.counter("entrepot_audit_forwarded_total", "Audit records forwarded.", sent.forwarded, to);
        text.counter(
            "entrepot_audit_forward_lost_total", "Audit records dropped before they were forwarded.", sent.lost, to
        );
        text.counter(
            "entrepot_audit_forward_failures_total", "Failed tries to forward audit records.", sent.failures, to
        );
        text.gauge("entrepot_audit_forward_behind", "Audit records that wait to be forwarded.", sent.behind, to);
    }
}

}  // namespace entrepot
