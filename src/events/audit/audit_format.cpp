#include "events/audit/audit_format.hpp"

#include "core/ascii.hpp"
#include "core/bytes.hpp"
#include "core/utf8.hpp"
#include "oci/hasher.hpp"
#include "oci/json_fields.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr std::string_view record_start = "{\"n\":";
constexpr std::string_view block_start = "{\"block\":";
constexpr std::string_view header_start = "{\"segment\":";
constexpr std::size_t longest_text = 1024;
constexpr std::size_t longest_object = 16U << 10U;

void append_number(std::string& text, std::string_view name, std::int64_t value)
{
    text += ",\"";
    text += name;
    text += "\":";
    text += std::to_string(value);
}

void append_text(std::string& text, std::string_view name, std::string_view value)
{
    if (value.empty()) return;
    text += ",\"";
    text += name;
    text += "\":";
    append_json_text(text, value.substr(0, longest_text));
}

bool is_secret_name(std::string_view name)
{
    const auto small = lowered(name);
    constexpr std::array words{"password", "passwd", "secret", "private_key"};
    const auto inside = [&](std::string_view word) { return small.contains(word); };
    return std::ranges::any_of(words, inside) || small == "token" || small.ends_with("_token");
}

void hide_secrets(json::value& value)
{
    if (auto* list = value.if_array()) {
        for (auto& item : *list) hide_secrets(item);
    }
    auto* object = value.if_object();
    if (object == nullptr) return;
    for (auto& member : *object) {
        const bool holds = !member.value().is_null() && !member.value().is_bool() && !member.value().is_number();
        if (holds && is_secret_name(member.key()))
            member.value() = "(not recorded)";
        else
            hide_secrets(member.value());
    }
}

void append_object(std::string& text, std::string_view name, std::string_view object)
{
    if (object.empty()) return;
    boost::system::error_code error;
    auto value = json::parse(object, error);
    if (error) value = "(not JSON)";
    hide_secrets(value);
    auto written = json::serialize(value);
    if (written.size() > longest_object) written = R"({"omitted_bytes":)" + std::to_string(written.size()) + "}";
    text += ",\"";
    text += name;
    text += "\":";
    text += written;
}

std::int64_t number_of(const json::object& object, std::string_view name, std::int64_t otherwise)
{
    const auto* value = object.if_contains(name);
    if (value == nullptr) return otherwise;
    boost::system::error_code error;
    const auto number = value->to_number<std::int64_t>(error);
    return error ? otherwise : number;
}

std::uint64_t count_of(const json::object& object, std::string_view name)
{
    return static_cast<std::uint64_t>(std::max<std::int64_t>(number_of(object, name, 0), 0));
}

std::string json_of(const json::object& object, std::string_view name)
{
    const auto* value = object.if_contains(name);
    return value == nullptr ? std::string{} : json::serialize(*value);
}

}  // namespace

AuditLineKind kind_of(std::string_view line) noexcept
{
    if (line.starts_with(record_start)) return AuditLineKind::record;
    if (line.starts_with(block_start)) return AuditLineKind::block;
    if (line.starts_with(header_start)) return AuditLineKind::header;
    return AuditLineKind::none;
}

std::string audit_time(Micros time)
{
    auto text = rfc3339(time);
    const auto fraction = std::to_string(1'000'000 + ((time % 1'000'000) + 1'000'000) % 1'000'000);
    text.insert(text.size() - 1, "." + fraction.substr(1));
    return text;
}

void append_record_line(std::string& text, std::uint64_t number, const AuditRecord& record)
{
    text += record_start;
    text += std::to_string(number);
    text += ",\"at\":\"" + audit_time(record.at) + "\"";
    append_text(text, "operation", record.operation);
    append_text(text, "resource_type", record.resource_type);
    append_text(text, "resource", record.resource);
    append_text(text, "result", record.result);
    append_text(text, "user", record.user);
    append_number(text, "user_id", record.user_id);
    append_number(text, "tenant_id", record.tenant_id);
    append_number(text, "project_id", record.project_id);
    if (record.count != 1) append_number(text, "count", record.count);
    append_text(text, "detail", record.detail);
    append_text(text, "request_id", record.request_id);
    append_text(text, "client", record.client);
    append_object(text, "before", record.before);
    append_object(text, "after", record.after);
    text += "}\n";
}

