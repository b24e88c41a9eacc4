#include "agent/node_credentials.hpp"

#include "agent/private_file.hpp"
#include "core/bytes.hpp"
#include "core/json_text.hpp"
#include "core/log.hpp"
#include "oci/json_fields.hpp"
#include "swarm/hex32.hpp"
#include "swarm/identity/x509_handles.hpp"

#include <boost/json/value.hpp>

#include <algorithm>
#include <utility>

namespace entrepot {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view key_file = "node-key.pem";
constexpr std::string_view enrolment_file = "node-enrolment.json";
constexpr std::size_t most_kept_bytes = std::size_t{256} * 1024;

std::optional<TicketPublicKey> key_of(std::string_view hex)
{
    constexpr std::string_view digits = "0123456789abcdef";
    TicketPublicKey key;
    if (hex.size() != 2 * key.bytes.size()) return std::nullopt;
    for (std::size_t at = 0; at < hex.size(); ++at) {
        const auto digit = digits.find(hex[at]);
        if (digit == std::string_view::npos) return std::nullopt;
        auto& byte = key.bytes[at / 2];
        byte = static_cast<std::uint8_t>(unsigned{byte} << 4U | static_cast<unsigned>(digit));
    }
    return key;
}

Result<> date(NodeEnrolment& enrolment)
{
    TRY(const auto certificate, read_certificate(enrolment.certificate));
    enrolment.begins = micros_of(*X509_get0_notBefore(certificate.get()));
    enrolment.ends = micros_of(*X509_get0_notAfter(certificate.get()));
    return {};
}

Result<> read_control(NodeEnrolment& enrolment, const boost::json::object& answer, const std::string& host)
{
    const auto* const control = find_object(answer, "control");
    const auto port = control != nullptr ? find_integer(*control, "port") : 0;
    if (port <= 0 || port > 65'535) return fail(Errc::bad_request, "not a node's enrolment: no control port");
    enrolment.control_port = static_cast<std::uint16_t>(port);
    enrolment.control_host = find_text(*control, "host");
    if (enrolment.control_host.empty()) enrolment.control_host = host;
    return {};
}

std::vector<std::string> split_certificates(std::string_view pem)
{
    constexpr std::string_view end = "-----END CERTIFICATE-----";
    std::vector<std::string> all;
    for (auto at = pem.find(end); at != std::string_view::npos; at = pem.find(end)) {
        all.push_back(std::string{pem.substr(0, at + end.size())} + '\n');
        pem.remove_prefix(at + end.size());
    }
    return all;
}

void append_list(std::string& json, const std::vector<std::string>& texts)
{
    json += '[';
    for (const auto& text : texts) {
        if (json.back() != '[') json += ',';
        append_json_text(json, text);
    }
    json += ']';
}

Result<NodeKey> load_or_make_key(const fs::path& file, Random& random)
{
    auto kept = read_private_file(file, most_kept_bytes);
    if (!kept && kept.error().code() == Errc::not_found) {
        TRY(const auto fresh, NodeKey::generate());
        TRY(const auto pem, fresh.pem());
        CHECK(make_private_file(file, pem, random));
        // Another process may have been faster.
        kept = read_private_file(file, most_kept_bytes);
    }
    if (!kept) return std::unexpected{std::move(kept).error()};
    std::error_code unimportant;
    constexpr auto others = fs::perms::group_all | fs::perms::others_all;
    if ((fs::status(file, unimportant).permissions() & others) != fs::perms::none)
        log::warning("others than its owner may read the node's key", {{"file", file.string()}});
    auto key = NodeKey::from_pem(*kept);
    if (!key) return fail(Errc::corrupt, "the node's key can't be read", file.string());
    return key;
}

}  // namespace

Result<NodeEnrolment> parse_enrolment(std::string_view json, const std::string& host)
{
    const auto object = parse_object(json);
    if (!object) return fail(Errc::bad_request, "not a node's enrolment: no JSON");
    NodeEnrolment enrolment;
    enrolment.certificate = find_text(*object, "certificate");
    if (const auto* const authorities = find_array(*object, "authorities")) {
        for (const auto& one : *authorities) {
            if (one.is_string()) enrolment.authorities.emplace_back(one.get_string());
        }
    }
    if (const auto* const keys = find_array(*object, "ticket_keys")) {
        for (const auto& one : *keys) {
            const auto key = one.is_string() ? key_of(one.get_string()) : std::nullopt;
            if (!key) return fail(Errc::bad_request, "not a node's enrolment: a ticket key that is none");
            enrolment.ticket_keys.push_back(*key);
        }
    }
    CHECK(read_control(enrolment, *object, host));
    CHECK(date(enrolment));
    return enrolment;
}

std::string enrolment_json(const NodeEnrolment& enrolment)
{
    std::string json = "{\"certificate\":";
    append_json_text(json, enrolment.certificate);
    json += ",\"authorities\":";
    append_list(json, enrolment.authorities);
    json += ",\"ticket_keys\":";
    std::vector<std::string> keys;
    for (const auto& key : enrolment.ticket_keys) keys.push_back(hex_of(key));
    append_list(json, keys);
    json += ",\"control\":{\"host\":";
    append_json_text(json, enrolment.control_host);
    json += ",\"port\":" + std::to_string(enrolment.control_port) + "}}";
    return json;
}

Result<NodeEnrolment>
renewed_enrolment(NodeEnrolment before, const std::string& certificate, std::string_view authorities)
{
    before.certificate = certificate;
    if (auto others = split_certificates(authorities); !others.empty()) before.authorities = std::move(others);
    CHECK(date(before));
    return before;
}

Result<NodeEnrolment> moved_enrolment(NodeEnrolment before, std::string_view json, const std::string& host)
{
    const auto object = parse_object(json);
    if (!object) return fail(Errc::bad_request, "not where control streams go: no JSON");
    CHECK(read_control(before, *object, host));
    return before;
}

Result<NodeCredentials> NodeCredentials::open(fs::path directory, Random& random)
{
    std::error_code error;
    if (fs::create_directories(directory, error)) fs::permissions(directory, fs::perms::owner_all, error);
    if (error) return fail(Errc::unavailable, "the agent's directory can't be made", error.message());
    TRY(auto key, load_or_make_key(directory / key_file, random));
    NodeCredentials credentials{std::move(directory), std::move(key)};
    const auto kept = read_private_file(credentials.directory_ / enrolment_file, most_kept_bytes);
    if (!kept) {
        if (kept.error().code() != Errc::not_found)
            log::failure(log::Level::warning, "reading the node's certificate", kept.error());
        return credentials;
    }
    auto enrolment = parse_enrolment(*kept, {});
    if (enrolment) {
        if (const auto usable = credentials.tls(*enrolment); !usable) enrolment = std::unexpected{usable.error()};
    }
    if (!enrolment) {
        log::failure(log::Level::warning, "the node's certificate is of no use", enrolment.error());
        return credentials;
    }
    credentials.enrolment_ = *std::move(enrolment);
    return credentials;
}

Result<std::shared_ptr<const PeerTlsContext>> NodeCredentials::tls(const NodeEnrolment& enrolment) const
{
    if (enrolment.authorities.empty()) return fail(Errc::bad_request, "a node's enrolment without authorities");
    NodeTrust trust;
    for (const auto& authority : enrolment.authorities) CHECK(trust.trust(authority));
    return PeerTlsContext::of(key_, enrolment.certificate, std::move(trust));
}

Result<> NodeCredentials::keep(const fs::path& directory, const std::string& json)
{
    return replace_private_file(directory / enrolment_file, json);
}

Result<> NodeCredentials::remove(const fs::path& directory)
{
    std::error_code failed;
    for (fs::directory_iterator entry{directory, failed}; !failed && entry != fs::directory_iterator{};) {
        // Also drafts of these files that a process left when it was killed.
        const auto name = entry->path().filename().string();
        const bool is_ours = name.starts_with(key_file) || name.starts_with(enrolment_file);
        if (is_ours) fs::remove(entry->path(), failed);
        if (!failed) entry.increment(failed);
    }
    if (!failed && fs::is_empty(directory, failed)) fs::remove(directory, failed);
    if (!failed || failed == std::errc::no_such_file_or_directory) return {};
    return fail(Errc::unavailable, directory.string() + ": can't be removed: " + failed.message());
}

}  // namespace entrepot