std::optional<AuditLineStart> parse_line_start(std::string_view line) noexcept
{
    if (!line.starts_with(record_start)) return std::nullopt;
    AuditLineStart start;
    const auto* const end = line.data() + line.size();
    const auto [after, error] = std::from_chars(line.data() + record_start.size(), end, start.number);
    if (error != std::errc{}) return std::nullopt;
    constexpr std::string_view at = ",\"at\":\"";
    auto rest = line.substr(static_cast<std::size_t>(after - line.data()));
    if (!rest.starts_with(at)) return std::nullopt;
    rest.remove_prefix(at.size());
    const auto time = parse_time(rest.substr(0, rest.find('"')));
    if (!time) return std::nullopt;
    start.at = *time;
    return start;
}

std::optional<AuditEntry> parse_record_line(std::string_view line)
{
    const auto start = parse_line_start(line);
    const auto object = start ? parse_object(line) : std::nullopt;
    if (!object) return std::nullopt;
    AuditEntry entry;
    entry.number = start->number;
    auto& record = entry.record;
    record.at = start->at;
    record.operation = find_text(*object, "operation");
    record.resource_type = find_text(*object, "resource_type");
    record.resource = find_text(*object, "resource");
    record.result = find_text(*object, "result");
    record.user = find_text(*object, "user");
    record.user_id = number_of(*object, "user_id", 0);
    record.tenant_id = number_of(*object, "tenant_id", 0);
    record.project_id = number_of(*object, "project_id", 0);
    record.count = number_of(*object, "count", 1);
    record.detail = find_text(*object, "detail");
    record.request_id = find_text(*object, "request_id");
    record.client = find_text(*object, "client");
    record.before = json_of(*object, "before");
    record.after = json_of(*object, "after");
    return entry;
}

std::string header_line(const AuditHeader& header)
{
    std::string text{header_start};
    text += std::to_string(header.segment) + ",\"instance\":";
    append_json_text(text, header.instance);
    text += ",\"format\":1,\"created\":\"" + audit_time(header.created) + "\"";
    text += ",\"blocks_before\":" + std::to_string(header.before.block);
    text += ",\"records_before\":" + std::to_string(header.before.record);
    return text + ",\"previous\":\"" + header.before.hash + "\"}\n";
}

std::optional<AuditHeader> parse_header_line(std::string_view line)
{
    const auto object = kind_of(line) == AuditLineKind::header ? parse_object(line) : std::nullopt;
    if (!object || number_of(*object, "format", 0) != 1) return std::nullopt;
    const auto created = parse_time(find_text(*object, "created"));
    if (!created) return std::nullopt;
    AuditHeader header;
    header.segment = count_of(*object, "segment");
    header.instance = find_text(*object, "instance");
    header.before = {
        count_of(*object, "blocks_before"),
        count_of(*object, "records_before"),
        std::string{find_text(*object, "previous")}
    };
    header.created = *created;
    return header;
}

SealedBlock seal_block(const AuditHead& before, std::string_view lines, std::uint64_t records)
{
    SealedBlock sealed;
    sealed.head.block = before.block + 1;
    sealed.head.record = before.record + records;
    sealed.line =
        std::string{block_start} + std::to_string(sealed.head.block) + ",\"records\":" + std::to_string(records);
    Hasher hasher{DigestAlgorithm::sha256};
    hasher.update(as_bytes(before.hash));
    hasher.update(as_bytes(lines));
    hasher.update(as_bytes(sealed.line));
    sealed.head.hash = hasher.digest().hex();
    sealed.line += ",\"hash\":\"" + sealed.head.hash + "\"}\n";
    return sealed;
}

std::optional<AuditBlock> parse_block_line(std::string_view line)
{
    const auto object = kind_of(line) == AuditLineKind::block ? parse_object(line) : std::nullopt;
    if (!object) return std::nullopt;
    return AuditBlock{
        count_of(*object, "block"), count_of(*object, "records"), std::string{find_text(*object, "hash")}
    };
}

}  // namespace entrepot
